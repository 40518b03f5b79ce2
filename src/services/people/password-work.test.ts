import { expect, test } from 'vitest';
import { inTurn } from './password-work.ts';

test('two at once work, twenty wait in order, the next is told to come back, and every place is free again', async () => {
  const gate = Promise.withResolvers<void>();
  const began: number[] = [];
  const flood = Array.from({ length: 25 }, (_, i) =>
    inTurn(async () => {
      began.push(i);
      await gate.promise;
      if (i % 2 === 1) throw new Error('wrong password');
    }),
  );
  const settled = Promise.allSettled(flood);
  for (const late of flood.slice(22)) await expect(late).rejects.toMatchObject({ code: 'rate_limited', retry_after_s: 5 });
  expect(began).toEqual([0, 1]);
  gate.resolve();
  const ends = await settled;
  expect(began).toEqual(Array.from({ length: 22 }, (_, i) => i));
  expect(ends.slice(0, 22).map((end) => end.status)).toEqual(Array.from({ length: 11 }, () => ['fulfilled', 'rejected']).flat());
  expect(await Promise.all(Array.from({ length: 22 }, (_, i) => inTurn(async () => i)))).toHaveLength(22);
});
