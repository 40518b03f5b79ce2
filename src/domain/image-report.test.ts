import { expect, test } from 'vitest';
import { judgeImages, leftOver, readImageReport } from './image-report.ts';

const SUM = 'a'.repeat(64);
const report = (changes: Record<string, unknown> = {}) =>
  readImageReport(
    JSON.stringify({
      ...{ modality: 'image', ready: true, problem: null, sha256: SUM, archive_sha256: SUM, rows_total: 4, rows_valid: 3 },
      ...{ rows_rejected: 1, rejected: [{ file: 'a.png', code: 'not_an_image', message: 'It is none.' }] },
      ...{ rejected_by_code: { not_an_image: 1 }, findings: [], warnings: [], duplicates: 0, images: 3, class_images: 0 },
      ...{
        samples_per_epoch: 30,
        formats: { JPEG: 3 },
        sides: { short: null, long: null },
        folders: [],
        folders_total: 0,
        buckets: {},
      },
      captions: { with: 0, without: 3, different: 0, sources: {}, clip_tokens_at_least: null },
      ...changes,
    }),
  );

test('a report becomes the row’s columns: what an epoch takes, and each refused file by its name', () => {
  const told = report();
  expect(told && judgeImages(told, SUM)).toMatchObject({
    status: 'ready',
    training_ready: true,
    format: 'images',
    num_samples: 4,
    total_training_pairs: 30,
    total_validation_pairs: 0,
    validation_errors: [{ line: null, file: 'a.png', code: 'not_an_image' }],
  });
});

test('refused pictures are told with the way out, and another file than was uploaded is none of ours', () => {
  const refused = report({ ready: false, problem: { code: 'rows_rejected', message: '1 of its files break a rule.' } });
  expect(refused && judgeImages(refused, SUM)).toMatchObject({
    status: 'error',
    training_ready: false,
    total_training_pairs: 0,
    validation_errors: [
      { code: 'rows_rejected', message: expect.stringContaining('set invalid_rows to skip') },
      { file: 'a.png' },
    ],
  });
  expect(refused && judgeImages(refused, 'b'.repeat(64)).validation_errors[0]?.code).toBe('checksum_mismatch');
  expect([readImageReport('{'), report({ images: -1 })]).toEqual([null, null]);
});

test('texts that no database stores are told with what is missing marked', () => {
  const finding = { file: 'q\u0000\ud800.png', code: 'caption_without_image', message: 'None.' };
  const told = report({ findings: [finding], formats: { 'J\u0000': 3 } });
  const verdict = told && judgeImages(told, SUM);
  expect(verdict?.findings).toEqual([{ ...finding, file: 'q\ufffd\ufffd.png' }]);
  expect(verdict?.statistics).toMatchObject({ formats: { 'J\ufffd': 3 } });
});

test('what does not fill a batch is counted bucket by bucket', () => {
  const bucket = (samples: number) => ({ width: 512, height: 512, images: 1, samples, enlarged: 0, cut_share: 0 });
  expect([leftOver([bucket(5), bucket(3)], 4), leftOver([bucket(8)], 4), leftOver([], 4)]).toEqual([4, 0, 0]);
});
