import { Readout } from '#/components/ui/Readout.tsx';
import { formatCount, formatShare } from '#/components/units.ts';
import type { Dataset } from '#/contract/datasets.ts';
import type { reportOf } from '#/hooks/dataset-report.ts';

interface DatasetReadoutProps {
  dataset: Dataset;
  report: NonNullable<ReturnType<typeof reportOf>>;
}

export function DatasetReadout({ dataset, report }: DatasetReadoutProps) {
  const { rows_total, rows_valid, rows_rejected, trained_tokens, duplicates } = report;
  const tokens = dataset.total_tokens;
  const held_out = dataset.total_validation_pairs ?? 0;
  return (
    <Readout
      readings={[
        { label: 'Valid rows', value: formatCount(rows_valid), note: `of ${formatCount(rows_total)}` },
        {
          label: 'Rejected',
          value: formatCount(rows_rejected),
          note: rows_total > 0 && rows_rejected > 0 ? formatShare(rows_rejected / rows_total) : undefined,
        },
        { label: 'Train on', value: formatCount(dataset.total_training_pairs ?? 0), note: 'rows' },
        { label: 'Held out', value: formatCount(held_out), note: 'to evaluate' },
        {
          label: 'Tokens',
          value: tokens === null ? '–' : formatCount(tokens),
        },
        {
          label: 'Learned',
          value: tokens === null || trained_tokens === null || tokens === 0 ? '–' : formatShare(trained_tokens / tokens),
          note: tokens === null ? undefined : 'of tokens',
        },
        {
          label: 'Turns a row',
          value: dataset.avg_turns_per_conversation === null ? '–' : dataset.avg_turns_per_conversation.toFixed(1),
          note: 'mean',
        },
        { label: 'Duplicates', value: duplicates === null ? '–' : formatCount(duplicates), note: 'rows' },
      ]}
    />
  );
}
