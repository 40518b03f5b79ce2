/** `lowrank demo --images`: the same walk with pictures, submitted by door A. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TrainingSample } from '#/contract/job-outputs.ts';
import type { SubmittedTraining } from '#/contract/training.ts';
import { env } from '#/env.ts';
import type { ApiClient } from './api-client.ts';
import { chooseModel } from './choose-model.ts';
import { type DemoCompany, demoDataset, resultLines } from './demo-walk.ts';
import { runPython } from './run-python.ts';
import { finishTraining } from './train.ts';

const FOLDER = join(env.repo, 'demo');
const KIND = 'stable-diffusion';
/** As a model of the Hub is called, for that is how door A names one. */
const MODEL = `lowrank-demo/tiny-${KIND}`;
/** The fewest steps and the narrowest side that door A takes, at its highest rate: the pipeline has some ten thousand weights. */
const CONFIG = { learning_rate: 1e-2, batch_size: 4, steps: 100, resolution: 256, lora_rank: 8, lora_alpha: 16 };
/** The part of the curve, at either end, whose mean is told: timesteps are drawn, so single steps say little. */
const END_SHARE = 1 / 3;

/** What a script of the demo makes in the data directory, once: whole or not at all. */
async function madeOnce(name: string, script: string, ...flags: string[]): Promise<string> {
  const path = join(env.data_dir, name);
  if (existsSync(path)) return path;
  const staged = `${path}.part`;
  await rm(staged, { recursive: true, force: true });
  await runPython([join(FOLDER, script), staged, ...flags], FOLDER);
  await rename(staged, path);
  return path;
}

const STORED_POLL_MS = 300;

/** The pictures that a job drew, in their order, once each is stored or never will be. */
async function drawnPictures(client: ApiClient, job_id: string): Promise<TrainingSample[]> {
  for (;;) {
    const { data } = await client.call<{ data: { samples: TrainingSample[] } }>('GET', `/api/jobs/${job_id}/samples`);
    if (data.samples.every(({ image_url, not_kept }) => image_url !== null || not_kept !== null))
      return data.samples.filter(({ image_url }) => image_url !== null);
    await new Promise((resolve) => setTimeout(resolve, STORED_POLL_MS));
  }
}

/** Brings the pictures home beside the adapter, a file a step: the demo's dataset has one caption, so there is one of each. */
async function downloadPictures(client: ApiClient, drawn: TrainingSample[], adapter: string): Promise<string[]> {
  const folder = join(adapter, 'samples');
  await mkdir(folder);
  return Promise.all(
    drawn.map(async ({ step, image_url }) => {
      const file = join(folder, `step-${String(step).padStart(3, '0')}.png`);
      const answer = await client.open(image_url ?? '');
      await writeFile(file, Buffer.from(await answer.arrayBuffer()));
      return file;
    }),
  );
}

const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Registers, uploads, submits, follows and brings home, as a client of the API, and prints what it does and found. Answers the job. */
export async function runImageDemo(client: ApiClient, company: DemoCompany, say: (line: string) => void): Promise<string> {
  const made = await madeOnce('models/lowrank-demo', 'make_tiny_pipelines.py', '--kinds', KIND);
  const model = await chooseModel(client, join(made, KIND), MODEL);
  say(`base model  ${model.name}: ${model.params?.toLocaleString('en')} random weights in its UNet, so its pictures are noise`);
  const dataset = await demoDataset(client, 'Demo pictures', () => madeOnce('demo-pictures.zip', 'draw_pictures.py'), say);
  say(`dataset     ${dataset.name}: ${dataset.total_training_pairs} pictures to train on, each with its caption`);
  const asked = Object.entries(CONFIG).map(([name, value]) => `${name} ${value}`);
  say(`asked       a LoRA by door A, sized for so small a model: ${asked.join(', ')}`);
  const submitted = await client.call<SubmittedTraining>(
    'POST',
    '/api/training/submit',
    { dataset_id: dataset.id, type: 'lora', base_model: MODEL, name: 'Demo, pictures', config: CONFIG },
    { 'Idempotency-Key': randomUUID() },
  );
  company.onStage('training');
  say(`watch       ${await company.linkTo(submitted.job_id)}   (signs you in, once, within 10 minutes)\n`);
  const losses: number[] = [];
  const result = await finishTraining(client, submitted.job_id, join(env.repo, 'adapters', submitted.job_id), ({ loss }) => {
    if (loss !== null) losses.push(loss);
  });
  company.onStage('trained');
  const drawn = await drawnPictures(client, submitted.job_id);
  const files = await downloadPictures(client, drawn, result.folder);
  const at_the_end = Math.max(1, Math.round(END_SHARE * losses.length));
  const [first, last] = [losses.slice(0, at_the_end), losses.slice(-at_the_end)].map((some) => mean(some).toFixed(3));
  say(`\nprompt  ${drawn[0]?.prompt}`);
  say(`base    ${files.at(0)}`);
  say(`tuned   ${files.at(-1)}   (${files.length} pictures on one seed; the job's page shows them side by side)\n`);
  say(`loss: ${first} over the first third of the steps, ${last} over the last`);
  for (const line of resultLines(result)) say(line);
  return submitted.job_id;
}
