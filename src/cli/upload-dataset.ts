import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import type { Dataset, DatasetUploaded } from '#/contract/datasets.ts';
import { WAYS_OUT } from '#/domain/dataset-report.ts';
import { type ApiClient, fileLabel } from './api-client.ts';
import { CommandError } from './command-error.ts';
import { openProgressLine } from './progress-bar.ts';

const POLL_MS = 300;
/** Of a refused file: rules that it breaks, and lines of each. */
const RULES_SHOWN = 10;
const LINES_SHOWN = 5;
const MB = 1_000_000;

export interface UploadOptions {
  name?: string;
  /** canonical field → column of the file */
  mapping: Record<string, string>;
  skip_invalid: boolean;
}

const MEDIA_TYPES: Readonly<Record<string, string>> = { '.json': 'application/json', '.zip': 'application/zip' };

/** Reads `prompt=question,completion=answer`. Throws when a pair has no `=`. */
export function parseMapping(text: string | undefined): Record<string, string> {
  const pairs = (text ?? '').split(',').filter((pair) => pair.trim() !== '');
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1 || at === pair.length - 1)
        throw new CommandError(`--map ${pair}: write field=column, such as prompt=question,completion=answer`);
      return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
    }),
  );
}

/** Uploads a file with a progress bar, says when its bytes are there already, and waits until it is checked. Throws with the rows that were refused. */
export async function uploadDataset(
  client: ApiClient,
  file: string,
  options: UploadOptions,
  say: (line: string) => void,
): Promise<Dataset> {
  const { size } = await stat(file).catch(() => {
    throw new CommandError(`There is no file ${file}`);
  });
  const line = openProgressLine();
  const query = new URLSearchParams({
    file_name: fileLabel(file),
    ...(options.name !== undefined && { name: options.name }),
    ...(Object.keys(options.mapping).length > 0 && { mapping: JSON.stringify(options.mapping) }),
    ...(options.skip_invalid && { invalid_rows: 'skip' }),
  });
  const began = performance.now();
  try {
    const ending = extname(file).toLowerCase();
    const type = MEDIA_TYPES[ending] ?? 'application/x-ndjson';
    const { id, duplicate_of } = await client.upload<DatasetUploaded>(`/api/datasets/upload?${query}`, file, type, (sent) => {
      const seconds = (performance.now() - began) / 1000;
      line.show({
        stage: 'uploading',
        done: sent,
        total: size,
        count: `${(sent / MB).toFixed(1)} of ${(size / MB).toFixed(1)} MB`,
        eta_s: sent > 0 ? (seconds * (size - sent)) / sent : null,
      });
    });
    if (duplicate_of !== null) {
      line.clear();
      say(
        `${fileLabel(file)} holds the same bytes as your dataset ${duplicate_of.name}: ${client.url}/datasets/${duplicate_of.id}`,
      );
    }
    return await checkedDataset(client, id, () =>
      line.show({
        stage: 'checking',
        done: 0,
        total: 0,
        count: `${fileLabel(file)}, ${ending === '.zip' ? 'picture' : 'row'} by ${ending === '.zip' ? 'picture' : 'row'}`,
      }),
    );
  } finally {
    line.clear();
  }
}

/** Waits until a dataset is ready. Throws with its first refused rows when it is not fit. */
export async function checkedDataset(client: ApiClient, id: string, onWait: () => void = () => undefined): Promise<Dataset> {
  for (;;) {
    const dataset = await client.call<Dataset>('GET', `/api/datasets/${id}`);
    if (dataset.status === 'ready') return dataset;
    if (dataset.status === 'error') throw new CommandError(refusal(dataset));
    onWait();
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** What is wrong with the file, then its first refused rows; rows that break the same rule share a line. */
export function refusal(dataset: Pick<Dataset, 'file_name' | 'validation_errors'>): string {
  const lines = new Map<string, number[]>();
  for (const { line, message: said } of dataset.validation_errors) {
    const message = said.replace(WAYS_OUT.skip, 'use --skip-invalid').replace(WAYS_OUT.map, 'say so with --map');
    lines.set(message, [...(lines.get(message) ?? []), ...(line === null ? [] : [line])]);
  }
  const told = [...lines].map(([message, where]) => {
    if (where.length === 0) return `  ${message}`;
    const more = where.length > LINES_SHOWN ? ', …' : '';
    return `  line${where.length > 1 ? 's' : ''} ${where.slice(0, LINES_SHOWN).join(', ')}${more}: ${message}`;
  });
  return [
    `${dataset.file_name} cannot be trained on:`,
    ...told.slice(0, RULES_SHOWN),
    ...(told.length > RULES_SHOWN ? [`  and ${told.length - RULES_SHOWN} more: see its report in the studio`] : []),
    ...mappingHelp(dataset.validation_errors),
  ].join('\n');
}

/** How to name the columns, where a row was read and lacked one: no option helps with a file that is no JSON. */
function mappingHelp(errors: Dataset['validation_errors']): string[] {
  const readable = errors.some(({ code }) => code === 'unknown_shape' || code === 'missing_field');
  return readable ? ['Columns with other names are read with --map prompt=…,completion=…'] : [];
}
