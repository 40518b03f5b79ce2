import { Ban, CircleAlert, CircleCheck, Clock, LoaderCircle, type LucideIcon, Pause, Play } from 'lucide-react';
import { Badge, type Tone } from '#/components/ui/Badge.tsx';
import type { TrainingJob } from '#/contract/jobs.ts';
import { isTerminal, type JobStatus } from '#/domain/statuses.ts';
import { isHeld, isPaused, STATUS_WORDS } from './job-words.ts';

const LOOKS: Record<JobStatus, { tone: Tone; icon: LucideIcon }> = {
  queued: { tone: 'plain', icon: Clock },
  initializing: { tone: 'accent', icon: LoaderCircle },
  running: { tone: 'accent', icon: Play },
  completed: { tone: 'good', icon: CircleCheck },
  failed: { tone: 'bad', icon: CircleAlert },
  cancelled: { tone: 'plain', icon: Ban },
};

/** The status by word, icon and colour; a wish to cancel or pause and lost contact show before the status itself. */
export function StatusBadge({
  job,
}: {
  job: Pick<TrainingJob, 'status' | 'cancel_requested_at' | 'pause_requested_at' | 'held_at' | 'contact_lost_at'>;
}) {
  const live = !isTerminal(job.status);
  if (live && job.cancel_requested_at !== null) return <Mark tone="warn" icon={LoaderCircle} word="Cancelling" turning />;
  if (live && job.contact_lost_at !== null) return <Mark tone="warn" icon={CircleAlert} word="Contact lost" />;
  if (isHeld(job)) return <Mark tone="plain" icon={Pause} word={isPaused(job) ? 'Paused' : 'Held'} />;
  if (isPaused(job)) return <Mark tone="warn" icon={LoaderCircle} word="Pausing" turning />;
  return <Mark {...LOOKS[job.status]} word={STATUS_WORDS[job.status]} turning={job.status === 'initializing'} />;
}

function Mark({ tone, icon: Icon, word, turning = false }: { tone: Tone; icon: LucideIcon; word: string; turning?: boolean }) {
  return (
    <Badge tone={tone}>
      <Icon aria-hidden className={turning ? 'animate-turn' : undefined} />
      {word}
    </Badge>
  );
}
