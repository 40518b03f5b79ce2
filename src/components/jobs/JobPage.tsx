'use client';
import Link from 'next/link';
import { useParams } from 'next/navigation';
import { useEffect } from 'react';
import { Absent } from '#/components/shell/Absent.tsx';
import { PageHeader } from '#/components/shell/PageHeader.tsx';
import { Alert } from '#/components/ui/Alert.tsx';
import { Panel } from '#/components/ui/Panel.tsx';
import { Tabs, TabsContent, TabsList, TabsTrigger } from '#/components/ui/Tabs.tsx';
import { Time } from '#/components/ui/Time.tsx';
import { formatShare } from '#/components/units.ts';
import type { TrainingJob } from '#/contract/jobs.ts';
import { isActive, isTerminal } from '#/domain/statuses.ts';
import { isMissing } from '#/hooks/api.ts';
import { type JobEvents, useJobEvents } from '#/hooks/useJobEvents.ts';
import { useTrainingJob } from '#/hooks/useTrainingJob.ts';
import { ConnectionNote } from './ConnectionNote.tsx';
import { FailurePanel } from './FailurePanel.tsx';
import { ForecastPanel } from './ForecastPanel.tsx';
import { JobActions } from './JobActions.tsx';
import { JobConfiguration } from './JobConfiguration.tsx';
import { JobHistory } from './JobHistory.tsx';
import { JobReadout } from './JobReadout.tsx';
import { isHeld, noLogWords, stageWords } from './job-words.ts';
import { LogPanel } from './LogPanel.tsx';
import { LossChart } from './LossChart.tsx';
import { ResultPanel } from './ResultPanel.tsx';
import { SamplesPanel } from './SamplesPanel.tsx';
import { StatusBadge } from './StatusBadge.tsx';

const BACK = { href: '/jobs', name: 'Jobs' };

export function JobPage() {
  const { id } = useParams<{ id: string }>();
  const events = useJobEvents(id);
  const { data: job, error, refetch } = useTrainingJob(id, events.connection.state === 'live');
  useEffect(() => {
    if (job) document.title = `${isActive(job.status) ? `${formatShare(job.progress / 100)} · ` : ''}${job.name} · Lowrank`;
  }, [job]);
  const missing = events.record.gone === 'deleted' || isMissing(error);
  if (!job || missing) return <Absent what="job" back={BACK} missing={missing} error={error} retry={refetch} />;
  return <Job job={job} events={events} />;
}

function Job({ job, events }: { job: TrainingJob; events: JobEvents }) {
  const { record, connection } = events;
  return (
    <>
      <PageHeader
        title={job.name}
        back={BACK}
        beside={
          <>
            <StatusBadge job={job} />
            {!isTerminal(job.status) && !(isHeld(job) && connection.state === 'live') && (
              <ConnectionNote connection={connection} />
            )}
          </>
        }
        actions={<JobActions job={job} />}
      >
        <Link
          href={`/datasets/${job.dataset_id}`}
          prefetch={false}
          className="rounded-sm underline decoration-line underline-offset-3 hover:decoration-current"
        >
          {job.dataset.name}
        </Link>{' '}
        on {job.base_model.name} · queued <Time at={job.queued_at} />
        {job.retried_from !== null && (
          <>
            {' · '}
            <Link
              href={`/jobs/${job.retried_from}`}
              prefetch={false}
              className="rounded-sm underline decoration-line underline-offset-3 hover:decoration-current"
            >
              again after an earlier run
            </Link>
          </>
        )}
      </PageHeader>
      <div className="grid gap-4">
        {!isTerminal(job.status) && job.contact_lost_at !== null && (
          <Alert tone="warn" title="The machine of this run does not answer at the moment.">
            The training may well go on there. Nothing needs to be done: it is found again when the machine is back, or started
            again from its last checkpoint.
          </Alert>
        )}
        {job.failure !== null && <FailurePanel failure={job.failure} />}
        <JobReadout job={job} />
        <ForecastPanel job={job} />
        {job.artifact_id !== null && <ResultPanel job_id={job.id} />}
        {!neverBegan(job) && <LossChart points={record.points} waiting={waitingWords(job)} />}
        <SamplesPanel job={job} />
        <Panel flush aria-label="Details">
          <Tabs defaultValue="log">
            <TabsList aria-label="Details of the job">
              <TabsTrigger value="log">Log</TabsTrigger>
              <TabsTrigger value="events">Events</TabsTrigger>
              <TabsTrigger value="configuration">Configuration</TabsTrigger>
            </TabsList>
            <TabsContent value="log">
              <LogPanel
                job_id={job.id}
                name={job.name}
                attempt={job.attempt}
                log={record.log}
                cut={record.log_cut}
                none={noLogWords(job)}
              />
            </TabsContent>
            <TabsContent value="events">
              <JobHistory job={job} />
            </TabsContent>
            <TabsContent value="configuration">
              <JobConfiguration job={job} />
            </TabsContent>
          </Tabs>
        </Panel>
      </div>
    </>
  );
}

/** It ended before any trainer was started: there is no curve, and none comes. */
const neverBegan = (job: TrainingJob) => isTerminal(job.status) && job.attempt === 0;

function waitingWords(job: TrainingJob): string {
  if (isTerminal(job.status)) return 'This run ended before its first step, so there is no loss to draw.';
  return `${stageWords(job)}. The curve begins with the first training step.`;
}
