'use client';
import { QueryFault } from '#/components/ui/QueryFault.tsx';
import { SkeletonRows } from '#/components/ui/Skeleton.tsx';
import { Time } from '#/components/ui/Time.tsx';
import type { TrainingJob } from '#/contract/jobs.ts';
import { useJobHistory } from '#/hooks/useJobHistory.ts';
import { eventWords } from './event-words.ts';

/** Everything that happened to the job, newest first. */
export function JobHistory({ job }: { job: TrainingJob }) {
  const { data, error, refetch } = useJobHistory(job);
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
      {data.toReversed().map((event) => {
        const { title, detail } = eventWords(event);
        return (
          <li key={event.seq} className="grid grid-cols-[2.5rem_minmax(0,1fr)_auto] items-baseline gap-x-3 px-4 py-2">
            <span className="text-right text-soft text-xs">{event.seq}</span>
            <span className="min-w-0 [overflow-wrap:anywhere]">
              <span className="font-medium">{title}</span>
              {event.attempt > 1 && <span className="text-soft"> · attempt {event.attempt}</span>}
              {detail !== null && <span className="block text-soft text-sm">{detail}</span>}
            </span>
            <span className="text-soft text-sm">
              <Time at={event.created_at} />
            </span>
          </li>
        );
      })}
    </ol>
  );
}
