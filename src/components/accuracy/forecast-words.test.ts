import { describe, expect, it } from 'vitest';
import { costWords, coverageOf, hoursWords, jobPage, memoryWords, rangeWords, standsOn, stepWords } from './forecast-words.ts';

describe('a range', () => {
  it.each([
    ['with one unit says it once', memoryWords(7.9e9), memoryWords(8.6e9), '7.90–8.60 GB'],
    ['of two units says both', memoryWords(9.4e8), memoryWords(1.2e9), '940 MB – 1.20 GB'],
    ['of hours says both', hoursWords(0.5), hoursWords(1.2), '30 min 00 s – 1 h 12 min'],
    ['of minutes and seconds says both', hoursWords(0.22), hoursWords(0.28), '13 min 12 s – 16 min 48 s'],
    ['of seconds says the unit once', stepWords(0.4712), stepWords(0.58), '0.471–0.58 s'],
    ['of dollars names each as the form does', costWords(1), costWords(2.345), '$1.00 – $2.35'],
    ['of nothing between is one figure', costWords(0), costWords(0), '$0.00'],
  ])('%s', (_, low, high, words) => {
    expect(rangeWords(low, high)).toBe(words);
  });
});

describe('what a forecast stands on', () => {
  it.each([
    [{ runs: 14, near: 3, same: false }, 'from 14 runs like this'],
    [{ runs: 1, near: 0, same: false }, 'from 1 run like this'],
    [{ runs: 0, near: 3, same: false }, 'by formula and 3 other runs on this device'],
    [{ runs: 0, near: 0, same: false }, 'by formula alone'],
    [{ runs: 1, near: 0, same: true }, 'from a run of yours that equals it'],
    [{ runs: 2, near: 0, same: true }, 'from 2 runs of yours that equal it'],
  ])('of %o is said', (evidence, words) => {
    expect(standsOn(evidence)).toBe(words);
  });
});

describe('the coverage of several groups', () => {
  it('is of all their runs', () => {
    const groups = [
      { runs: 10, covered: 9 },
      { runs: 4, covered: 4 },
      { runs: 0, covered: 0 },
    ];
    expect(coverageOf(groups)).toEqual({ runs: 14, covered: 13 });
    expect(coverageOf([])).toBeNull();
  });
});

describe('the page of a run', () => {
  it('is its job’s, and none where that was deleted', () => {
    expect(jobPage({ job: { id: 'a', name: 'A' } })).toBe('/jobs/a');
    expect(jobPage({ job: null })).toBeNull();
  });
});
