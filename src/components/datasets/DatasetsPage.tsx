'use client';
import '#/hooks/zod-without-eval.ts';
import { Database } from 'lucide-react';
import { useState } from 'react';
import { PageHeader } from '#/components/shell/PageHeader.tsx';
import { EmptyState } from '#/components/ui/EmptyState.tsx';
import { LinkedRow, RowHeads } from '#/components/ui/LinkedRows.tsx';
import { Pages } from '#/components/ui/Pages.tsx';
import { QueryPanel } from '#/components/ui/QueryPanel.tsx';
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
  const list = useDatasets({ limit: LIMIT, offset: (page - 1) * LIMIT });
  return (
    <>
      <PageHeader title="Datasets" />
      <div className="grid gap-4">
        <DropZone />
        <QueryPanel
          query={list}
          what="datasets"
          rows={4}
          row="h-16"
          title={list.data ? formatOf(list.data.total, 'dataset') : 'Datasets'}
        >
          {({ datasets, total }) => (
            <>
              {datasets.length === 0 ? (
                <EmptyState icon={Database} title="No dataset yet">
                  Drop a file or pictures above. Each row and each picture is checked, and you see every one that breaks a rule
                  with the reason.
                </EmptyState>
              ) : (
                <>
                  <RowHeads
                    columns={COLUMNS}
                    names={['Dataset', 'Status', 'Form', 'Samples', 'Tokens', 'Uploaded']}
                    right={['Samples', 'Tokens', 'Uploaded']}
                  />
                  <ul aria-label="Datasets" className="divide-y">
                    {datasets.map((dataset) => (
                      <Row key={dataset.id} dataset={dataset} />
                    ))}
                  </ul>
                </>
              )}
              <Pages page={page} pages={Math.ceil(total / LIMIT)} onPage={setPage} />
            </>
          )}
        </QueryPanel>
      </div>
    </>
  );
}

function Row({ dataset }: { dataset: DatasetSummary }) {
  const rows = dataset.num_samples;
  return (
    <LinkedRow
      columns={COLUMNS}
      href={`/datasets/${dataset.id}`}
      name={dataset.name}
      about={`${dataset.file_name} · ${formatBytes(dataset.size_bytes)}`}
      badge={<DatasetBadge status={dataset.status} />}
    >
      <div className="truncate text-soft text-sm">
        {dataset.status === 'validating' || dataset.status === 'uploading' ? '' : shapeWords(dataset.format)}
      </div>
      <div className="text-right text-sm lg:text-base">
        {rows === null ? (
          <span className="hidden text-soft lg:inline">–</span>
        ) : (
          <>
            {formatCount(rows)}
            <span className="text-soft lg:sr-only"> {dataset.modality === 'image' ? 'pictures' : 'rows'}</span>
          </>
        )}
      </div>
      <div className="hidden text-right lg:block">
        {dataset.total_tokens === null ? <span className="text-soft">–</span> : formatCount(dataset.total_tokens)}
      </div>
      <div className="hidden text-right text-soft text-sm lg:block">
        <Time at={dataset.created_at} />
      </div>
    </LinkedRow>
  );
}
