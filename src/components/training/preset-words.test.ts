import { expect, test } from 'vitest';
import { presetAdvice } from './preset-words.ts';

test('the presets name the models that they are for, and a tiny one what it wants instead', () => {
  const general = 'The presets are for models of a billion parameters; smaller ones want a higher learning rate.';
  expect(presetAdvice(undefined)).toBe(general);
  expect(presetAdvice({ name: 'a', params_b: null })).toBe(general);
  expect(presetAdvice({ name: 'smollm-135m', params_b: 0.135 })).toBe(general);
  expect(presetAdvice({ name: 'demo', params_b: 0.0037 })).toMatch(
    /demo has about 4 million.*learns next to nothing.*1e-3 to 5e-3/,
  );
});
