'use client';
import { RotateCcw, Square } from 'lucide-react';
import { useRouter } from 'next/navigation';
import { useState } from 'react';
import { Button } from '#/components/ui/Button.tsx';
import { Dialog } from '#/components/ui/Dialog.tsx';
import type { TrainingJob } from '#/contract/jobs.ts';
import { CANCELLED_WITHIN_MS, PROMISE_TIMES } from '#/domain/constants.ts';
import { isTerminal } from '#/domain/statuses.ts';
import { useCancelJob, useRetryJob } from '#/hooks/useJobVerbs.ts';

const seconds = (ms: number) => ms / 1000;

export function JobActions({ job }: { job: TrainingJob }) {
  return isTerminal(job.status) ? <Retry job={job} /> : <Cancel job={job} />;
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
        description={
          job.status === 'queued'
            ? 'It has not begun, so nothing is lost. It leaves the queue at once.'
            : `The trainer gets ${seconds(PROMISE_TIMES.grace_ms)} seconds to write a checkpoint; after ${seconds(CANCELLED_WITHIN_MS)} seconds at the latest it is over. The log, the curve and the last checkpoint are kept; no adapter is made. A cancelled job cannot go on: “Run again” starts a new one from the beginning.`
        }
        actions={
          <>
            <Button onClick={() => setAsking(false)}>Let it train</Button>
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
