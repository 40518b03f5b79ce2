/** What a worker puts in order on its host: leases and processes of runs that are over, and folders of jobs that are gone. */
import { isTerminal } from '#/domain/statuses.ts';
import { readJobStates } from '#/services/jobs/read-run.ts';
import { readOpenLeases } from '#/services/machine/register-worker.ts';
import { collectGarbage } from '#/services/storage/collect-garbage.ts';
import { abandonRun } from './abandon-run.ts';
import { jobsWithFolders, pruneRunDirectory, removeRunDirectory } from './run-directory.ts';
import type { WorkerParts } from './worker-parts.ts';

/** Jobs asked for in one query. */
const JOBS_AT_ONCE = 500;

/** Ends runs of this host whose job no longer counts on them: settled from afar while the host was away, or restored away. */
export async function endStrayRuns(parts: WorkerParts, isHeld: (job_id: string) => boolean): Promise<void> {
  const runs = await readOpenLeases(parts.worker_id);
  for (const executor of Object.values(parts.executors)) runs.push(...(await executor.list()));
  const states = await readJobStates(runs.map((run) => run.job_id));
  for (const run of runs) {
    const state = states.get(run.job_id);
    const is_ours =
      state !== undefined && state.worker_id === parts.worker_id && state.attempt === run.attempt && !isTerminal(state.status);
    if (isHeld(run.job_id) || (is_ours && state.status !== 'queued')) continue;
    parts.log.warn({ job_id: run.job_id, attempt: run.attempt }, 'a run without a job is ended');
    await abandonRun(parts, run);
  }
}

/** Removes the folders of deleted jobs, and of settled ones what a crash left there. */
export async function collectRunFolders(isHeld: (job_id: string) => boolean): Promise<void> {
  const job_ids = await jobsWithFolders();
  for (let at = 0; at < job_ids.length; at += JOBS_AT_ONCE) {
    const some = job_ids.slice(at, at + JOBS_AT_ONCE);
    const states = await readJobStates(some);
    for (const job_id of some) {
      if (isHeld(job_id)) continue;
      const state = states.get(job_id);
      if (state === undefined || state.deleted_at !== null) await removeRunDirectory(job_id);
      else if (isTerminal(state.status))
        await pruneRunDirectory(job_id, { discard: state.discard_requested_at !== null, is_storing: state.is_storing });
    }
  }
}

/** Removes the files that nobody can reach any more. */
export async function collectFiles(parts: WorkerParts): Promise<void> {
  const { strange, ...removed } = await collectGarbage();
  if (strange) parts.log.error('the database knows none of the stored files: none is removed; see that it is the right database');
  else if (Object.values(removed).some((count) => count > 0)) parts.log.info(removed, 'files that nobody can reach are removed');
}
