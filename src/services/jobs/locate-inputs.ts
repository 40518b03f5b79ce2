import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { and, eq, isNull } from 'drizzle-orm';
import { modelArtifacts } from '#/db/schema/jobs.ts';
import { asScheduler } from '#/db/tenancy.ts';
import { AppError, type AppErrorCode } from '#/domain/app-error.ts';
import { PIPELINE_INDEX } from '#/domain/image-pipeline.ts';
import type { JobFailure } from '#/domain/job-state.ts';
import { bareFailure } from '#/domain/run-verdict.ts';
import { datasetFile } from '#/services/datasets/dataset-row.ts';
import { modelFolder } from '#/services/models/model-folder.ts';
import { storage } from '#/storage/connect-storage.ts';
import { inputsFolder } from '#/storage/run-folder.ts';
import type { HeldRun } from './read-run.ts';

export type Inputs = { dataset_path: string; base_model_path: string };

/** Where a run's dataset and base model lie on this host, brought there if need be, or why it cannot run without them. */
export async function locateInputs(run: HeldRun, signal?: AbortSignal): Promise<Inputs | JobFailure> {
  const dataset_path = await locateDataset(run, signal);
  if (typeof dataset_path !== 'string') return dataset_path;
  const base_model_path = await locateBaseModel(run, signal);
  return typeof base_model_path === 'string' ? { dataset_path, base_model_path } : base_model_path;
}

/** What may be there again after a while says nothing about the run. */
const PASSING: AppErrorCode[] = ['database_unavailable', 'storage_unavailable'];
const isPassing = (error: unknown): boolean => error instanceof AppError && PASSING.includes(error.code);

async function locateDataset(run: HeldRun, signal?: AbortSignal): Promise<string | JobFailure> {
  const { id, checksum } = run.dataset;
  try {
    const scratch = inputsFolder(run.job_id);
    const path = await storage().fileOnDisk(run.user_id, id, datasetFile(run.dataset), checksum ?? '', scratch, signal);
    await access(path, constants.R_OK);
    return path;
  } catch (error) {
    if (isPassing(error) || signal?.aborted) throw error;
    const code = error instanceof AppError ? error.code : null;
    if (code === 'not_found') return bareFailure('dataset_missing', 'The file of the dataset is not in the storage any more.');
    if (code === 'conflict')
      return bareFailure('dataset_changed', 'The file of the dataset in the storage is not the one that was uploaded.');
    if (code === 'storage_full') return bareFailure('disk_full', 'The disk had no room for the file of the dataset.');
    return bareFailure('data', 'The file of the dataset cannot be read any more.');
  }
}

/** Where a run's base model lies on this host, or why it cannot be read. */
export async function locateBaseModel(run: HeldRun, signal?: AbortSignal): Promise<string | JobFailure> {
  try {
    const { path } = await modelFolder(run.base_model.id, signal);
    const readable = (name: string) => access(join(path, name), constants.R_OK);
    await readable('config.json').catch(() => readable(PIPELINE_INDEX));
    return path;
  } catch (error) {
    if (isPassing(error) || signal?.aborted) throw error;
    if (error instanceof AppError && error.code === 'storage_full')
      return bareFailure('disk_full', 'The disk had no room for the files of the base model.');
    return bareFailure(
      'model_not_found',
      error instanceof AppError ? error.message : 'The folder of the base model cannot be read.',
    );
  }
}

/** Where the adapters lie that a run goes on from, with the sums of their weights, or why it cannot. */
export async function locateAdapters(
  run: HeldRun,
  artifact_ids: string[],
  signal?: AbortSignal,
): Promise<{ path: string; sha256: string }[] | JobFailure> {
  const found: { path: string; sha256: string }[] = [];
  for (const id of artifact_ids) {
    const [artifact] = await asScheduler((tx) =>
      tx
        .select({ sha256: modelArtifacts.sha256 })
        .from(modelArtifacts)
        .where(and(eq(modelArtifacts.id, id), eq(modelArtifacts.user_id, run.user_id), isNull(modelArtifacts.purged_at))),
    );
    if (artifact === undefined) return bareFailure('bad_config', 'The adapter that this training starts from is gone.');
    try {
      found.push({ path: await storage().folderOnDisk(run.user_id, id, signal), sha256: artifact.sha256 });
    } catch (error) {
      if (!(error instanceof AppError) || isPassing(error) || signal?.aborted) throw error;
      return bareFailure('bad_config', `The adapter that this training starts from cannot be read: ${error.message}.`);
    }
  }
  return found;
}
