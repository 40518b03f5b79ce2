import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '#/domain/app-error.ts';
import { type DatasetVerdict, FILE_CHANGED, judgeDataset, readDatasetReport, withoutReport } from '#/domain/dataset-report.ts';
import { sequenceLength } from '#/domain/planner.ts';
import {
  CHECK_LEASE_S,
  type CheckClaim,
  claimDatasetCheck,
  finishDatasetCheck,
  releaseDatasetCheck,
  renewDatasetCheck,
} from '#/services/datasets/check-claim.ts';
import { DATASET_FILE, type DatasetRow } from '#/services/datasets/dataset-row.ts';
import { modelFolder } from '#/services/models/model-folder.ts';
import { storage } from '#/storage/connect-storage.ts';
import { CHECK_FAILED, CHECK_TIMEOUT, CHECK_WITHIN_MS, FILE_MISSING } from './check-ends.ts';
import { inspectImages } from './inspect-images.ts';
import { log } from './log.ts';
import { isAway } from './patience.ts';
import { runPythonProgram } from './python-program.ts';

/** A check takes less than a hundredth of it; a chat template can ask for any amount. */
const CHECK_DATA_BYTES_MAX = 4 * 1024 ** 3;
const RENEW_MS = (CHECK_LEASE_S * 1000) / 3;
const MODEL_EXIT = 4;

/**
 * Checks the oldest dataset that waits for it with the trainer's own code; true when there was one. Two workers never
 * check the same one, and one whose checker was killed is taken up again.
 */
export async function inspectNextDataset(signal?: AbortSignal): Promise<boolean> {
  const claim = await claimDatasetCheck();
  if (claim === null) return false;
  const { dataset } = claim;
  const lost = new AbortController();
  const renewal = setInterval(() => {
    renewDatasetCheck(dataset).catch((error: unknown) => {
      // A database that is away for a while costs nothing; another holder, a new wish or a deletion ends the check.
      if (error instanceof AppError && error.code === 'fenced') lost.abort();
    });
  }, RENEW_MS);
  const ended = AbortSignal.any(signal === undefined ? [lost.signal] : [lost.signal, signal]);
  try {
    if (dataset.modality === 'image') await inspectImages(dataset, ended);
    else {
      const verdict = await check(claim, ended);
      if (verdict === null) await releaseDatasetCheck(dataset);
      else await finishDatasetCheck(dataset, verdict);
    }
  } catch (error) {
    // What is away costs the dataset none of its tries.
    clearInterval(renewal);
    if (isAway(error)) await releaseDatasetCheck(dataset).catch(() => undefined);
    if (!(error instanceof AppError && error.code === 'fenced')) throw error;
  } finally {
    clearInterval(renewal);
  }
  return true;
}

/** The verdict on a file, counted with the default model's tokenizer where there is one; null when it was broken off. */
async function check(claim: CheckClaim, signal: AbortSignal): Promise<DatasetVerdict | null> {
  const model = await tokenizerOf(claim.base_model_id);
  const counted = await inspect(claim.dataset, model, signal);
  // A default model that cannot be read says nothing about the dataset.
  if (counted === 'model') {
    const without = await inspect(claim.dataset, [], signal);
    return without === 'model' ? withoutReport(CHECK_FAILED) : without;
  }
  return counted;
}

async function inspect(dataset: DatasetRow, model: string[], signal: AbortSignal): Promise<DatasetVerdict | null | 'model'> {
  const { id, user_id, checksum } = dataset;
  const scratch = `check-${randomUUID()}`;
  try {
    const folder = await storage().stagingFolder(scratch);
    const report_path = join(folder, 'report.json');
    const dataset_path = await storage().fileOnDisk(user_id, id, DATASET_FILE, checksum ?? '', folder, signal);
    const end = await runPythonProgram({
      args: [
        ...['-m', 'lora_trainer.inspect', '--dataset', dataset_path],
        ...['--format', requestedFormat(dataset), '--mapping', JSON.stringify(dataset.mapping)],
        ...['--invalid-rows', dataset.invalid_rows, '--report', report_path, ...model],
      ],
      timeout_ms: CHECK_WITHIN_MS,
      data_bytes_max: CHECK_DATA_BYTES_MAX,
      signal,
    });
    if (signal.aborted) return null;
    if (end.ended_by === 'timeout') return withoutReport(CHECK_TIMEOUT);
    if (end.code === MODEL_EXIT) return 'model';
    const report = end.code === 0 ? readDatasetReport(await readFile(report_path, 'utf8')) : null;
    if (report !== null) return judgeDataset(report, dataset.checksum ?? '');
    log.error({ dataset_id: dataset.id, code: end.code, signal: end.signal, stderr: end.stderr }, 'dataset check failed');
    return withoutReport(CHECK_FAILED);
  } catch (error) {
    if (signal.aborted) return null;
    if (error instanceof AppError && error.code === 'not_found') return withoutReport(FILE_MISSING);
    if (error instanceof AppError && error.code === 'conflict') return withoutReport(FILE_CHANGED);
    throw error;
  } finally {
    await storage().removeStaging(scratch);
  }
}

function requestedFormat(dataset: DatasetRow): string {
  const { requested_format } = dataset.metadata;
  return typeof requested_format === 'string' ? requested_format : 'auto';
}

/** Arguments that have tokens counted as the default model's training would count them; none without such a model. */
async function tokenizerOf(base_model_id: string | null): Promise<string[]> {
  if (base_model_id === null) return [];
  try {
    const { path, context_length } = await modelFolder(base_model_id);
    return ['--model', path, '--max-seq-length', String(sequenceLength(context_length ?? Number.MAX_SAFE_INTEGER))];
  } catch (error) {
    if (error instanceof AppError && !isAway(error)) return [];
    throw error;
  }
}
