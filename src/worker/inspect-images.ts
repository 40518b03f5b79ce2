import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import { AppError } from '#/domain/app-error.ts';
import { type DatasetVerdict, FILE_CHANGED, withoutReport } from '#/domain/dataset-report.ts';
import { CheckedImage, IMAGES_BYTES_MAX, judgeImages, readImageReport } from '#/domain/image-report.ts';
import { parseStorable } from '#/domain/storable-text.ts';
import {
  type CheckedImages,
  finishDatasetCheck,
  noteCheckProgress,
  releaseDatasetCheck,
  reserveCheckedBytes,
} from '#/services/datasets/check-claim.ts';
import { DATASET_FILE, type DatasetRow, imageFiles } from '#/services/datasets/dataset-row.ts';
import { storage } from '#/storage/connect-storage.ts';
import { CHECK_FAILED, CHECK_TIMEOUT, CHECK_WITHIN_MS, FILE_MISSING } from './check-ends.ts';
import { log } from './log.ts';
import { runPythonProgram } from './python-program.ts';

/** The largest picture that is decoded, with what becomes of it on the way, takes some 0.9 GB. */
const CHECK_DATA_BYTES_MAX = 2 * 1024 ** 3;
const Progress = z.tuple([z.coerce.number(), z.coerce.number()]).transform(([done, of]) => ({ done, of }));

interface Problem {
  code: string;
  message: string;
}

/** What the program found: the verdict, and the sum of the archive that it wrote, if it did. */
interface Found {
  verdict: DatasetVerdict;
  archive_sha256: string | null;
}

/**
 * Checks a dataset of images in a program of its own, which writes them anew; what it wrote is stored and takes the place of
 * what was uploaded. Where `signal` ends that, the claim is given back. Throws `fenced`, and what is away.
 */
export async function inspectImages(dataset: DatasetRow, signal: AbortSignal): Promise<void> {
  const scratch = `check-${randomUUID()}`;
  try {
    const folder = await storage().stagingFolder(scratch);
    const found = await inspect(dataset, folder, signal);
    if (found === null) return await releaseDatasetCheck(dataset);
    if (found.archive_sha256 === null) return await finishDatasetCheck(dataset, found.verdict);
    const kept = await keep(dataset, folder, found.archive_sha256);
    if (kept === null) return await finishDatasetCheck(dataset, withoutReport(NO_ROOM));
    await finishDatasetCheck(dataset, found.verdict, kept);
    await storage()
      .removeFile(dataset.user_id, dataset.id, DATASET_FILE)
      .catch((err: unknown) => log.error({ dataset_id: dataset.id, err }, 'an upload that was written anew is still there'));
  } finally {
    await storage().removeStaging(scratch);
  }
}

const NO_ROOM: Problem = {
  code: 'quota_exceeded',
  message: 'Written anew, its pictures do not fit into your quota: delete what you no longer need, then upload them again.',
};

const without = (problem: Problem): Found => ({ verdict: withoutReport(problem), archive_sha256: null });

/** Runs the program; null when it was broken off. */
async function inspect(dataset: DatasetRow, folder: string, signal: AbortSignal): Promise<Found | null> {
  const { id, user_id } = dataset;
  const checksum = dataset.checksum ?? '';
  const report_path = join(folder, 'report.json');
  try {
    const dataset_path = await storage().fileOnDisk(user_id, id, DATASET_FILE, checksum, folder, signal);
    const end = await runPythonProgram({
      args: [
        ...['-m', 'lora_trainer.inspect_images', '--dataset', dataset_path, '--folder', folder],
        ...['--invalid-rows', dataset.invalid_rows, '--bytes-max', String(IMAGES_BYTES_MAX)],
        ...['--report', report_path, '--progress'],
      ],
      timeout_ms: CHECK_WITHIN_MS,
      data_bytes_max: CHECK_DATA_BYTES_MAX,
      onLine: (line) => noteProgress(dataset, line),
      signal,
    });
    if (signal.aborted) return null;
    if (end.ended_by === 'timeout') return without(CHECK_TIMEOUT);
    const report = end.code === 0 ? readImageReport(await readFile(report_path, 'utf8')) : null;
    if (report !== null) {
      const verdict = judgeImages(report, checksum);
      return { verdict, archive_sha256: verdict.status === 'ready' ? report.archive_sha256 : null };
    }
    log.error({ dataset_id: id, code: end.code, signal: end.signal, stderr: end.stderr }, 'dataset check failed');
    return without(CHECK_FAILED);
  } catch (error) {
    if (signal.aborted) return null;
    if (error instanceof AppError && error.code === 'not_found') return without(FILE_MISSING);
    if (error instanceof AppError && error.code === 'conflict') return without(FILE_CHANGED);
    throw error;
  }
}

/** Notes how far the program is; what cannot be noted is made up by the next line. */
function noteProgress(dataset: DatasetRow, line: string): void {
  const told = Progress.safeParse(/^\{"done": (\d{1,9}), "of": (\d{1,9})\}$/.exec(line)?.slice(1));
  if (told.success) noteCheckProgress(dataset, told.data).catch(() => undefined);
}

/** Stores what the program wrote; null where that is more than the owner's quota leaves. */
async function keep(dataset: DatasetRow, folder: string, checksum: string): Promise<CheckedImages | null> {
  const { id, user_id } = dataset;
  const images: CheckedImage[] = [];
  for await (const line of createInterface({ input: createReadStream(join(folder, 'rows.jsonl')) }))
    images.push(CheckedImage.parse(parseStorable(line)));
  const names = imageFiles(checksum);
  const parts = [
    { path: join(folder, 'images.zip'), name: names.archive },
    { path: join(folder, 'thumbnails.bin'), name: names.thumbnails },
  ];
  const sizes = await Promise.all(parts.map(async ({ path }) => (await stat(path)).size));
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  if (!(await reserveCheckedBytes(dataset, bytes))) return null;
  const sums: string[] = [];
  for (const { path, name } of parts)
    sums.push((await storage().add(user_id, id, name, createReadStream(path), IMAGES_BYTES_MAX)).sha256);
  if (sums[0] !== checksum) throw new Error('what was stored of a check is not what it wrote');
  return { checksum, bytes, images };
}
