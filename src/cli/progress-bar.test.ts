import { describe, expect, test } from 'vitest';
import { formatDuration, openProgressLine, renderProgress } from './progress-bar.ts';

describe('a line of progress', () => {
  test('never exceeds the terminal and says stage, share, count, note and time left', () => {
    const progress = { stage: 'training', done: 50, total: 200, count: 'step 50/200', note: 'loss 1.250', eta_s: 65 };
    expect(renderProgress(progress, 200)).toBe(
      `training          ${'█'.repeat(6)}${'░'.repeat(18)}   25 %  step 50/200  loss 1.250  1 min 05 s left`,
    );
    expect(renderProgress(progress, 40).length).toBeLessThan(40);
  });

  test('is no bar at all while nothing can be counted', () => {
    expect(renderProgress({ stage: 'checking', done: 0, total: 0, count: 'rows.jsonl' }, 100)).toBe(
      'checking          …  rows.jsonl',
    );
  });

  test('away from a terminal each tenth is told once', () => {
    const lines: string[] = [];
    const out = { isTTY: false, write: (text: string) => lines.push(text) } as unknown as NodeJS.WriteStream;
    const line = openProgressLine(out);
    for (let done = 0; done <= 100; done++) line.show({ stage: 'upload', done, total: 100, count: '' });
    expect(lines).toHaveLength(11);
  });

  test.each([
    [0.4, '0 s'],
    [59.6, '1 min 00 s'],
    [3661, '1 h 01 min'],
    [-5, '0 s'],
  ])('%s seconds read %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });
});
