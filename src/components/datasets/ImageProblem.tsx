'use client';
import { Alert } from '#/components/ui/Alert.tsx';
import { Button } from '#/components/ui/Button.tsx';
import { formatCount, formatOf } from '#/components/units.ts';
import type { Dataset } from '#/contract/datasets.ts';
import type { ImageReport } from '#/domain/image-report.ts';
import { useChangeDataset } from '#/hooks/useDatasets.ts';

/** Why pictures cannot be trained on, with the way out as something to press. */
export function ImageProblem({ dataset, report }: { dataset: Dataset; report: ImageReport | null }) {
  const change = useChangeDataset(dataset.id);
  if (report?.problem?.code === 'rows_rejected' && report.rows_valid > 0)
    return (
      <Alert
        tone="bad"
        title={`${formatOf(report.rows_rejected, 'file')} ${report.rows_rejected === 1 ? 'breaks' : 'break'} a rule.`}
        actions={
          <Button size="sm" busy={change.isPending} onClick={() => change.mutate({ invalid_rows: 'skip' })}>
            Train on the other {formatCount(report.rows_valid)}
          </Button>
        }
      >
        Each is named below with the reason. Mend them and upload all again, or leave them out.
      </Alert>
    );
  return (
    <Alert tone="bad" title="These pictures cannot be trained on.">
      {dataset.validation_errors.find(({ file }) => file === undefined)?.message ??
        'The check ended without a word. Upload them again.'}
    </Alert>
  );
}
