import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { MetricPoint } from '#/contract/job-reads.ts';
import type { TrainingJob } from '#/contract/jobs.ts';
import { HYPERPARAMETER_RANGES, HyperparameterOverrides, PresetInput } from '#/domain/hyperparameters.ts';
import { TrainingSpec } from '#/domain/training-spec.ts';
import type { ApiClient } from './api-client.ts';
import { chooseModel } from './choose-model.ts';
import { CommandError } from './command-error.ts';
import { type Downloaded, downloadAdapter } from './download-adapter.ts';
import { followJob } from './follow-job.ts';
import { formatDuration } from './progress-bar.ts';
import { uploadDataset } from './upload-dataset.ts';

export interface TrainRequest {
  dataset: string;
  mapping: Record<string, string>;
  skip_invalid: boolean;
  model: string | undefined;
  preset: string;
  settings: Record<string, number>;
  name: string | undefined;
}

const SETTABLE = [...Object.keys(HYPERPARAMETER_RANGES), 'max_steps'];

/** Reads `--set epochs=1` pairs into numbers. Throws for an unknown name or what is no number. */
export function parseSettings(pairs: string[]): Record<string, number> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [name = '', text = ''] = pair.split('=', 2);
      if (!SETTABLE.includes(name)) throw new CommandError(`--set ${pair}: can be set are ${SETTABLE.join(', ')}`);
      const value = Number(text);
      if (text.trim() === '' || !Number.isFinite(value)) throw new CommandError(`--set ${pair}: ${name} must be a number`);
      return [name, value];
    }),
  );
}

/** Refuses by the domain's own rules what the API would refuse, before anything is uploaded. */
export function checkRequest(request: TrainRequest): void {
  const preset = PresetInput.safeParse(request.preset);
  if (!preset.success) throw new CommandError(`--preset ${request.preset}: must be ${PresetInput.description}`);
  const { max_steps, ...hyperparameters } = request.settings;
  const checks = [HyperparameterOverrides.safeParse(hyperparameters), TrainingSpec.shape.max_steps.safeParse(max_steps ?? null)];
  const broken = checks.flatMap((check) => check.error?.issues ?? []);
  if (broken.length > 0) throw new CommandError(broken.map((issue) => `--set: ${issue.message}`).join('\n'));
}

/** Uploads, maps, checks and submits: answers the queued job. */
export async function submitTraining(
  client: ApiClient,
  request: TrainRequest,
  log: (line: string) => void,
): Promise<TrainingJob> {
  const model = request.model === undefined ? undefined : await chooseModel(client, request.model);
  if (model !== undefined) log(`base model: ${model.name}`);
  const { mapping, skip_invalid } = request;
  const dataset = await uploadDataset(client, request.dataset, { mapping, skip_invalid }, log);
  const held_out = dataset.total_validation_pairs ?? 0;
  log(`dataset: ${dataset.total_training_pairs} rows to train on, ${held_out} held out`);
  return submitJob(client, { dataset_id: dataset.id, ...(model && { base_model_id: model.id }) }, request);
}

/** Submits a training on what is registered already. A lost answer does not make a second job. */
export async function submitJob(
  client: ApiClient,
  ids: { dataset_id: string; base_model_id?: string },
  request: Pick<TrainRequest, 'preset' | 'settings' | 'name'>,
): Promise<TrainingJob> {
  const { max_steps, ...hyperparameters } = request.settings;
  const body = {
    ...ids,
    preset_id: request.preset,
    hyperparameters,
    ...(max_steps !== undefined && { max_steps }),
    ...(request.name !== undefined && { name: request.name }),
  };
  const answer = await client.call<{ data: TrainingJob }>('POST', '/api/jobs', body, { 'Idempotency-Key': randomUUID() });
  return answer.data;
}

/** Waits for a job's end with a progress bar and brings its adapter home. Throws with the cause and the next step when it failed. */
export async function finishTraining(
  client: ApiClient,
  job_id: string,
  output: string | undefined,
  onPoint?: (point: MetricPoint) => void,
): Promise<Downloaded & { job: TrainingJob }> {
  const job = await followJob(client, job_id, onPoint);
  if (job.status === 'cancelled') throw new CommandError('The training was cancelled; its last checkpoint is kept', 130);
  if (job.status === 'failed') {
    const failure = job.failure;
    throw new CommandError(
      [`The training failed: ${failure?.message ?? 'for no known reason'}`, failure?.hint ?? ''].filter(Boolean).join('\n'),
    );
  }
  const downloaded = await downloadAdapter(client, job_id, output ?? join('adapters', job_id));
  return { ...downloaded, job };
}

/** Seconds from a job's start to its end; null while it has not both. */
export function secondsTaken(job: TrainingJob): number | null {
  if (job.started_at === null || job.completed_at === null) return null;
  return (Date.parse(job.completed_at) - Date.parse(job.started_at)) / 1000;
}

/** The lines that a finished training ends with. */
export function describeResult(result: Downloaded & { job: TrainingJob }): string[] {
  const seconds = secondsTaken(result.job);
  return [
    `adapter: ${result.folder}`,
    `sha256: ${result.sha256}`,
    ...(seconds === null
      ? []
      : [`time: ${formatDuration(seconds)} from the start to the stored adapter, ${result.job.total_steps} steps`]),
  ];
}
