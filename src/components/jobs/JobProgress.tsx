import { Progress } from '#/components/ui/Progress.tsx';
import type { TrainingJob } from '#/contract/jobs.ts';

const TONES = {
  queued: 'plain',
  initializing: 'accent',
  running: 'accent',
  completed: 'good',
  failed: 'bad',
  cancelled: 'plain',
} as const;

export function JobProgress({ job, className }: { job: TrainingJob; className?: string }) {
  return <Progress value={job.progress} tone={TONES[job.status]} label={`Progress of ${job.name}`} className={className} />;
}
