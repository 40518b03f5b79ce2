import { Readout } from '#/components/ui/Readout.tsx';
import { formatCount, formatFigure } from '#/components/units.ts';
import type { TrainingJob } from '#/contract/jobs.ts';
import { isTerminal } from '#/domain/statuses.ts';
import { JobProgress } from './JobProgress.tsx';
import { metric, stageWords } from './job-words.ts';
import { Elapsed, TimeLeft } from './TimeLeft.tsx';

/** The instruments of a run: where it is, how long, how fast, how good. */
export function JobReadout({ job }: { job: TrainingJob }) {
  const loss = metric(job, 'loss');
  const evaluated = metric(job, 'eval_loss');
  // A run that waits or is paused has a last speed, and none now.
  const speed = job.status === 'queued' ? null : metric(job, 'tokens_per_second');
  const over = isTerminal(job.status);
  const dash = <span className="text-soft">–</span>;
  return (
    <Readout
      foot={<JobProgress job={job} className="h-1 rounded-none" />}
      readings={[
        { label: over ? 'Ended as' : 'Stage', value: <span className="text-base">{stageWords(job)}</span> },
        {
          label: 'Step',
          value: formatCount(job.current_step),
          note: `of ${formatCount(job.total_steps)}`,
        },
        { label: 'Epoch', value: job.current_epoch.toFixed(job.total_epochs > 1 ? 1 : 2), note: `of ${job.total_epochs}` },
        { label: over ? 'Took' : 'Elapsed', value: <Elapsed job={job} /> },
        ...(over ? [] : [{ label: 'Time left', value: <TimeLeft job={job} /> }]),
        { label: 'Speed', value: speed === null ? dash : formatCount(speed), note: speed === null ? undefined : 'tok/s' },
        // The chart beside it shows a smoothed line: this figure is of one step.
        { label: 'Loss, last step', value: loss === null ? dash : formatFigure(loss) },
        { label: 'Evaluation loss', value: evaluated === null ? dash : formatFigure(evaluated) },
      ]}
    />
  );
}
