'use client';
import { classNames } from '#/components/class-names.ts';
import { LinkedRow, RowHeads } from '#/components/ui/LinkedRows.tsx';
import { Time } from '#/components/ui/Time.tsx';
import { formatCount, formatFigure } from '#/components/units.ts';
import type { TrainingJob } from '#/contract/jobs.ts';
import { isTerminal } from '#/domain/statuses.ts';
import { JobProgress } from './JobProgress.tsx';
import { metric, stageWords } from './job-words.ts';
import { StatusBadge } from './StatusBadge.tsx';
import { TimeLeft } from './TimeLeft.tsx';

const COLUMNS = 'lg:grid-cols-[minmax(0,2.4fr)_7.5rem_minmax(11rem,1.6fr)_8.5rem_4.5rem_6rem]';

/** Jobs as rows: columns where there is room, stacked lines on a narrow screen. The whole row leads to the job. */
export function JobsTable({ jobs, label }: { jobs: readonly TrainingJob[]; label: string }) {
  return (
    <div>
      <RowHeads columns={COLUMNS} names={['Job', 'Status', 'Progress', 'Time', 'Loss', 'Queued']} right={['Loss', 'Queued']} />
      <ul aria-label={label} className="divide-y">
        {jobs.map((job) => (
          <Row key={job.id} job={job} />
        ))}
      </ul>
    </div>
  );
}

function Row({ job }: { job: TrainingJob }) {
  const loss = metric(job, 'loss');
  return (
    <LinkedRow
      columns={COLUMNS}
      href={`/jobs/${job.id}`}
      name={job.name}
      about={`${job.dataset.name} · ${job.base_model.name}`}
      badge={<StatusBadge job={job} />}
    >
      <div className="col-span-2 min-w-0 lg:col-span-1">
        <JobProgress job={job} />
        <p className="mt-1 flex justify-between gap-3 text-soft text-xs">
          <span className="truncate">{isTerminal(job.status) ? '' : stageWords(job)}</span>
          <span className="shrink-0">
            {formatCount(job.current_step)} / {formatCount(job.total_steps)} steps
          </span>
        </p>
      </div>
      <div className={classNames('text-sm lg:text-base', job.started_at === null && 'max-lg:hidden')}>
        <TimeLeft job={job} worded />
      </div>
      <div className={classNames('text-right text-sm lg:text-base', loss === null && 'max-lg:hidden')}>
        {loss === null ? (
          <span className="text-soft">–</span>
        ) : (
          <>
            <span className="text-soft lg:sr-only">Loss </span>
            {formatFigure(loss)}
          </>
        )}
      </div>
      <div className="hidden text-right text-soft text-sm lg:block">
        <Time at={job.queued_at} />
      </div>
    </LinkedRow>
  );
}
