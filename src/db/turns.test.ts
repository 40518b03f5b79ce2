import { expect, test } from 'vitest';
import { turns } from './turns.ts';

const late = () => new Error('late');

test('so many of one key go on at once and the rest in their order; another key waits for nobody', async () => {
  const take = turns(2, 60_000, late);
  const began: string[] = [];
  const ends = new Map<string, () => void>();
  const work = (key: string, name: string) =>
    take(key, () => {
      began.push(name);
      return new Promise<string>((resolve) => ends.set(name, () => resolve(name)));
    });
  const works = [work('a', 'a1'), work('a', 'a2'), work('a', 'a3'), work('a', 'a4'), work('b', 'b1')];
  expect(began).toEqual(['a1', 'a2', 'b1']);
  ends.get('a2')?.();
  await works[1];
  await expect.poll(() => began).toEqual(['a1', 'a2', 'b1', 'a3']);
  ends.get('a1')?.();
  await expect.poll(() => began).toEqual(['a1', 'a2', 'b1', 'a3', 'a4']);
  for (const name of ['a3', 'a4', 'b1']) ends.get(name)?.();
  expect(await Promise.all(works)).toEqual(['a1', 'a2', 'a3', 'a4', 'b1']);
  expect(await take('a', async () => 'again')).toBe('again');
});

test('a work that fails gives its place on', async () => {
  const take = turns(1, 60_000, late);
  const failing = take('a', () => Promise.reject(new Error('broken')));
  const next = take('a', async () => 'done');
  await expect(failing).rejects.toThrow('broken');
  expect(await next).toBe('done');
});

test('whoever waits too long is told, and takes no place', async () => {
  const take = turns(1, 20, late);
  let end = () => {};
  const first = take('a', () => new Promise<void>((resolve) => (end = resolve)));
  await expect(take('a', async () => 'never')).rejects.toThrow('late');
  end();
  await first;
  expect(await take('a', async () => 'free')).toBe('free');
});
