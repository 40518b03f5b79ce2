import { describe, expect, test } from 'vitest';
import { type JudgedDataset, judgeCompatibility, shareLongerThan } from './dataset-compatibility.ts';

const DATASET: JudgedDataset = {
  name: 'Rows',
  status: 'ready',
  training_ready: true,
  modality: 'text',
  format: 'chat',
  num_samples: 20_000,
  statistics: { rows_valid: 100, tokens: { max: 100, buckets: [{ up_to: 128, rows: 100 }] } },
};
const MODEL = { name: 'tiny', modality: 'text', context_length: 512, has_chat_template: true };

describe('a dataset', () => {
  test('that is checked, of the model’s kind and short enough has nothing against it', () => {
    expect(judgeCompatibility(DATASET, MODEL)).toEqual({ compatible: true, warnings: [], errors: [] });
  });

  test.each<[string, Partial<JudgedDataset>, RegExp]>([
    ['failed its check', { status: 'error', training_ready: false }, /did not pass its check/],
    ['still arrives', { status: 'uploading', training_ready: false }, /not checked yet \(uploading\)/],
    ['has no row to train on', { training_ready: false }, /no row to train on/],
    ['is of images', { modality: 'image' }, /modality image/],
  ])('that %s trains nothing, and says so once', (_, fields, error) => {
    const judged = judgeCompatibility({ ...DATASET, ...fields }, MODEL);
    expect(judged).toMatchObject({ compatible: false, errors: [expect.stringMatching(error)] });
  });

  test.each(['chat', 'sharegpt', 'alpaca', 'prompt_completion', 'text'])(
    'of %s needs a chat template only for turns',
    (format) => {
      const { compatible } = judgeCompatibility({ ...DATASET, format }, { ...MODEL, has_chat_template: false });
      expect(compatible).toBe(format === 'prompt_completion' || format === 'text');
    },
  );

  test('that is small, uncounted or too long is trained all the same, with a word of warning', () => {
    const warnings = (fields: Partial<JudgedDataset>, model = MODEL) => {
      const judged = judgeCompatibility({ ...DATASET, ...fields }, model);
      expect(judged.compatible).toBe(true);
      return judged.warnings;
    };
    expect(warnings({ num_samples: 9_999 })).toEqual([expect.stringMatching(/small: 9999 samples/)]);
    expect(warnings({ statistics: {} })).toEqual([expect.stringMatching(/not counted/)]);
    expect(warnings({}, { ...MODEL, context_length: 64 })).toEqual([expect.stringMatching(/100 % .* longer than 64 tokens/)]);
    expect(warnings({}, { ...MODEL, context_length: null } as never)).toEqual([expect.stringMatching(/not known/)]);
  });
});

describe('the share of rows that are cut', () => {
  const tokens = {
    max: 1000,
    buckets: [
      { up_to: 256, rows: 50 },
      { up_to: 512, rows: 30 },
      { up_to: 1024, rows: 20 },
    ],
  };
  const statistics = { rows_valid: 100, tokens };
  test.each([
    [1000, 0],
    [2048, 0],
    [768, 0.1],
    [512, 0.2],
    [384, 0.35],
    [256, 0.5],
    [1, 1],
  ])('at %i tokens is %d', (limit, share) => expect(shareLongerThan(statistics, limit)).toBeCloseTo(share, 1));

  test('is the counted one where it was counted for this length, and unknown where nobody counted', () => {
    expect(shareLongerThan({ ...statistics, rows_over_max_seq_length: 7, max_seq_length: 512 }, 512)).toBe(0.07);
    expect(shareLongerThan({ rows_valid: 100, tokens: null }, 512)).toBeNull();
    expect(shareLongerThan({}, 512)).toBeNull();
  });
});
