import { expect, test } from 'vitest';
import { hashApiKey, isWellFormedApiKey, makeApiKey, prefixOfApiKey } from './api-key-format.ts';

test('keys are told from typing errors by themselves', () => {
  for (let i = 0; i < 200; i++) {
    const key = makeApiKey();
    expect(key).toMatch(/^lowrank_[0-9A-Za-z]{49}$/);
    expect(isWellFormedApiKey(key)).toBe(true);
    const at = 8 + (i % 49);
    const wrong = key[at] === 'x' ? 'y' : 'x';
    expect(isWellFormedApiKey(key.slice(0, at) + wrong + key.slice(at + 1))).toBe(false);
    expect(isWellFormedApiKey(` ${key}`)).toBe(false);
    expect(isWellFormedApiKey(`${key}\n`)).toBe(false);
  }
});

test('a key’s prefix and hash do not give its secret away', () => {
  const key = makeApiKey();
  expect(prefixOfApiKey(key)).toBe(key.slice(0, 14));
  expect(hashApiKey(key)).toMatch(/^[0-9a-f]{64}$/);
  expect(makeApiKey()).not.toBe(key);
});
