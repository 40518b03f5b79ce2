'use client';
import { Alert } from '#/components/ui/Alert.tsx';
import { Button } from '#/components/ui/Button.tsx';
import { formatCount, formatOf } from '#/components/units.ts';
import type { Dataset } from '#/contract/datasets.ts';
import type { reportOf } from '#/hooks/dataset-report.ts';
import { useChangeDataset } from '#/hooks/useDatasets.ts';
import { MappingForm } from './MappingForm.tsx';

interface DatasetProblemProps {
  dataset: Dataset;
  report: ReturnType<typeof reportOf>;
}

/** Why a dataset cannot be trained on, with the way out as something to press. */
export function DatasetProblem({ dataset, report }: DatasetProblemProps) {
  const code = report?.problem?.code ?? '';
  const whole = dataset.validation_errors.find(({ line }) => line === null);
  const mappable = report !== null && report.columns.length > 0 && (code === 'unknown_shape' || report.rows_valid === 0);
  return (
    <>
      {code === 'rows_rejected' && report !== null && report.rows_valid > 0 ? (
        <BrokenRows dataset={dataset} valid={report.rows_valid} rejected={report.rows_rejected} />
      ) : code === 'unknown_shape' ? (
        <Alert tone="warn" title="The columns of this file have names of their own.">
          Its rows are fine to read, but the studio cannot tell what is a question and what is an answer. Say it once below
          {report?.suggestion ? '; what looks likely is chosen already.' : '.'}
        </Alert>
      ) : (
        <Alert tone="bad" title="This dataset cannot be trained on.">
          {whole?.message ?? 'Its check ended without a word. Upload the file again.'}
        </Alert>
      )}
      {mappable && (
        <MappingForm
          dataset={dataset}
          columns={report.columns}
          suggestion={report.suggestion}
          title="Say what the columns hold"
        />
      )}
    </>
  );
}

function BrokenRows({ dataset, valid, rejected }: { dataset: Dataset; valid: number; rejected: number }) {
  const change = useChangeDataset(dataset.id);
  return (
    <Alert
      tone="bad"
      title={`${formatOf(rejected, 'row')} of ${formatCount(valid + rejected)} ${rejected === 1 ? 'breaks' : 'break'} a rule.`}
      actions={
        <Button size="sm" busy={change.isPending} onClick={() => change.mutate({ invalid_rows: 'skip' })}>
          Train on the other {formatCount(valid)}
        </Button>
      }
    >
      Each is listed below with its line and the reason. Mend the file and upload it again, or leave those rows out.
    </Alert>
  );
}
