'use client';
import { Activity } from 'lucide-react';
import { usePathname, useRouter, useSearchParams } from 'next/navigation';
import { PageHeader } from '#/components/shell/PageHeader.tsx';
import { StartTrainingLink } from '#/components/training/StartTrainingLink.tsx';
import { Button } from '#/components/ui/Button.tsx';
import { EmptyState } from '#/components/ui/EmptyState.tsx';
import { Select } from '#/components/ui/Field.tsx';
import { Pages } from '#/components/ui/Pages.tsx';
import { QueryPanel } from '#/components/ui/QueryPanel.tsx';
import { formatOf } from '#/components/units.ts';
import { JOB_STATUSES, type JobStatus } from '#/domain/statuses.ts';
import { useTrainingJobs } from '#/hooks/useTrainingJobs.ts';
import { JobsTable } from './JobsTable.tsx';
import { STATUS_WORDS } from './job-words.ts';

export function JobsPage() {
  return (
    <>
      <PageHeader title="Jobs" actions={<StartTrainingLink />} />
      <JobsList />
    </>
  );
}

const isStatus = (value: string | null): value is JobStatus => (JOB_STATUSES as readonly (string | null)[]).includes(value);

function JobsList() {
  const router = useRouter();
  const path = usePathname();
  const params = useSearchParams();
  const asked = params.get('status');
  const status = isStatus(asked) ? asked : undefined;
  const page = Math.max(1, Math.floor(Number(params.get('page'))) || 1);
  const list = useTrainingJobs({ ...(status ? { status } : {}), page });

  const go = (next: { status?: JobStatus | undefined; page?: number }) => {
    const query = new URLSearchParams();
    if (next.status) query.set('status', next.status);
    if (next.page !== undefined && next.page > 1) query.set('page', String(next.page));
    router.replace(query.size === 0 ? path : `${path}?${query}`, { scroll: false });
  };

  return (
    <QueryPanel
      query={list}
      what="jobs"
      rows={6}
      row="h-17"
      title={list.data ? formatOf(list.data.pagination.total, 'job') : 'Jobs'}
      aside={
        <label htmlFor="status" className="flex items-center gap-2 text-soft text-sm">
          Status
          <Select
            id="status"
            className="h-8 w-auto"
            value={status ?? ''}
            onChange={({ target: { value } }) => go({ status: isStatus(value) ? value : undefined })}
          >
            <option value="">All</option>
            {JOB_STATUSES.map((one) => (
              <option key={one} value={one}>
                {STATUS_WORDS[one]}
              </option>
            ))}
          </Select>
        </label>
      }
    >
      {({ jobs, pagination }) => (
        <>
          {jobs.length > 0 ? (
            <div aria-busy={list.isPlaceholderData} className={list.isPlaceholderData ? 'opacity-60' : undefined}>
              <JobsTable jobs={jobs} label="Jobs" />
            </div>
          ) : status === undefined ? (
            <EmptyState icon={Activity} title="No training yet" actions={<StartTrainingLink />}>
              A job is one training of a base model on a dataset of yours. It appears here with its progress, its loss and its
              result.
            </EmptyState>
          ) : (
            <EmptyState
              icon={Activity}
              title={`No job is ${STATUS_WORDS[status].toLowerCase()}`}
              actions={<Button onClick={() => go({})}>Show all jobs</Button>}
            >
              Jobs of another status are not shown.
            </EmptyState>
          )}
          <Pages page={page} pages={pagination.totalPages} onPage={(next) => go({ status, page: next })} />
        </>
      )}
    </QueryPanel>
  );
}
