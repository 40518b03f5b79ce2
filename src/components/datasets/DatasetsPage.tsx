'use client';
import { Database } from 'lucide-react';
import Link from 'next/link';
import { useState } from 'react';
import { PageHeader } from '#/components/shell/PageHeader.tsx';
import { EmptyState } from '#/components/ui/EmptyState.tsx';
import { Pages } from '#/components/ui/Pages.tsx';
import { Panel } from '#/components/ui/Panel.tsx';
import { QueryFault } from '#/components/ui/QueryFault.tsx';
import { SkeletonRows } from '#/components/ui/Skeleton.tsx';
import { Time } from '#/components/ui/Time.tsx';
import { formatCount, formatOf } from '#/components/units.ts';
import type { DatasetSummary } from '#/contract/datasets.ts';
import { formatBytes } from '#/domain/bytes.ts';
import { useDatasets } from '#/hooks/useDatasets.ts';
import { DatasetBadge } from './DatasetBadge.tsx';
import { DropZone } from './DropZone.tsx';
import { shapeWords } from './dataset-words.ts';

const LIMIT = 25;
const COLUMNS = 'lg:grid-cols-[minmax(0,2fr)_8.5rem_minmax(0,1fr)_6rem_7rem_6rem]';

export function DatasetsPage() {
  const [page, setPage] = useState(1);
  const { data, error, isPending, refetch } = useDatasets({ limit: LIMIT, offset: (page - 1) * LIMIT });
  return (
    <>
      <PageHeader title="Datasets" />
      <div className="grid gap-4">
        <DropZone />
        {error && !data ? (
          <QueryFault what="The datasets" error={error} retry={refetch} />
        ) : (
          <Panel flush title={data ? formatOf(data.total, 'dataset') : 'Datasets'}>
            {isPending ? (
              <SkeletonRows rows={4} label="Datasets are being fetched" className="h-16" />
            ) : !data || data.datasets.length === 0 ? (
              <EmptyState icon={Database} title="No dataset yet">
                Drop a file above. Each row is checked, and you see every row that breaks a rule with its line number and the
                reason.
              </EmptyState>
            ) : (
              <>
                <div
                  aria-hidden
                  className={`hidden lg:grid ${COLUMNS} h-9 items-center gap-x-5 border-b px-4 font-medium text-soft text-xs`}
                >
                  <span>Dataset</span>
                  <span>Status</span>
                  <span>Form</span>
                  <span className="text-right">Rows</span>
                  <span className="text-right">Tokens</span>
                  <span className="text-right">Uploaded</span>
                </div>
                <ul aria-label="Datasets" className="divide-y">
                  {data.datasets.map((dataset) => (
                    <Row key={dataset.id} dataset={dataset} />
                  ))}
                </ul>
              </>
            )}
            {data && <Pages page={page} pages={Math.ceil(data.total / LIMIT)} onPage={setPage} />}
          </Panel>
        )}
      </div>
    </>
  );
}

function Row({ dataset }: { dataset: DatasetSummary }) {
  const rows = dataset.num_samples;
  return (
    <li
      className={`relative grid grid-cols-[minmax(0,1fr)_auto] ${COLUMNS} items-center gap-x-5 gap-y-1 px-4 py-3 transition-colors hover:bg-hover/60 has-focus-visible:bg-hover/60`}
    >
      <div className="min-w-0">
        <Link
          href={`/datasets/${dataset.id}`}
          prefetch={false}
          className="block truncate font-medium after:absolute after:inset-0"
        >
          {dataset.name}
        </Link>
        <p className="truncate text-soft text-sm">
          {dataset.file_name} · {formatBytes(dataset.size_bytes)}
        </p>
      </div>
      <div className="justify-self-end lg:justify-self-start">
        <DatasetBadge status={dataset.status} />
      </div>
      <div className="truncate text-soft text-sm">
        {dataset.status === 'validating' || dataset.status === 'uploading' ? '' : shapeWords(dataset.format)}
      </div>
      <div className="text-right text-sm lg:text-base">
        {rows === null ? (
          <span className="hidden text-soft lg:inline">–</span>
        ) : (
          <>
            {formatCount(rows)}
            <span className="text-soft lg:sr-only"> rows</span>
          </>
        )}
      </div>
      <div className="hidden text-right lg:block">
        {dataset.total_tokens === null ? <span className="text-soft">–</span> : formatCount(dataset.total_tokens)}
      </div>
      <div className="hidden text-right text-soft text-sm lg:block">
        <Time at={dataset.created_at} />
      </div>
    </li>
  );
}
