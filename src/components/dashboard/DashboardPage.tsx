'use client';
import Link from 'next/link';
import type { ReactNode } from 'react';
import { JobsTable } from '#/components/jobs/JobsTable.tsx';
import { PageHeader } from '#/components/shell/PageHeader.tsx';
import { StartTrainingLink } from '#/components/training/StartTrainingLink.tsx';
import { Panel } from '#/components/ui/Panel.tsx';
import { QueryFault } from '#/components/ui/QueryFault.tsx';
import { SkeletonRows } from '#/components/ui/Skeleton.tsx';
import { formatOf } from '#/components/units.ts';
import { isTerminal } from '#/domain/statuses.ts';
import { useTrainingJobs } from '#/hooks/useTrainingJobs.ts';
import { FirstSteps } from './FirstSteps.tsx';

const SHOWN = 10;
const FINISHED_SHOWN = 5;

export function DashboardPage() {
  return (
    <>
      <PageHeader title="Dashboard" actions={<StartTrainingLink />} />
      <div className="grid gap-4">
        <FirstSteps />
        <Now />
        <Finished />
      </div>
    </>
  );
}

/** What runs and what waits. Each status is asked for by itself: old jobs that still wait are not lost behind new ones. */
function Now() {
  const running = useTrainingJobs({ status: 'running', limit: SHOWN });
  const starting = useTrainingJobs({ status: 'initializing', limit: SHOWN });
  const queued = useTrainingJobs({ status: 'queued', limit: SHOWN });
  const parts = [running, starting, queued];
  const failed = parts.find(({ error, data }) => error !== null && data === undefined);
  if (failed?.error) return <QueryFault what="The jobs" error={failed.error} retry={failed.refetch} />;
  const pending = parts.some(({ isPending }) => isPending);
  const jobs = parts.flatMap(({ data }) => data?.jobs ?? []);
  const total = parts.reduce((sum, { data }) => sum + (data?.pagination.total ?? 0), 0);
  const waiting = queued.data?.pagination.total ?? 0;
  return (
    <Panel
      flush
      title="Running and waiting"
      aside={
        !pending &&
        total > 0 && <span className="text-soft text-sm">{`${formatOf(total - waiting, 'run')}, ${waiting} waiting`}</span>
      }
    >
      {pending ? (
        <SkeletonRows rows={2} label="Jobs are being fetched" className="h-17" />
      ) : jobs.length === 0 ? (
        <p className="px-4 py-6 text-soft">
          Nothing runs and nothing waits. A training that you start shows here with its progress and its loss.
        </p>
      ) : (
        <>
          <JobsTable jobs={jobs} label="Running and waiting jobs" />
          {total > jobs.length && <More href="/jobs?status=queued">{`${total - jobs.length} more wait`}</More>}
        </>
      )}
    </Panel>
  );
}

function Finished() {
  const { data } = useTrainingJobs({ limit: 25 });
  const finished = data?.jobs.filter(({ status }) => isTerminal(status)).slice(0, FINISHED_SHOWN) ?? [];
  if (finished.length === 0) return null;
  return (
    <Panel flush title="Finished lately">
      <JobsTable jobs={finished} label="Jobs that finished lately" />
      <More href="/jobs">All jobs</More>
    </Panel>
  );
}

function More({ href, children }: { href: string; children: ReactNode }) {
  return (
    <p className="border-t px-4 py-2.5 text-sm">
      <Link href={href} className="rounded-sm font-medium text-accent hover:underline">
        {children}
      </Link>
    </p>
  );
}
