import { expect, test } from 'vitest';
import { apiError } from './api.ts';
import { unplaced, violation } from './violation.ts';

const row = (path: string) => ({ path, message: `${path} is wrong`, code: 'wrong' });
const envelope = (details: unknown, violations?: unknown) => ({
  error: 'x',
  message: 'Broken',
  code: 'invalid_request',
  details,
  violations,
  request_id: 'r',
});

test('a rule is told at its field, whichever door the error came by', () => {
  expect(violation(apiError(400, envelope([row('email')])), 'email')).toBe('email is wrong');
  expect(violation(apiError(400, envelope('one sentence', [row('name')])), 'name')).toBe('name is wrong');
});

test('what no field shows is told as a whole, and nothing is told twice', () => {
  const error = apiError(400, envelope([row('email'), row('token')]));
  expect(unplaced(error, ['email', 'token'])).toBeNull();
  expect(unplaced(error, ['email'])).toBe('Broken');
  expect(unplaced(apiError(409, envelope([])), ['email'])).toBe('Broken');
});

test('an answer that is no envelope still becomes a sentence with its status and the time to wait', () => {
  const error = apiError(502, '<html>', '7');
  expect(error.message).toContain('502');
  expect(error.retry_after_s).toBe(7);
});
