'use client';
import { Pause, Play, RotateCcw, Square } from 'lucide-react';
import { useRouter } from 'next/navigation';
import { useState } from 'react';
import { Button } from '#/components/ui/Button.tsx';
import { Dialog } from '#/components/ui/Dialog.tsx';
import { formatCount } from '#/components/units.ts';
import type { TrainingJob } from '#/contract/jobs.ts';
import { CANCELLED_WITHIN_MS, PROMISE_TIMES } from '#/domain/constants.ts';
import { isTerminal } from '#/domain/statuses.ts';
import { useCancelJob, usePauseJob, useResumeJob, useRetryJob, useStartJob } from '#/hooks/useJobVerbs.ts';
import { isHeld, isPaused } from './job-words.ts';

const seconds = (ms: number) => ms / 1000;

export function JobActions({ job }: { job: TrainingJob }) {
  if (isTerminal(job.status)) return <Retry job={job} />;
  return (
    <>
      {job.cancel_requested_at === null && <HoldOrGoOn job={job} />}
      <Cancel job={job} />
    </>
  );
}

/** A run in these stages has trained already: it ends before it could pause. */
const TOO_LATE_TO_PAUSE: readonly (string | null)[] = ['exporting', 'verifying', 'publishing', 'done'];

/** Pausing loses nothing, so it asks nothing. */
function HoldOrGoOn({ job }: { job: TrainingJob }) {
  const pause = usePauseJob(job.id);
  const resume = useResumeJob(job.id);
  const start = useStartJob(job.id);
  if (isPaused(job))
    return (
      <Button
        variant="primary"
        busy={resume.isPending}
        title={isHeld(job) ? 'Goes on from its checkpoint, as soon as there is a free place' : 'Takes the wish to pause back'}
        onClick={() => resume.mutate()}
      >
        {!resume.isPending && <Play aria-hidden />}
        Resume
      </Button>
    );
  if (isHeld(job))
    return (
      <Button variant="primary" busy={start.isPending} onClick={() => start.mutate()}>
        {!start.isPending && <Play aria-hidden />}
        Start
      </Button>
    );
  if (TOO_LATE_TO_PAUSE.includes(job.current_stage)) return null;
  return (
    <Button
      busy={pause.isPending}
      title={job.status === 'queued' ? 'Keeps it from starting' : 'Stops at a checkpoint and frees its place, to go on later'}
      onClick={() => pause.mutate()}
    >
      {!pause.isPending && <Pause aria-hidden />}
      Pause
    </Button>
  );
}

function Retry({ job }: { job: TrainingJob }) {
  const router = useRouter();
  const retry = useRetryJob(job.id);
  return (
    <Button
      busy={retry.isPending}
      onClick={() => retry.mutate(undefined, { onSuccess: (next) => router.push(`/jobs/${next.id}`) })}
    >
      {!retry.isPending && <RotateCcw aria-hidden />}
      Run again
    </Button>
  );
}

function Cancel({ job }: { job: TrainingJob }) {
  const [asking, setAsking] = useState(false);
  const cancel = useCancelJob(job.id);
  const wished = job.cancel_requested_at !== null;
  return (
    <>
      <Button disabled={wished} onClick={() => setAsking(true)}>
        <Square aria-hidden />
        {wished ? 'Cancelling' : 'Cancel'}
      </Button>
      <Dialog
        open={asking}
        onOpenChange={setAsking}
        title="Cancel this training?"
        description={consequences(job)}
        actions={
          <>
            <Button onClick={() => setAsking(false)}>{job.status === 'queued' ? 'Keep it' : 'Let it train'}</Button>
            <Button
              variant="danger"
              busy={cancel.isPending}
              onClick={() => cancel.mutate(undefined, { onSettled: () => setAsking(false) })}
            >
              Cancel the training
            </Button>
          </>
        }
      />
    </>
  );
}

function consequences({ status, started_at, current_step }: TrainingJob): string {
  if (status === 'queued' && started_at === null) return 'It has not begun, so nothing is lost. It leaves the queue at once.';
  const kept =
    'The log, the curve and the last checkpoint are kept; no adapter is made. A cancelled job cannot go on: “Run again” starts a new one from the beginning.';
  if (status === 'queued') return `It stopped at step ${formatCount(current_step)} and is over at once. ${kept}`;
  return `The trainer gets ${seconds(PROMISE_TIMES.grace_ms)} seconds to write a checkpoint; after ${seconds(CANCELLED_WITHIN_MS)} seconds at the latest it is over. ${kept}`;
}
