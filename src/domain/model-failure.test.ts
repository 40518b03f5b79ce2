import { describe, expect, test } from 'vitest';
import { FETCH_ERROR_CODES } from './hub-fetch.ts';
import { modelFailure } from './model-failure.ts';

const model = (status: string, status_reason: { code: string; message: string } | null) => ({
  name: 'a/b',
  status,
  status_reason,
});

describe('a base model that never came', () => {
  test.each(FETCH_ERROR_CODES)('for %s leaves a job with a code, a whole sentence and the next step to take', (code) => {
    const { message, hint } = modelFailure(model('error', { code, message: 'it is so' }));
    expect(message).toBe('Base model a/b could not be fetched: it is so.');
    expect(hint).toMatch(/^[A-Z].*\.$/);
  });

  test('is told apart: missing, gated, of a kind that is not trained, and out of reach', () => {
    const codes = ['model_not_found', 'gated_model', 'unsafe_model_format', 'hub_unreachable'].map(
      (code) => modelFailure(model('error', { code, message: 'so' })).code,
    );
    expect(codes).toEqual(['model_not_found', 'gated_model', 'bad_config', 'model_not_fetched']);
  });

  test('or came and cannot be trained, or was deleted, says so', () => {
    expect(modelFailure(model('ready', { code: 'x', message: 'it is an encoder' })).message).toContain(
      'cannot be trained: it is',
    );
    expect(modelFailure(model('fetching', null))).toMatchObject({
      code: 'model_not_found',
      message: expect.stringContaining('deleted'),
    });
  });
});
