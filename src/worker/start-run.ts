/** From a fresh claim to a running trainer. */
import { ZodError } from 'zod';
import type { JobFailure } from '#/domain/job-state.ts';
import { configureAttempt, limitsOf, readStoredConfig } from '#/domain/run-config.ts';
import { bareFailure } from '#/domain/run-verdict.ts';
import { shortenPaths } from '#/domain/shorten-paths.ts';
import type { TrainerConfig } from '#/domain/trainer-config.ts';
import { noteResume } from '#/services/jobs/launch-run.ts';
import { locateAdapters, locateInputs } from '#/services/jobs/locate-inputs.ts';
import type { HeldRun } from '#/services/jobs/read-run.ts';
import { jobFolder } from '#/storage/run-folder.ts';
import { LaunchError, type RunImage, type RunPaths } from './executors/executor.ts';
import { failpoint } from './failpoint.ts';
import { patiently, Stopped, unlessEnded } from './patience.ts';
import { findCheckpoint, outputFolder, prepareRunDirectory } from './run-directory.ts';
import { runImage } from './run-image.ts';
import { executorOf, type WorkerParts } from './worker-parts.ts';

/**
 * Launches a freshly claimed run, once what it reads is on this host. Answers the failure when it cannot be, `away` when
 * it cannot be now, and `cancelled` when its user did not want it any more meanwhile; throws `fenced` and `Stopped`.
 */
export async function startRun(
  parts: WorkerParts,
  run: HeldRun,
  cancelled: AbortSignal,
): Promise<JobFailure | 'cancelled' | 'away' | null> {
  const ended = AbortSignal.any([parts.stopping, cancelled]);
  const executor = executorOf(parts, run);
  const configured = await unlessEnded(ended, () => patiently(parts, () => configure(parts, run, ended), cancelled));
  if (parts.stopping.aborted && configured === null) throw new Stopped();
  if (configured === null) return 'cancelled';
  if ('code' in configured) return configured;
  const checkpoint = await findCheckpoint(run.job_id);
  const paths: RunPaths = { ...configured.paths, resume_from: checkpoint?.path ?? null };
  const { resume_from } = executor.pathsInside(paths);
  await patiently(parts, () => noteResume(run, checkpoint?.step ?? null));
  try {
    await prepareRunDirectory({ ...configured.config, resume_from });
    await failpoint('after_run_directory');
    const devices = gpusOf(run);
    await executor.launch({
      job_id: run.job_id,
      attempt: run.attempt,
      devices,
      all_devices: devices.length > 0 && [...parts.compute_capabilities.keys()].every((uuid) => devices.includes(uuid)),
      image: configured.image,
      limits: limitsOf(run.config),
      paths,
    });
  } catch (error) {
    if (!(error instanceof LaunchError) || error.code !== 'engine_away') return launchFailure(error);
    parts.log.warn({ job_id: run.job_id, reason: error.message }, 'the run waits again: what starts it does not answer');
    return 'away';
  }
  await failpoint('after_launch');
  return null;
}

interface Configured {
  /** As the trainer finds things, but for the checkpoint. */
  config: TrainerConfig;
  /** As they lie on this host. */
  paths: RunPaths;
  /** What it names to live in; null is the executor's own choice. */
  image: RunImage | null;
}

async function configure(parts: WorkerParts, run: HeldRun, ended: AbortSignal): Promise<Configured | JobFailure> {
  const inputs = await locateInputs(run, ended);
  if ('code' in inputs) return inputs;
  const stored = readStoredConfig(run.config);
  if (!stored.success) return unreadable(stored.error);
  const adapters = await locateAdapters(run, stored.data.spec.run.adapters, ended);
  if ('code' in adapters) return adapters;
  const gpus = gpusOf(run);
  const paths: RunPaths = {
    ...inputs,
    init_adapters: adapters.map(({ path }) => path),
    resume_from: null,
    job_folder: jobFolder(run.job_id),
    output_path: outputFolder(run.job_id, run.attempt),
  };
  const inside = executorOf(parts, run).pathsInside(paths);
  try {
    const config = configureAttempt(stored.data, {
      job_id: run.job_id,
      attempt: run.attempt,
      ...inside,
      init_adapters: inside.init_adapters.map((path, at) => ({ path, sha256: adapters[at]?.sha256 ?? '' })),
      device: gpus.length === 0 ? 'cpu' : 'cuda',
      compute_capability: leastCapability(parts, gpus),
    });
    const image = await runImage(run, stored.data.spec.training_image_id, config);
    return image !== null && 'code' in image ? image : { config, paths, image };
  } catch (error) {
    if (error instanceof ZodError) return unreadable(error);
    throw error;
  }
}

/** The GPUs of a run as their driver knows them; none for a run on the CPU. */
const gpusOf = (run: HeldRun): string[] => run.devices.filter(({ kind }) => kind === 'gpu').map(({ uuid }) => uuid);

/** What every one of them can do; null where it is not known of one. */
function leastCapability(parts: WorkerParts, gpus: string[]): number | null {
  const known = gpus.map((uuid) => parts.compute_capabilities.get(uuid) ?? null);
  return known.reduce((least, one) => (least === null || one === null ? null : Math.min(least, one)), known[0] ?? null);
}

function unreadable({ issues: [issue] }: ZodError): JobFailure {
  return bareFailure('bad_config', `The job's stored configuration cannot be read: ${issue?.path.join('.')}: ${issue?.message}`);
}

/** What a launch that cannot be done says to the job’s owner. Throws what is no reason of a launch. */
export function launchFailure(error: unknown): JobFailure {
  if (error instanceof LaunchError) {
    // The system's and the wrapper's own words name folders of this machine.
    const said = shortenPaths(error.message);
    if (error.code === 'disk_full') return bareFailure('disk_full', 'The disk was full.');
    return bareFailure('launch_failed', `The run could not be started: ${said}`);
  }
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') return bareFailure('disk_full', 'The disk was full.');
  if (code !== undefined) return bareFailure('launch_failed', `The run's folder could not be made (${code}).`);
  throw error;
}
