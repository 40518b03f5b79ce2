/** Judges a run that is over and settles its job: the last thing that happens to an attempt. */
import type { JobFailure } from '#/domain/job-state.ts';
import { isProbeOnly } from '#/domain/run-config.ts';
import type { RunExit } from '#/domain/run-exit.ts';
import { judgeRun, type RunEvidence } from '#/domain/run-verdict.ts';
import { isTerminal, type JobStatus } from '#/domain/statuses.ts';
import type { TrainerErrorCode } from '#/domain/trainer-events.ts';
import { completeRun, type Ending, settleRun } from '#/services/jobs/finish-run.ts';
import { noteStage } from '#/services/jobs/launch-run.ts';
import { type HeldRun, readJobStates, readLastWords } from '#/services/jobs/read-run.ts';
import { failpoint } from './failpoint.ts';
import { patiently, Stopped, unlessEnded } from './patience.ts';
import { type LastWord, publishAdapter, verifyAdapter, withdrawAdapter } from './publish-adapter.ts';
import { pruneRunDirectory, readLogTail } from './run-directory.ts';
import type { WorkerParts } from './worker-parts.ts';

export interface RunEnd {
  /** Null when the run was lost, or never launched. */
  exit: RunExit | null;
  lost_reason: string | null;
  /** Proved: its trainer never ran. */
  not_started: boolean;
  /** Why it could not even be launched. */
  failure?: JobFailure;
}

/**
 * Settles a run whose process tree is gone and whose events are all stored; `cancelled` is its user's wish, which may
 * still come. Safe to do again. Throws `fenced` and `Stopped`.
 */
export async function finishRun(parts: WorkerParts, run: HeldRun, end: RunEnd, cancelled: AbortSignal): Promise<void> {
  const status = await settle(parts, run, end, cancelled);
  parts.log.info({ job_id: run.job_id, attempt: run.attempt, status }, 'the run is settled');
  if (!isTerminal(status)) return;
  const state = (await patiently(parts, () => readJobStates([run.job_id]))).get(run.job_id);
  await pruneRunDirectory(run.job_id, {
    discard: state?.discard_requested_at != null,
    is_storing: state?.is_storing === true,
  });
  await failpoint('after_prune');
}

async function settle(parts: WorkerParts, run: HeldRun, end: RunEnd, cancelled: AbortSignal): Promise<JobStatus> {
  const close = async (ending: Ending) => {
    await failpoint('before_settle');
    const status = await patiently(parts, () => settleRun(run, ending, end.exit, parts.times.sweep_ms));
    await failpoint('after_settle_commit');
    return status;
  };
  if (end.failure !== undefined) return close({ type: 'failed', failure: end.failure });
  if (end.not_started) return close({ type: 'not_started' });
  const words = await patiently(parts, () => readLastWords(run));
  const log_tail = await readLogTail(run.job_id, run.attempt);
  const verdict = judgeRun({ ...end, cancel_requested: cancelled.aborted, ...lastWordsOf(words), log_tail });
  const { exit } = end;
  if (verdict.type !== 'done') return close(verdict);
  if (exit === null) throw new Error('a run without an exit record cannot be done');
  if (isProbeOnly(run.config)) return patiently(parts, () => completeRun(run, null, exit));
  await patiently(parts, () => noteStage(run, 'verifying'));
  const unfit = await verifyAdapter(parts, run, cancelled);
  if (cancelled.aborted) return close({ type: 'cancelled' });
  if (unfit !== null) return close({ type: 'failed', failure: unfit });
  await failpoint('after_verify');
  await patiently(parts, () => noteStage(run, 'publishing'));
  const ended = AbortSignal.any([parts.stopping, cancelled]);
  const artifact = await unlessEnded(ended, () => patiently(parts, () => publishAdapter(run, words, ended), cancelled));
  if (parts.stopping.aborted && artifact === null) throw new Stopped();
  if (artifact === null) {
    await withdrawAdapter(run);
    return close({ type: 'cancelled' });
  }
  if ('code' in artifact) return close({ type: 'failed', failure: artifact });
  const status = await patiently(parts, () => completeRun(run, artifact, exit));
  await failpoint('after_complete_commit');
  if (status !== 'completed') await withdrawAdapter(run);
  return status;
}

function lastWordsOf(words: (LastWord & { message: string | null })[]): Pick<RunEvidence, 'done' | 'error'> {
  const done = words.some((word) => word.type === 'done');
  const error = words.findLast((word) => word.type === 'error');
  if (error === undefined) return { done, error: null };
  const { code, hint, traceback } = error.data;
  return {
    done,
    error: {
      code: code as TrainerErrorCode,
      message: error.message ?? '',
      hint: String(hint ?? ''),
      traceback: typeof traceback === 'string' ? traceback : null,
    },
  };
}
