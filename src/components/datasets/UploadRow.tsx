'use client';
import { RotateCw, X } from 'lucide-react';
import Link from 'next/link';
import type { ReactNode } from 'react';
import { Button } from '#/components/ui/Button.tsx';
import { Progress } from '#/components/ui/Progress.tsx';
import { formatDuration } from '#/components/units.ts';
import { formatBytes } from '#/domain/bytes.ts';
import { dismissUpload, type Upload } from '#/hooks/uploads.ts';

/** One file on its way: how far, how fast, how long, and how to stop it. */
export function UploadRow({ upload, onRetry }: { upload: Upload; onRetry(): void }) {
  const { key, name, size, state, sent, error } = upload;
  const over = state === 'done' || state === 'failed' || state === 'cancelled';
  const again = state === 'cancelled' || (state === 'failed' && error?.status !== 413 && size > 0);
  return (
    <li className="flex items-center gap-4 px-4 py-2.5">
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap justify-between gap-x-4">
          <span className="min-w-0 truncate font-medium">{name}</span>
          <span className="text-soft text-sm">{figures(upload)}</span>
        </p>
        <Progress
          className="my-1.5"
          label={`Upload of ${name}`}
          value={state === 'done' ? 100 : size === 0 ? 0 : (sent / size) * 100}
          tone={
            state === 'done'
              ? 'good'
              : state === 'failed'
                ? 'bad'
                : state === 'sending' || state === 'storing'
                  ? 'accent'
                  : 'plain'
          }
        />
        <p aria-live="polite" className={state === 'failed' ? 'text-bad text-sm' : 'text-soft text-sm'}>
          {words(upload)}
        </p>
      </div>
      {again && (
        <Button size="icon" variant="ghost" aria-label={`Upload ${name} again`} onClick={onRetry}>
          <RotateCw aria-hidden />
        </Button>
      )}
      {state !== 'storing' && (
        <Button
          size="icon"
          variant="ghost"
          aria-label={over ? `Take ${name} off the list` : `Cancel the upload of ${name}`}
          onClick={() => dismissUpload(key)}
        >
          <X aria-hidden />
        </Button>
      )}
    </li>
  );
}

function figures({ size, state, sent, speed }: Upload): string {
  if (state !== 'sending') return formatBytes(size);
  const rate = speed === null ? '' : ` · ${formatBytes(speed)}/s`;
  const left = speed === null || speed === 0 ? '' : ` · ${formatDuration(((size - sent) / speed) * 1000)} left`;
  return `${formatBytes(sent)} of ${formatBytes(size)}${rate}${left}`;
}

function words({ state, error, dataset }: Upload): ReactNode {
  switch (state) {
    case 'waiting':
      return 'Waits for the upload before it.';
    case 'sending':
      return 'Uploading. You may go to other pages; closing this tab would end it.';
    case 'storing':
      return 'All sent; the studio is storing it.';
    case 'cancelled':
      return 'Cancelled: nothing of it was kept.';
    case 'failed':
      return error?.message ?? 'The upload failed.';
    case 'done':
      return dataset === null ? (
        'Uploaded.'
      ) : (
        <>
          {dataset.duplicate_of !== null && (
            <>
              Its content is the same as that of{' '}
              <DatasetLink id={dataset.duplicate_of.id}>{dataset.duplicate_of.name}</DatasetLink>.{' '}
            </>
          )}
          Uploaded: <DatasetLink id={dataset.id}>see its report</DatasetLink>
        </>
      );
  }
}

function DatasetLink({ id, children }: { id: string; children: ReactNode }) {
  return (
    <Link href={`/datasets/${id}`} prefetch={false} className="rounded-sm font-medium text-accent underline underline-offset-3">
      {children}
    </Link>
  );
}
