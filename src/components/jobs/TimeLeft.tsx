'use client';
import { formatDuration, formatExact } from '#/components/units.ts';
import type { TrainingJob } from '#/contract/jobs.ts';
import { isTerminal } from '#/domain/statuses.ts';
import { useJobHistory } from '#/hooks/useJobHistory.ts';
import { useNow } from '#/hooks/useNow.ts';
import { waitedBetweenRuns } from '#/hooks/waited-between-runs.ts';
import { isHeld } from './job-words.ts';

/** How long the run still takes, or took; hover shows when it ends or ended. `worded` says which of the two it is. */
export function TimeLeft({ job, worded = false }: { job: TrainingJob; worded?: boolean }) {
  const now = useNow(1_000);
  if (isTerminal(job.status)) {
    if (job.started_at === null || job.completed_at === null) return <span className="text-soft">–</span>;
    return (
      <span title={`Ended ${formatExact(Date.parse(job.completed_at))}`}>
        {formatDuration(Date.parse(job.completed_at) - Date.parse(job.started_at))}
        {worded && <span className="text-soft text-sm"> taken</span>}
      </span>
    );
  }
  if (job.estimated_completion_at === null || isHeld(job)) return <span className="text-soft">–</span>;
  const end = Date.parse(job.estimated_completion_at);
  if (end - now < 1000) return <span>any moment</span>;
  return (
    <span title={`Expected ${formatExact(end)}`}>
      {formatDuration(end - now)}
      {worded && <span className="text-soft text-sm"> left</span>}
    </span>
  );
}

/** Time in its runs, to their end or to where it was paused: what it waited in between does not count. */
export function Elapsed({ job }: { job: TrainingJob }) {
  const now = useNow(1_000);
  const has_waited = job.started_at !== null && (job.attempt > 1 || job.status === 'queued');
  const { data: history } = useJobHistory(job, has_waited);
  if (job.started_at === null || (has_waited && history === undefined)) return <span className="text-soft">–</span>;
  const stopped_at = job.completed_at ?? (isHeld(job) ? job.held_at : null);
  const from = Date.parse(job.started_at);
  const to = stopped_at === null ? now : Date.parse(stopped_at);
  const waited = has_waited ? waitedBetweenRuns(history ?? [], from, to) : 0;
  return <span title={`Started ${formatExact(from)}`}>{formatDuration(to - from - waited)}</span>;
}
