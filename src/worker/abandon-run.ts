import { releaseDevice } from '#/services/jobs/finish-run.ts';
import type { RunHandle } from './executors/executor.ts';
import { patiently, pauseUnlessStopped } from './patience.ts';
import { type WorkerParts, watchMs } from './worker-parts.ts';

/** Kills what is left of a run until nothing is: only then may its job be settled and its device given out again. */
export async function clearRun(parts: WorkerParts, handle: RunHandle): Promise<void> {
  while (!(await parts.executor.clear(handle))) await pauseUnlessStopped(parts, 10);
}

/** Ends a run whose job is settled, or somebody else's by now, and gives its device back. Writes nothing of the job. */
export async function abandonRun(parts: WorkerParts, run: { job_id: string; attempt: number }): Promise<void> {
  const { executor, times } = parts;
  const handle: RunHandle = { executor: 'process', job_id: run.job_id, attempt: run.attempt };
  await executor.forbid(handle);
  if ((await executor.observe(handle)).phase === 'running') {
    await executor.stop(handle, times.grace_ms, 'fenced');
    while ((await executor.observe(handle)).phase === 'running') await pauseUnlessStopped(parts, watchMs(times));
  }
  await clearRun(parts, handle);
  await patiently(parts, () => releaseDevice(run));
}
