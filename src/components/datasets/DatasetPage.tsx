'use client';
import '#/hooks/zod-without-eval.ts';
import { Play } from 'lucide-react';
import Link from 'next/link';
import { useParams } from 'next/navigation';
import { useEffect, useState } from 'react';
import { Absent } from '#/components/shell/Absent.tsx';
import { PageHeader } from '#/components/shell/PageHeader.tsx';
import { Alert } from '#/components/ui/Alert.tsx';
import { ButtonLink } from '#/components/ui/Button.tsx';
import { Panel } from '#/components/ui/Panel.tsx';
import { Progress } from '#/components/ui/Progress.tsx';
import { Time } from '#/components/ui/Time.tsx';
import { formatCount } from '#/components/units.ts';
import type { Dataset } from '#/contract/datasets.ts';
import { formatBytes } from '#/domain/bytes.ts';
import { isMissing } from '#/hooks/api.ts';
import { reportOf } from '#/hooks/dataset-report.ts';
import { imageReportOf } from '#/hooks/useDatasetImages.ts';
import { useDataset } from '#/hooks/useDatasets.ts';
import { DatasetBadge } from './DatasetBadge.tsx';
import { DatasetProblem } from './DatasetProblem.tsx';
import { DatasetReadout } from './DatasetReadout.tsx';
import { DeleteDataset } from './DeleteDataset.tsx';
import { FileFacts } from './FileFacts.tsx';
import { ImageGrid } from './ImageGrid.tsx';
import { ImageProblem } from './ImageProblem.tsx';
import { ImageReportPanels } from './ImageReportPanels.tsx';
import { MappingForm } from './MappingForm.tsx';
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
  const missing = isMissing(error);
  if (!dataset || missing) return <Absent what="dataset" back={BACK} missing={missing} error={error} retry={refetch} />;
  return <Shown dataset={dataset} />;
}

function Shown({ dataset }: { dataset: Dataset }) {
  const [remapping, setRemapping] = useState(false);
  const report = reportOf(dataset);
  const of_images = dataset.modality === 'image';
  const pictures = imageReportOf(dataset);
  const warnings = (report ?? pictures)?.warnings ?? [];
  const progress = dataset.check_progress;
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
                {dataset.status === 'uploading'
                  ? 'The file is still arriving'
                  : of_images
                    ? `Every picture is being read${progress === null ? '' : `: ${formatCount(progress.done)} of ${formatCount(progress.of)}`}`
                    : 'Every row is being read'}
              </p>
              <Progress
                value={progress === null || progress.of === 0 ? null : (progress.done / progress.of) * 100}
                label="Check of the dataset"
              />
              <p className="text-soft">
                {of_images
                  ? 'Each is turned upright, made sRGB and written anew without its EXIF. You may leave this page.'
                  : 'Its form is recognised, broken rules are noted with their line, and tokens are counted. You may leave this page.'}
              </p>
            </div>
          </Panel>
        )}
        {dataset.status === 'error' &&
          (of_images ? (
            <ImageProblem dataset={dataset} report={pictures} />
          ) : (
            <DatasetProblem dataset={dataset} report={report} />
          ))}
        {!checking && report !== null && report.rows_total > 0 && <DatasetReadout dataset={dataset} report={report} />}
        {!checking && warnings.length > 0 && (
          <Alert
            tone="warn"
            title={
              warnings.length === 1 ? 'Worth a look before training' : `${warnings.length} things worth a look before training`
            }
          >
            <ul className="grid gap-0.5">
              {warnings.map(({ code, message }) => (
                <li key={code}>{message}</li>
              ))}
            </ul>
          </Alert>
        )}
        {!checking && pictures !== null && pictures.rows_total > 0 && <ImageReportPanels dataset={dataset} report={pictures} />}
        {of_images && dataset.status === 'ready' && <ImageGrid dataset={dataset} />}
        {!checking && report !== null && (
          <>
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
              <FileFacts
                dataset={dataset}
                onRemap={dataset.status === 'ready' && report.columns.length > 0 && !remapping ? () => setRemapping(true) : null}
              />
            </div>
            {remapping && (
              <MappingForm
                dataset={dataset}
                columns={report.columns}
                suggestion={null}
                title="Read the columns another way"
                about="Every row is checked again. Trainings that are over keep what they were trained on; while one waits or runs, the dataset stays as it is."
                onClose={() => setRemapping(false)}
              />
            )}
            {dataset.sample_data.length > 0 && <Samples samples={dataset.sample_data} />}
          </>
        )}
      </div>
    </>
  );
}
