import { releaseDevice } from '#/services/jobs/finish-run.ts';
import { quarantineUndying } from '#/services/machine/quarantine-device.ts';
import type { RunHandle } from './executors/executor.ts';
import { patiently, pauseUnlessStopped } from './patience.ts';
import { attempt } from './steady.ts';
import { executorOf, type WorkerParts, watchMs } from './worker-parts.ts';

/** Between two tries to kill what is left of a run, at first. */
const FIRST_PAUSE_MS = 10;

/**
 * Kills what is left of a run until nothing is: only then may its job be settled and its device given out again. What
 * cannot be killed keeps both for as long as it lives.
 */
export async function clearRun(parts: WorkerParts, handle: RunHandle): Promise<void> {
  const executor = executorOf(parts, handle);
  const complain = undying(parts, handle);
  let pause_ms = FIRST_PAUSE_MS;
  while (!(await executor.clear(handle))) {
    complain();
    await pauseUnlessStopped(parts, pause_ms);
    pause_ms = Math.min(2 * pause_ms, parts.times.sweep_ms / 5);
  }
}

/** To be called while a run is to end: says once, after twice the grace, that it does not, in the log and of its devices. */
export function undying(parts: WorkerParts, handle: RunHandle): () => void {
  let since: number | undefined;
  let said = false;
  return () => {
    since ??= performance.now();
    if (said || performance.now() - since < 2 * parts.times.grace_ms) return;
    said = true;
    parts.log.error(
      { job_id: handle.job_id, attempt: handle.attempt },
      'the run does not die: its device is kept back until its last process is gone',
    );
    // Not waited for: the lease keeps the devices back, whether or not they say so.
    void attempt(parts, () => patiently(parts, () => quarantineUndying(parts.worker_id, handle)));
  };
}

/** Ends a run whose job is settled, or somebody else's by now, and gives its device back. Writes nothing of the job. */
export async function abandonRun(parts: WorkerParts, run: RunHandle): Promise<void> {
  const { times } = parts;
  const executor = executorOf(parts, run);
  const handle: RunHandle = { executor: run.executor, job_id: run.job_id, attempt: run.attempt };
  await executor.forbid(handle);
  const isThere = async () => ['running', 'away'].includes((await executor.observe(handle)).phase);
  if (await isThere()) {
    await executor.stop(handle, times.grace_ms, 'fenced');
    const complain = undying(parts, handle);
    while (await isThere()) {
      complain();
      await pauseUnlessStopped(parts, watchMs(times));
    }
  }
  await clearRun(parts, handle);
  await patiently(parts, () => releaseDevice(run));
}
