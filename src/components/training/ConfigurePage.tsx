'use client';
import '#/hooks/zod-without-eval.ts';
import dynamic from 'next/dynamic';
import { useSearchParams } from 'next/navigation';
import { PageHeader } from '#/components/shell/PageHeader.tsx';
import { Alert } from '#/components/ui/Alert.tsx';
import { ButtonLink } from '#/components/ui/Button.tsx';
import { QueryFault } from '#/components/ui/QueryFault.tsx';
import { Skeleton } from '#/components/ui/Skeleton.tsx';
import { useBaseModels } from '#/hooks/useBaseModels.ts';
import { useDatasets } from '#/hooks/useDatasets.ts';
import { useGpuCatalog } from '#/hooks/useGpuCatalog.ts';

// The form brings the rules of every field; they are fetched beside the lists that it chooses from.
const ConfigureForm = dynamic(() => import('./ConfigureForm.tsx').then((module) => module.ConfigureForm), {
  ssr: false,
  loading: ConfigureSkeleton,
});

/** As many as a list to choose from can hold. */
const CHOICES = 200;

export function ConfigurePage() {
  const dataset_id = useSearchParams().get('datasetId') ?? '';
  const datasets = useDatasets({ limit: CHOICES });
  const models = useBaseModels({ limit: CHOICES, trainable: true });
  const gpus = useGpuCatalog();
  const fault = [datasets, models, gpus].find(({ error, data }) => error !== null && data === undefined);
  return (
    <>
      <PageHeader
        title="Start a training"
        back={dataset_id === '' ? { href: '/jobs', name: 'Jobs' } : { href: `/datasets/${dataset_id}`, name: 'Dataset' }}
      >
        A LoRA adapter of a base model, trained on a dataset of yours.
      </PageHeader>
      {fault?.error ? (
        <QueryFault what="What there is to choose from" error={fault.error} retry={fault.refetch} />
      ) : !datasets.data || !models.data || !gpus.data ? (
        <ConfigureSkeleton />
      ) : (
        <div className="grid gap-4">
          {datasets.data.total === 0 && (
            <Alert
              tone="warn"
              title="A training needs a dataset."
              actions={
                <ButtonLink href="/datasets" size="sm">
                  Upload a dataset
                </ButtonLink>
              }
            >
              Upload a file first; its rows are checked, then you come back here from its report.
            </Alert>
          )}
          {models.data.total === 0 && (
            <Alert
              tone="warn"
              title="A training needs a base model."
              actions={
                <ButtonLink href="/models" size="sm">
                  Add a base model
                </ButtonLink>
              }
            >
              Add one from a folder of this machine or from the Hugging Face Hub.
            </Alert>
          )}
          <ConfigureForm
            dataset_id={dataset_id}
            datasets={datasets.data.datasets}
            models={models.data.models}
            gpus={gpus.data.gpus}
            corrections={gpus.data.corrections}
            default_model_id={models.data.default_model_id}
          />
        </div>
      )}
    </>
  );
}

function ConfigureSkeleton() {
  return (
    <div role="status" className="grid gap-4 lg:grid-cols-[minmax(0,1fr)_19rem]">
      <span className="sr-only">Datasets and models are being fetched</span>
      <div className="grid gap-4">
        <Skeleton className="h-40 rounded-lg" />
        <Skeleton className="h-44 rounded-lg" />
        <Skeleton className="h-80 rounded-lg" />
      </div>
      <Skeleton className="hidden h-72 rounded-lg lg:block" />
    </div>
  );
}
