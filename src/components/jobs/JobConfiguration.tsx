import { CopyButton } from '#/components/ui/CopyButton.tsx';
import { Facts } from '#/components/ui/Readout.tsx';
import { Scroll } from '#/components/ui/Scroll.tsx';
import { formatCount } from '#/components/units.ts';
import type { TrainingJob } from '#/contract/jobs.ts';
import { written } from '#/domain/written-number.ts';

/** Enough of a digest to tell two apart; the whole of it is the entry's title. */
const DIGEST_SHOWN = 'sha256:'.length + 12;

const imageFacts = ({ reference, digest }: NonNullable<TrainingJob['training_image']>): [string, React.ReactNode][] => [
  ['Image', reference],
  [
    'Image digest',
    <span key="digest" title={digest} className="font-mono">
      {digest.slice(0, DIGEST_SHOWN)}
    </span>,
  ],
];

/** The settings at a glance, and the complete configuration as it was stored. */
export function JobConfiguration({ job }: { job: TrainingJob }) {
  const json = JSON.stringify(job.config, null, 2);
  const { learning_rate, batch_size, epochs, rank, alpha, dropout } = job.hyperparameters;
  return (
    <div className="grid gap-5 p-4 lg:grid-cols-[17rem_minmax(0,1fr)]">
      <Facts
        className="content-start"
        facts={[
          ['Preset', job.preset_id],
          ['Learning rate', written(learning_rate)],
          ['Batch size', `${batch_size} rows`],
          ['Epochs', epochs === null ? `${formatCount(job.total_epochs)}, by its steps` : formatCount(epochs)],
          ['Rank', rank],
          ['Alpha', alpha],
          ['Dropout', written(dropout)],
          ['Hardware', `${job.gpu_config.count} × ${job.gpu_config.type}`],
          ['Priority', job.priority],
          ...(job.training_image === null ? [] : imageFacts(job.training_image)),
        ]}
      />
      <div className="min-w-0">
        <div className="mb-2 flex items-center justify-between gap-3">
          <h3 className="text-sm">Complete configuration</h3>
          <CopyButton text={json} label="Copy JSON" />
        </div>
        <Scroll
          label="Complete configuration"
          className="max-h-96 overflow-auto rounded-md border bg-sunken p-3 font-mono text-sm"
        >
          <pre>{json}</pre>
        </Scroll>
      </div>
    </div>
  );
}
