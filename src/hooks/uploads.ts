/**
 * Dataset files on their way to the studio, one after the other. They live beside the pages, so that going to another page does
 * not end them. `fetch` tells nothing of bytes sent, so this is an XMLHttpRequest.
 */
import type { QueryClient } from '@tanstack/react-query';
import type { DatasetUploaded } from '#/contract/datasets.ts';
import { formatBytes } from '#/domain/bytes.ts';
import { DATASET_BYTES_MAX } from '#/domain/constants.ts';
import { beginsImageSet, IMAGE_FILES_MAX, imageSetName, isBesidePictures, isPictureName } from '#/domain/image-files.ts';
import { ApiError, addressOf, apiError, unreachable } from './api.ts';
import { datasetKey, LISTS } from './query-keys.ts';
import { UploadSpeed } from './upload-speed.ts';

/** A file with the name that it goes by: with its folders, where it came in one. */
export interface NamedFile {
  file: File;
  name: string;
}

export interface Upload {
  key: number;
  name: string;
  /** Bytes of all its files. */
  size: number;
  /** One, or the pictures of a dataset with what is said of them. */
  files: readonly NamedFile[];
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

/**
 * Puts files at the end of the line, each as a dataset of its own, but pictures with their captions as one. What can be told to
 * be refused is refused here, before a byte is sent.
 */
export function addUploads(files: Iterable<NamedFile>, queries: QueryClient): void {
  const added = datasetsOf(Array.from(files)).map((one): Upload => {
    const size = one.reduce((sum, { file }) => sum + file.size, 0);
    const error = refusal(size, one);
    next_key += 1;
    const state = error === null ? 'waiting' : 'failed';
    return { key: next_key, name: nameOf(one), size, files: one, state, sent: 0, speed: null, error, dataset: null };
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

/** Files as they become datasets. Litter that systems leave in folders stays here. */
function datasetsOf(files: NamedFile[]): NamedFile[][] {
  const meant = files.filter(({ name }) => !/(^|\/)(\.|__MACOSX\/|Thumbs\.db$|desktop\.ini$)/i.test(name));
  const pictures = meant.filter(({ name }) => isPictureName(name));
  const of_pictures = ({ name }: NamedFile) => pictures.length > 0 && (isPictureName(name) || isBesidePictures(name));
  const set = [...pictures, ...meant.filter((one) => of_pictures(one) && !pictures.includes(one))];
  const others = meant.filter((one) => !of_pictures(one)).map((one) => [one]);
  return set.length > 0 ? [set, ...others] : others;
}

function nameOf([first, ...others]: NamedFile[]): string {
  if (first === undefined) return '';
  const is_set = others.length > 0;
  return is_set ? `${imageSetName(first.name).replace(/\.zip$/, '')} (${others.length + 1} files)` : first.name;
}

function refusal(size: number, files: readonly NamedFile[]): ApiError | null {
  if (size === 0) return new ApiError(400, 'invalid_request', 'The file is empty.');
  if (files.length > IMAGE_FILES_MAX)
    return new ApiError(413, 'payload_too_large', `There are more than ${IMAGE_FILES_MAX} files: pack them into a zip.`);
  if (size <= DATASET_BYTES_MAX) return null;
  return new ApiError(
    413,
    'payload_too_large',
    `${files.length > 1 ? 'Together they are' : 'The file is'} larger than ${formatBytes(DATASET_BYTES_MAX)}: split it into several datasets.`,
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
  const { key, files, size } = upload;
  const sending = new XMLHttpRequest();
  const speed = new UploadSpeed();
  request = sending;
  addEventListener('beforeunload', warn);
  sending.upload.onprogress = ({ loaded }) => change(key, { sent: loaded, speed: speed.add(performance.now(), loaded) });
  // The last byte has left; the studio still hashes and stores.
  sending.upload.onload = () => change(key, { state: 'storing', sent: size });
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
  const [first] = files;
  if (first === undefined) return;
  if (beginsImageSet(first.name)) {
    sending.open('POST', addressOf('/api/datasets/upload', {}));
    sending.send(formOf(files));
    return;
  }
  sending.open('POST', addressOf('/api/datasets/upload', {}, { file_name: first.file.name }));
  sending.setRequestHeader('content-type', typeOf(first.name));
  sending.send(first.file);
}

function formOf(files: readonly NamedFile[]): FormData {
  const form = new FormData();
  for (const { file, name } of files) form.append('file', file, name);
  return form;
}

function typeOf(name: string): string {
  if (/\.zip$/i.test(name)) return 'application/zip';
  return /\.json$/i.test(name) ? 'application/json' : 'application/x-ndjson';
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
