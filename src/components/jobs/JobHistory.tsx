'use client';
import { QueryFault } from '#/components/ui/QueryFault.tsx';
import { SkeletonRows } from '#/components/ui/Skeleton.tsx';
import { Time } from '#/components/ui/Time.tsx';
import type { TrainingJob } from '#/contract/jobs.ts';
import { useJobHistory } from '#/hooks/useJobHistory.ts';
import { STATUS_WORDS } from './job-words.ts';

/** Everything that happened to the job, newest first. */
export function JobHistory({ job }: { job: TrainingJob }) {
  const { data, error, refetch } = useJobHistory(
    job.id,
    `${job.status} ${job.current_stage} ${job.attempt} ${job.cancel_requested_at}`,
  );
  if (error && !data) {
    return (
      <div className="p-4">
        <QueryFault what="The events" error={error} retry={refetch} />
      </div>
    );
  }
  if (!data) return <SkeletonRows rows={4} label="Events are being fetched" />;
  return (
    <ol className="divide-y">
      {data.toReversed().map((event) => (
        <li key={event.seq} className="grid grid-cols-[2.5rem_minmax(0,1fr)_auto] items-baseline gap-x-3 px-4 py-2">
          <span className="text-right text-soft text-xs">{event.seq}</span>
          <span className="min-w-0 [overflow-wrap:anywhere]">
            <span className="font-medium">{eventTitle(event.type, event.to_status)}</span>
            {event.attempt > 1 && <span className="text-soft"> · attempt {event.attempt}</span>}
            {event.message !== null && <span className="block text-soft text-sm">{event.message}</span>}
          </span>
          <span className="text-soft text-sm">
            <Time at={event.created_at} />
          </span>
        </li>
      ))}
    </ol>
  );
}

function eventTitle(type: string, to: string | null): string {
  if (to !== null && to in STATUS_WORDS) return STATUS_WORDS[to as keyof typeof STATUS_WORDS];
  const words = type.replaceAll(/[._]/g, ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
