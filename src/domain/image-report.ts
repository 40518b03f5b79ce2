/** What `python -m lora_trainer.inspect_images` reports on a dataset of images, and what it means for the dataset's row. */
import * as z from 'zod';
import { DATASET_BYTES_MAX } from './constants.ts';
import { type DatasetVerdict, FILE_CHANGED, ImageFinding, REJECTED_MAX, withoutReport } from './dataset-report.ts';
import { parseStorable } from './storable-text.ts';

/** How a dataset of images names the shape of its rows. */
export const IMAGES_FORMAT = 'images';
/** What the archive that is trained from may have; a bucket of object storage takes no larger file. */
export const IMAGES_BYTES_MAX = DATASET_BYTES_MAX;

const SHA256 = /^[0-9a-f]{64}$/;
const count = z.int().min(0);
const size = z.int().min(1);
const Spread = z.object({ min: count, median: count, max: count }).nullable();

/** The images of one aspect bucket. */
const Bucket = z.object({
  width: size,
  height: size,
  images: count,
  /** Images, each as often as an epoch takes it. */
  samples: count,
  /** Images that are smaller than the bucket. */
  enlarged: count,
  /** Mean share of an image, 0 to 1, that its bucket cuts off. */
  cut_share: z.number().min(0).max(1),
});
export type ImageBucket = z.infer<typeof Bucket>;

const Report = z.object({
  modality: z.literal('image'),
  ready: z.boolean(),
  problem: z.object({ code: z.string(), message: z.string() }).nullable(),
  sha256: z.string(),
  /** Of the archive that was written; null where none was. */
  archive_sha256: z.string().regex(SHA256).nullable(),
  rows_total: count,
  rows_valid: count,
  rows_rejected: count,
  rejected: z.array(ImageFinding).max(REJECTED_MAX),
  rejected_by_code: z.record(z.string(), count),
  findings: z.array(ImageFinding).max(1000),
  warnings: z.array(z.object({ code: z.string(), count, message: z.string() })).max(100),
  duplicates: count,
  images: count,
  class_images: count,
  samples_per_epoch: count,
  formats: z.record(z.string(), count),
  sides: z.object({ short: Spread, long: Spread }),
  captions: z.object({
    with: count,
    without: count,
    different: count,
    sources: z.record(z.string(), count),
    clip_tokens_at_least: Spread,
  }),
  folders: z.array(z.object({ folder: z.string(), repeats: size, is_class: z.boolean(), images: count })).max(100),
  folders_total: count,
  buckets: z.record(z.string(), z.array(Bucket)),
});
export type ImageReport = z.infer<typeof Report>;

/** One image, as the check's list has it. */
export const CheckedImage = z.object({
  n: size,
  file: z.string().min(1).max(400),
  caption: z.string().max(4000).nullable(),
  width: size,
  height: size,
  bytes: size,
  repeats: size,
  is_class: z.boolean(),
  sha256: z.string().regex(SHA256),
  thumbnail_offset: count,
  thumbnail_length: size,
});
export type CheckedImage = z.infer<typeof CheckedImage>;

/** The report in a file's text, or null when it is none; its row can be stored whatever texts the dataset has. */
export function readImageReport(text: string): ImageReport | null {
  try {
    return Report.safeParse(parseStorable(text)).data ?? null;
  } catch {
    return null;
  }
}

/** Turns a report into the row's columns. `checksum` is the sum that the upload had when it was stored. */
export function judgeImages(report: ImageReport, checksum: string): DatasetVerdict {
  if (report.sha256 !== checksum) return withoutReport(FILE_CHANGED);
  const { rejected, findings, archive_sha256: _, ...statistics } = report;
  const found = rejected.map((finding) => ({ line: null, ...finding, excerpt: '' }));
  return {
    status: report.ready ? 'ready' : 'error',
    format: IMAGES_FORMAT,
    num_samples: report.rows_total,
    // What an epoch takes; nothing is held out.
    total_training_pairs: report.ready ? report.samples_per_epoch : 0,
    total_validation_pairs: 0,
    total_tokens: null,
    avg_turns_per_conversation: null,
    avg_tokens_per_turn: null,
    training_ready: report.ready,
    validation_errors: [...wholeUpload(report), ...found],
    findings,
    statistics: { ...statistics, num_splits: 1, splits: { train: { rows: report.images } } },
    sample_data: [],
  };
}

/** What is wrong with the upload as a whole, with the way out. */
function wholeUpload({ problem, rows_valid }: ImageReport): DatasetVerdict['validation_errors'] {
  if (problem === null) return [];
  const mend =
    problem.code === 'rows_rejected' && rows_valid > 0
      ? `Mend them and upload all again, or set invalid_rows to skip to train on the other ${rows_valid}.`
      : 'Mend it and upload it again.';
  return [{ line: null, code: problem.code, message: `${problem.message} ${mend}`, excerpt: '' }];
}

/** Samples that do not fill a batch, over all buckets: a batch holds images of one bucket only. */
export function leftOver(buckets: readonly ImageBucket[], batch_size: number): number {
  return buckets.reduce((sum, { samples }) => sum + (samples % batch_size), 0);
}
