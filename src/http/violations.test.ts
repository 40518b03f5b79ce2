import { expect, test } from 'vitest';
import { z } from 'zod';
import { brokenRules, refusal } from './violations.ts';

test('no name and no rule that a caller sent makes a long answer', () => {
  const name = 'k'.repeat(100_000);
  const rows = Array.from({ length: 80 }, () => ({ path: name, message: `must not be ${name}`, code: 'invalid' }));
  const strict = z
    .strictObject({ deep: z.record(z.string(), z.strictObject({})) })
    .safeParse({ deep: { [name]: { [name]: 1 } } });
  const errors = [refusal(rows), brokenRules(strict.error?.issues ?? [], 'json')];
  for (const { message, details } of errors) {
    expect(details.length).toBeGreaterThan(0);
    expect(message.length).toBeLessThan(5_000);
    for (const row of details) expect(row.path.length + row.message.length).toBeLessThan(1_500);
  }
});

test('a row of usual length is told whole', () => {
  const row = { path: 'config.lora_rank', message: 'must be at most 128', code: 'too_big' };
  expect(refusal([row])).toMatchObject({ message: 'config.lora_rank must be at most 128', details: [row] });
});
