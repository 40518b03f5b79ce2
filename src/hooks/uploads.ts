/**
 * Dataset files on their way to the studio, one after the other. They live beside the pages, so that going to another page does
 * not end them. `fetch` tells nothing of bytes sent, so this is an XMLHttpRequest.
 */
import type { QueryClient } from '@tanstack/react-query';
import type { DatasetUploaded } from '#/contract/datasets.ts';
import { formatBytes } from '#/domain/bytes.ts';
import { DATASET_BYTES_MAX } from '#/domain/constants.ts';
import { ApiError, addressOf, apiError, unreachable } from './api.ts';
import { datasetKey, LISTS } from './query-keys.ts';
import { UploadSpeed } from './upload-speed.ts';

export interface Upload {
  key: number;
  file: File;
  state: 'waiting' | 'sending' | 'storing' | 'done' | 'failed' | 'cancelled';
  sent: number;
  /** Bytes a second; null while unknown. */
  speed: number | null;
  error: ApiError | null;
  dataset: DatasetUploaded | null;
}

let uploads: readonly Upload[] = [];
let next_key = 1;
let request: XMLHttpRequest | null = null;
const watchers = new Set<() => void>();

export const currentUploads = (): readonly Upload[] => uploads;

export function watchUploads(changed: () => void): () => void {
  watchers.add(changed);
  return () => watchers.delete(changed);
}

/** Puts files at the end of the line. What can be told to be refused is refused here, before a byte is sent. */
export function addUploads(files: Iterable<File>, queries: QueryClient): void {
  const added = Array.from(files, (file): Upload => {
    const error = refusal(file);
    next_key += 1;
    return { key: next_key, file, state: error === null ? 'waiting' : 'failed', sent: 0, speed: null, error, dataset: null };
  });
  set([...uploads, ...added]);
  sendNext(queries);
}

/** Stops an upload, or takes one that is over off the list. */
export function dismissUpload(key: number): void {
  const upload = uploads.find((one) => one.key === key);
  if (upload?.state === 'sending') request?.abort();
  else set(uploads.filter((one) => one.key !== key));
}

export function retryUpload(key: number, queries: QueryClient): void {
  change(key, { state: 'waiting', sent: 0, speed: null, error: null });
  sendNext(queries);
}

function refusal(file: File): ApiError | null {
  if (file.size === 0) return new ApiError(400, 'invalid_request', 'The file is empty.');
  if (file.size <= DATASET_BYTES_MAX) return null;
  return new ApiError(
    413,
    'payload_too_large',
    `The file is larger than ${formatBytes(DATASET_BYTES_MAX)}: split it into several datasets.`,
  );
}

function set(value: readonly Upload[]): void {
  uploads = value;
  for (const changed of watchers) changed();
}

function change(key: number, part: Partial<Upload>): void {
  set(uploads.map((one) => (one.key === key ? { ...one, ...part } : one)));
}

const warn = (event: BeforeUnloadEvent) => event.preventDefault();

function sendNext(queries: QueryClient): void {
  const upload = uploads.find((one) => one.state === 'waiting');
  if (request !== null || upload === undefined) return;
  const { key, file } = upload;
  const sending = new XMLHttpRequest();
  const speed = new UploadSpeed();
  request = sending;
  addEventListener('beforeunload', warn);
  sending.upload.onprogress = ({ loaded }) => change(key, { sent: loaded, speed: speed.add(performance.now(), loaded) });
  // The last byte has left; the studio still hashes and stores.
  sending.upload.onload = () => change(key, { state: 'storing', sent: file.size });
  sending.onload = () => {
    if (sending.status >= 200 && sending.status < 300) {
      const dataset = JSON.parse(sending.responseText) as DatasetUploaded;
      queries.setQueryData(datasetKey(dataset.id), dataset);
      void queries.invalidateQueries({ queryKey: LISTS.datasets });
      change(key, { state: 'done', dataset });
    } else
      change(key, {
        state: 'failed',
        error: apiError(sending.status, parsed(sending.responseText), sending.getResponseHeader('retry-after')),
      });
  };
  sending.onerror = () => change(key, { state: 'failed', error: unreachable() });
  sending.onabort = () => change(key, { state: 'cancelled' });
  sending.onloadend = () => {
    request = null;
    removeEventListener('beforeunload', warn);
    sendNext(queries);
  };
  change(key, { state: 'sending' });
  sending.open('POST', addressOf('/api/datasets/upload', {}, { file_name: file.name }));
  sending.setRequestHeader('content-type', /\.json$/i.test(file.name) ? 'application/json' : 'application/x-ndjson');
  sending.send(file);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
