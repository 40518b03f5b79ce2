/** From a trainer that is done to a whole, checked, recorded adapter. Each step may be done again after a crash. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { ADAPTER_WEIGHTS, adapterLibrary } from '#/domain/adapter-weights.ts';
import { AppError } from '#/domain/app-error.ts';
import type { JobFailure } from '#/domain/job-state.ts';
import { mapStrings } from '#/domain/map-strings.ts';
import { bareFailure } from '#/domain/run-verdict.ts';
import { shortenPaths } from '#/domain/shorten-paths.ts';
import { env } from '#/env.ts';
import type { NewArtifact } from '#/services/jobs/finish-run.ts';
import { locateBaseModel } from '#/services/jobs/locate-inputs.ts';
import type { HeldRun } from '#/services/jobs/read-run.ts';
import { storage } from '#/storage/connect-storage.ts';
import { storageKey } from '#/storage/storage.ts';
import { failpoint } from './failpoint.ts';
import { isAway, patiently, Stopped } from './patience.ts';
import { runPythonProgram } from './python-program.ts';
import { outputFolder, readPassport } from './run-directory.ts';
import type { WorkerParts } from './worker-parts.ts';

const VERIFY_WITHIN_MS = 30 * 60_000;
const VERIFY_BYTES_MAX = 64 * 1024;

export interface LastWord {
  type: string;
  data: Record<string, unknown>;
}

/** The artifact of an attempt is the same however often its end is worked through. */
function artifactId(run: HeldRun): string {
  const hex = createHash('sha256').update(`artifact ${run.job_id} ${run.attempt}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** Loads the adapter onto its base in a fresh process; the failure when it does not fit. Throws `Stopped`. */
export async function verifyAdapter(parts: WorkerParts, run: HeldRun, cancelled: AbortSignal): Promise<JobFailure | null> {
  const base = await patiently(parts, () => locateBaseModel(run));
  if (typeof base !== 'string') return base;
  const program = env.LOWRANK_TRAINER === undefined ? ['-m', 'lora_trainer.verify'] : [env.LOWRANK_TRAINER, '--verify'];
  const words: string[] = [];
  const end = await runPythonProgram({
    args: [...program, '--base', base, '--adapter', join(outputFolder(run.job_id, run.attempt), 'adapter')],
    timeout_ms: VERIFY_WITHIN_MS,
    onLine: (line) => words.push(line),
    output_bytes_max: VERIFY_BYTES_MAX,
    signal: AbortSignal.any([parts.stopping, cancelled]),
  });
  if (parts.stopping.aborted) throw new Stopped();
  if (end.code === 0) return null;
  const failure = bareFailure('internal', 'The adapter that the training wrote does not load onto its base model.');
  return { ...failure, stack: shortenPaths([...words, end.stderr].join('\n')).trim() || null };
}

/** Puts the adapter into storage, whole, and describes it for its row. What lies there must be what the trainer said it wrote. */
export async function publishAdapter(run: HeldRun, words: LastWord[], signal?: AbortSignal): Promise<NewArtifact | JobFailure> {
  const id = artifactId(run);
  const folder = join(outputFolder(run.job_id, run.attempt), 'adapter');
  let files: NewArtifact['files'];
  try {
    files = await storage().publishFolder(run.user_id, id, folder, signal);
  } catch (error) {
    if (isAway(error)) throw error;
    if (error instanceof AppError && error.code === 'storage_full')
      return bareFailure('disk_full', 'The disk was full when the adapter was stored.');
    if (error instanceof AppError) return bareFailure('internal', `The adapter could not be stored: ${error.message}.`);
    throw error;
  }
  await failpoint('after_publish');
  const told = words.filter((word) => word.type === 'artifact' && word.data.kind === 'adapter');
  const library = adapterLibrary(files);
  const weights = library === null ? undefined : files.find((file) => file.path === ADAPTER_WEIGHTS[library]);
  const whole = told.every((word) =>
    files.some((file) => `adapter/${file.path}` === word.data.path && file.sha256 === word.data.sha256),
  );
  if (weights === undefined || told.length === 0 || !whole) {
    await withdrawAdapter(run);
    return bareFailure('internal', 'The adapter on the disk is not the one that the trainer said it wrote.');
  }
  const summary = words.findLast((word) => word.type === 'done')?.data.summary;
  const training_summary = (typeof summary === 'object' && summary !== null ? summary : {}) as Record<string, unknown>;
  const { final_loss, eval_loss, best_eval_loss } = training_summary;
  return {
    id,
    name: run.name,
    storage_path: storageKey(run.user_id, id),
    files,
    sha256: weights.sha256,
    size: files.reduce((sum, file) => sum + file.bytes, 0),
    training_summary,
    quality_metrics: { final_loss, eval_loss, best_eval_loss },
    passport: mapStrings(await readPassport(run.job_id, run.attempt), shortenPaths) as Record<string, unknown>,
  };
}

/** Takes an adapter out of storage that has no row. Left there by a storage that is away, it is collected later. */
export async function withdrawAdapter(run: HeldRun): Promise<void> {
  await storage()
    .remove(run.user_id, artifactId(run))
    .catch((error: unknown) => {
      if (!isAway(error)) throw error;
    });
}
