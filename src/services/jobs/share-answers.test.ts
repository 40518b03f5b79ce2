import { describe, expect, test, vi } from 'vitest';
import { shareAnswers } from './share-answers.ts';

describe('shared answers', () => {
  test('are asked for once by all who come while they are on their way, and shortly after', async () => {
    vi.useFakeTimers();
    try {
      const share = shareAnswers<number>(200);
      let asked = 0;
      const ask = async () => ++asked;
      expect(await Promise.all([share('a', ask), share('a', ask), share('b', ask)])).toEqual([1, 1, 2]);
      await vi.advanceTimersByTimeAsync(199);
      expect(await share('a', ask)).toBe(1);
      await vi.advanceTimersByTimeAsync(1);
      expect(await share('a', ask)).toBe(3);
    } finally {
      vi.useRealTimers();
    }
  });

  test('that fail are told to those who wait, and the next one asks again', async () => {
    const share = shareAnswers<number>(200);
    let asked = 0;
    const ask = async () => {
      asked += 1;
      if (asked === 1) throw new Error('away');
      return asked;
    };
    expect(await Promise.allSettled([share('a', ask), share('a', ask)])).toMatchObject([
      { reason: { message: 'away' } },
      { reason: { message: 'away' } },
    ]);
    expect(await share('a', ask)).toBe(2);
  });
});
