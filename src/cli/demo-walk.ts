/** What every demo does as a client of the API, whatever it trains. */
import type { Dataset } from '#/contract/datasets.ts';
import type { ApiClient } from './api-client.ts';
import { formatDuration } from './progress-bar.ts';
import { type finishTraining, secondsTaken } from './train.ts';
import { uploadDataset } from './upload-dataset.ts';

/** How far a demo is, as far as it matters to who breaks it off. */
export type DemoStage = 'before' | 'training' | 'trained';

/** Who walks along: whom a link is made for, and who hears how far it is. */
export interface DemoCompany {
  linkTo(job_id: string): Promise<string>;
  onStage(stage: DemoStage): void;
}

/** A file that was uploaded before is not uploaded again: `file` is asked for where it is needed. */
export async function demoDataset(
  client: ApiClient,
  name: string,
  file: () => Promise<string>,
  say: (line: string) => void,
): Promise<Dataset> {
  const { datasets } = await client.call<{ datasets: Dataset[] }>(
    'GET',
    `/api/datasets?${new URLSearchParams({ search: name })}`,
  );
  const known = datasets.find((dataset) => dataset.name === name && dataset.status === 'ready');
  return known ?? uploadDataset(client, await file(), { name, mapping: {}, skip_invalid: false }, say);
}

/** The lines that a demo ends with: time, adapter and its sum. */
export function resultLines(result: Awaited<ReturnType<typeof finishTraining>>): string[] {
  const seconds = secondsTaken(result.job);
  return [
    ...(seconds === null
      ? []
      : [`time: ${formatDuration(seconds)} from the start to the stored adapter, ${result.job.total_steps} steps`]),
    `adapter: ${result.folder}`,
    `sha256: ${result.sha256}`,
  ];
}
