import { expect, test } from 'vitest';
import { readNumber } from './read-number.ts';
import { type ChosenForm, changedFields, formErrors, preselected, presetValues, submission } from './training-form.ts';

const form = (over: Partial<ChosenForm> = {}): ChosenForm => ({
  dataset_id: 'd',
  base_model_id: 'm',
  preset_id: 'fast',
  values: presetValues('fast'),
  max_steps: '',
  max_seq_length: '',
  gpu_type: '',
  gpu_count: 1,
  name: '',
  ...over,
});

test('an untouched preset is submitted by its name alone', () => {
  expect(formErrors(form())).toEqual({});
  expect(submission(form())).toEqual({ dataset_id: 'd', base_model_id: 'm', preset_id: 'fast', hyperparameters: {} });
});

test('only what differs from the preset is sent, as numbers', () => {
  const changed = form({
    values: { ...presetValues('fast'), learning_rate: '2e-4', epochs: ' 3 ' },
    max_steps: '40',
    name: ' Try ',
  });
  expect(changedFields(changed)).toEqual(['learning_rate', 'epochs']);
  expect(submission(changed)).toMatchObject({ hyperparameters: { learning_rate: 2e-4, epochs: 3 }, max_steps: 40, name: 'Try' });
});

test('each broken number is told at its own field', () => {
  const values = { ...presetValues('fast'), learning_rate: '1', batch_size: '2.5', rank: 'ten', dropout: '' };
  expect(Object.keys(formErrors(form({ values, max_steps: '0' }))).sort()).toEqual([
    'batch_size',
    'dropout',
    'learning_rate',
    'max_steps',
    'rank',
  ]);
});

test('devices that cannot share a batch are told at their number, with those that can', () => {
  expect(formErrors(form({ gpu_count: 3 }))).toEqual({
    gpu_count: expect.stringMatching(/8 rows does not divide among 3 GPUs: take 2/),
  });
  expect(formErrors(form({ gpu_count: 8 }))).toEqual({});
});

test('numbers are read as people write them, and nothing else is', () => {
  expect(['1e-4', '0,5', ' 8 ', '.5'].map(readNumber)).toEqual([1e-4, 0.5, 8, 0.5]);
  expect(['', '0x10', 'Infinity', '1 000', '1,2,3', 'NaN'].map(readNumber)).toEqual(Array(6).fill(Number.NaN));
});

test('the default model is chosen before anybody chose, else the only one, and none where that is open', () => {
  const [one, other] = [{ id: 'a' }, { id: 'b' }];
  expect(preselected([one, other], 'b')).toBe('b');
  expect(preselected([one], null)).toBe('a');
  expect(preselected([one, other], null)).toBe('');
  // The default may have been deleted, or still be on its way.
  expect(preselected([one, other], 'gone')).toBe('');
});
