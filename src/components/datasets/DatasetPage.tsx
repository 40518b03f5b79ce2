'use client';
import { Play } from 'lucide-react';
import Link from 'next/link';
import { useParams } from 'next/navigation';
import { useEffect } from 'react';
import { PageHeader } from '#/components/shell/PageHeader.tsx';
import { Alert } from '#/components/ui/Alert.tsx';
import { ButtonLink } from '#/components/ui/Button.tsx';
import { CopyButton } from '#/components/ui/CopyButton.tsx';
import { Panel } from '#/components/ui/Panel.tsx';
import { Progress } from '#/components/ui/Progress.tsx';
import { QueryFault } from '#/components/ui/QueryFault.tsx';
import { Facts } from '#/components/ui/Readout.tsx';
import { Skeleton } from '#/components/ui/Skeleton.tsx';
import { Time } from '#/components/ui/Time.tsx';
import type { Dataset } from '#/contract/datasets.ts';
import { formatBytes } from '#/domain/bytes.ts';
import { ApiError } from '#/hooks/api.ts';
import { reportOf } from '#/hooks/dataset-report.ts';
import { useDataset } from '#/hooks/useDatasets.ts';
import { DatasetBadge } from './DatasetBadge.tsx';
import { DatasetProblem } from './DatasetProblem.tsx';
import { DatasetReadout } from './DatasetReadout.tsx';
import { DeleteDataset } from './DeleteDataset.tsx';
import { shapeWords } from './dataset-words.ts';
import { RejectedRows } from './RejectedRows.tsx';
import { Samples } from './Samples.tsx';
import { TokenHistogram } from './TokenHistogram.tsx';

const BACK = { href: '/datasets', name: 'Datasets' };

export function DatasetPage() {
  const { id } = useParams<{ id: string }>();
  const { data: dataset, error, refetch } = useDataset(id);
  const name = dataset?.name;
  useEffect(() => {
    if (name !== undefined) document.title = `${name} · Lowrank`;
  }, [name]);
  if (error instanceof ApiError && error.status === 404) {
    return (
      <>
        <PageHeader title="No such dataset" back={BACK} />
        <Alert tone="warn" title="There is no dataset here that you may see.">
          It may have been deleted, or its address was cut short.{' '}
          <Link href="/datasets" className="font-medium text-accent underline">
            All your datasets
          </Link>
        </Alert>
      </>
    );
  }
  if (error && !dataset) {
    return (
      <>
        <PageHeader title="Dataset" back={BACK} />
        <QueryFault what="The dataset" error={error} retry={refetch} />
      </>
    );
  }
  return dataset ? <Shown dataset={dataset} /> : <DatasetSkeleton />;
}

function Shown({ dataset }: { dataset: Dataset }) {
  const report = reportOf(dataset);
  const checking = dataset.status === 'validating' || dataset.status === 'uploading';
  const rejected = dataset.validation_errors.filter(({ line }) => line !== null);
  return (
    <>
      <PageHeader
        title={dataset.name}
        back={BACK}
        beside={<DatasetBadge status={dataset.status} />}
        actions={
          <>
            <DeleteDataset dataset={dataset} />
            {dataset.training_ready && (
              <ButtonLink variant="primary" href={`/training/configure?datasetId=${dataset.id}`}>
                <Play aria-hidden />
                Start a training
              </ButtonLink>
            )}
          </>
        }
      >
        {dataset.file_name} · {formatBytes(dataset.size_bytes)} · uploaded <Time at={dataset.created_at} />
      </PageHeader>
      <div className="grid gap-4">
        {checking && (
          <Panel>
            <div role="status" className="grid gap-2">
              <p className="font-medium">
                {dataset.status === 'uploading' ? 'The file is still arriving' : 'Every row is being read'}
              </p>
              <Progress value={null} label="Check of the dataset" />
              <p className="text-soft">
                Its form is recognised, broken rules are noted with their line, and tokens are counted. You may leave this page.
              </p>
            </div>
          </Panel>
        )}
        {dataset.status === 'error' && <DatasetProblem dataset={dataset} report={report} />}
        {!checking && report !== null && (
          <>
            {report.rows_total > 0 && <DatasetReadout dataset={dataset} report={report} />}
            {report.warnings.length > 0 && (
              <Alert
                tone="warn"
                title={
                  report.warnings.length === 1
                    ? 'Worth a look before training'
                    : `${report.warnings.length} things worth a look before training`
                }
              >
                <ul className="grid gap-0.5">
                  {report.warnings.map(({ code, message }) => (
                    <li key={code}>{message}</li>
                  ))}
                </ul>
              </Alert>
            )}
            {rejected.length > 0 && (
              <RejectedRows rows={rejected} total={report.rows_rejected} by_code={report.rejected_by_code} />
            )}
            <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
              {report.tokens !== null ? (
                <Panel title="Length of the rows">
                  <TokenHistogram lengths={report.tokens} limit={report.max_seq_length} />
                </Panel>
              ) : (
                report.rows_valid > 0 && (
                  <Panel title="Length of the rows">
                    <p className="text-soft">
                      Tokens are counted with the tokenizer of a base model, and there was none when this dataset was checked.{' '}
                      <Link href="/models" className="rounded-sm font-medium text-accent underline underline-offset-3">
                        Add a base model
                      </Link>
                      ; a training counts them with its own model in any case.
                    </p>
                  </Panel>
                )
              )}
              <Panel title="File">
                <Facts
                  facts={[
                    ['Form', shapeWords(dataset.format)],
                    ...Object.entries(dataset.mapping).map(([field, column]): [string, string] => [`Column of ${field}`, column]),
                    ['Broken rows', dataset.invalid_rows === 'skip' ? 'are left out' : 'refuse the dataset'],
                    ['Version', dataset.version],
                    [
                      'SHA-256',
                      dataset.checksum === null ? (
                        '–'
                      ) : (
                        <span key="sum" className="flex flex-wrap items-center gap-2">
                          <code className="font-mono text-sm">{dataset.checksum.slice(0, 16)}…</code>
                          <CopyButton text={dataset.checksum} />
                        </span>
                      ),
                    ],
                  ]}
                />
              </Panel>
            </div>
            {dataset.sample_data.length > 0 && <Samples samples={dataset.sample_data} />}
          </>
        )}
      </div>
    </>
  );
}

function DatasetSkeleton() {
  return (
    <div role="status">
      <span className="sr-only">The dataset is being fetched</span>
      <Skeleton className="mt-6 mb-3 h-8 w-64" />
      <Skeleton className="mb-6 h-4 w-80 max-w-full" />
      <Skeleton className="mb-4 h-20 rounded-lg" />
      <Skeleton className="h-72 rounded-lg" />
    </div>
  );
}
