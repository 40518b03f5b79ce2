import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { and, eq, isNull } from 'drizzle-orm';
import { modelArtifacts } from '#/db/schema/jobs.ts';
import { asScheduler } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import type { JobFailure } from '#/domain/job-state.ts';
import { bareFailure } from '#/domain/run-verdict.ts';
import { DATASET_FILE } from '#/services/datasets/dataset-row.ts';
import { modelFolder } from '#/services/models/model-folder.ts';
import { storage } from '#/storage/connect-storage.ts';
import type { HeldRun } from './read-run.ts';

export type Inputs = { dataset_path: string; base_model_path: string };

/** Where a run's dataset and base model lie on this host, or why it cannot run without them. */
export async function locateInputs(run: HeldRun): Promise<Inputs | JobFailure> {
  const dataset_path = join(await storage().localPath(run.user_id, run.dataset.id), DATASET_FILE);
  try {
    await access(dataset_path, constants.R_OK);
  } catch {
    return bareFailure('data', 'The file of the dataset cannot be read any more.');
  }
  try {
    const { path } = await modelFolder(run.base_model.id);
    await access(join(path, 'config.json'), constants.R_OK);
    return { dataset_path, base_model_path: path };
  } catch (error) {
    if (error instanceof AppError && error.code === 'database_unavailable') throw error;
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
    found.push({ path: await storage().localPath(run.user_id, id), sha256: artifact.sha256 });
  }
  return found;
}
