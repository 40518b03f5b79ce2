import { describe, expect, test } from 'vitest';
import { describeError } from './describe-error.ts';

describe('an error in the log', () => {
  test('has no secret, wherever it stands in its message or a cause', () => {
    const cause = new Error('postgres://web:hunter2@127.0.0.1/x and lowrank_abcdefghijkl');
    const told = JSON.stringify(describeError(new Error('Authorization: Bearer abc.def and hf_abcdefghijkl', { cause })));
    expect(told).not.toMatch(/hunter2|abc\.def|abcdefghijkl/);
    expect(told).toContain('postgres://web:[redacted]@127.0.0.1/x');
  });

  test('has no value of a query or a row', () => {
    const error = Object.assign(new Error('Failed query: insert into users values ($1)\nparams: ada@example.org'), {
      code: '23505',
      constraint: 'users_email_key',
      detail: 'Key (email)=(ada@example.org) already exists.',
    });
    const told = describeError(error);
    expect(told).toMatchObject({ type: 'Error', code: '23505', constraint: 'users_email_key' });
    expect(JSON.stringify(told)).not.toContain('ada@example.org');
  });

  test('ends, however its causes are tied, and what is no error is a short text', () => {
    const error = new Error('round');
    error.cause = error;
    expect(JSON.stringify(describeError(error)).match(/"round"/g)).toHaveLength(5);
    expect(describeError('x'.repeat(10_000)).message).toHaveLength(500);
  });
});
