import { describe, expect, test } from 'vitest';
import type { LogEntry } from './log-frames.ts';
import { beginOf, LOG_START, LogPlace, LogProgress, LogResume } from './log-place.ts';

const entry = (seconds: string, text: string, stream = 1): LogEntry => ({
  at: `2026-01-01T00:00:${seconds}Z`,
  stream,
  data: Buffer.from(text),
});
const words = (entries: LogEntry[]) => entries.map(({ data }) => data.toString());
/** What a copy that has come so far writes of a log from then on. */
const resume = (place: LogPlace, log: LogEntry[]) => {
  const resumed = new LogResume(place);
  const taken = [...log.map((one) => resumed.take(one)), resumed.rest()];
  return { words: words(taken.flatMap(({ entries }) => entries)), gap: taken.some(({ gap }) => gap) };
};
const placeAfter = (log: LogEntry[], place = LOG_START) => {
  const progress = new LogProgress(place);
  for (const one of log) progress.note(one);
  return progress.place;
};

// Entries of one moment, alike and not, of both streams, and one that stands before its time.
const LOG = [
  entry('01.000000001', 'a\n'),
  entry('01.000000001', 'a\n'),
  entry('01.000000001', 'a\n', 2),
  entry('01.000000001', 'b\n'),
  entry('01.000000001', 'a\n'),
  entry('02.5', 'c\n'),
  entry('02.4', 'd\n', 2),
  entry('03', 'e\n'),
  entry('09', 'a\n'),
];

describe('the copy of a container’s log', () => {
  test('goes on without a gap and without a line twice, wherever it was cut', () => {
    for (let cut = 0; cut <= LOG.length; cut++) {
      const place = LogPlace.parse(JSON.parse(JSON.stringify(placeAfter(LOG.slice(0, cut)))));
      expect([cut, resume(place, LOG)]).toEqual([cut, { words: words(LOG.slice(cut)), gap: false }]);
    }
  });

  test('goes on after it was cut again', () => {
    const again = placeAfter(LOG.slice(2, 5), placeAfter(LOG.slice(0, 2)));
    expect(again).toEqual(placeAfter(LOG.slice(0, 5)));
    expect(resume(again, LOG)).toEqual({ words: words(LOG.slice(5)), gap: false });
  });

  test('asks for the log from a second before its place, or from the start', () => {
    expect(beginOf(LOG_START)).toBe('');
    expect(beginOf({ at: '1970-01-01T00:00:10.25Z', seen: [] })).toBe('9.250000000');
    // Podman tells the time of its host.
    for (const at of ['1970-01-01T02:00:10.25+02:00', '1969-12-31T18:30:10.25-05:30'])
      expect(beginOf({ at, seen: [] })).toBe('9.250000000');
  });

  test('says that lines are missing where its place was rotated away, and takes what there is', () => {
    const place = placeAfter(LOG.slice(0, 5));
    expect(resume(place, LOG.slice(7))).toEqual({ words: ['e\n', 'a\n'], gap: true });
    // All that is left is younger, but not by much, and then the log ends.
    const late = placeAfter(LOG.slice(0, 6));
    expect(resume(late, [entry('02.9', 'f\n')])).toEqual({ words: ['f\n'], gap: true });
  });

  test('remembers as many entries as it needs, and no more', () => {
    const long = Array.from({ length: 1000 }, (_, at) => entry('01', `${at}\n`));
    const place = placeAfter(long);
    expect(place.seen).toHaveLength(64);
    expect(resume(place, [...long, entry('01', 'new\n')])).toEqual({ words: ['new\n'], gap: false });
  });
});
