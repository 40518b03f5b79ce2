// Pictures from their upload to an adapter that is downloaded, by door A, with the real trainer on a tiny pipeline.
import { createHash } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ZipFile } from 'yazl';
import type { Artifact } from '#/contract/artifacts.ts';
import type { Dataset, DatasetUploaded } from '#/contract/datasets.ts';
import type { TrainingSample } from '#/contract/job-outputs.ts';
import type { SubmittedTraining, Training } from '#/contract/training.ts';
import { env } from '#/env.ts';
import { silenceJobBell } from '#/services/jobs/job-bell.ts';
import { registerLocalModel } from '#/services/models/register-local-model.ts';
import { connectStorage } from '#/storage/connect-storage.ts';
import { localFolder } from '#/storage/local-folder.ts';
import { addCaller, json, noWaiting, useApi } from '../../test/api.ts';
import { bitmap } from '../../test/bitmap.ts';
import { useDatabase } from '../../test/database.ts';
import { addPerson } from '../../test/factories.ts';
import { isOver, untilJob } from '../../test/worker-process.ts';
import { setScene } from '../../test/worker-scene.ts';
import { runPythonProgram } from './python-program.ts';

/** The fewest that door A takes, and its narrowest side. */
const CONFIG = { steps: 100, resolution: 256, lora_rank: 4, lora_alpha: 4, learning_rate: 1e-3 };
const BASE_MODEL = 'tiny/stable-diffusion';
const WEIGHTS = 'pytorch_lora_weights.safetensors';
const WITHIN_MS = 300_000;

const db = useDatabase();
const api = useApi();
const scene = setScene(db, 'all tests');
const allowed_before = env.LOWRANK_MODEL_FOLDERS;
let owner: Awaited<ReturnType<typeof addCaller>>;
let dataset_id: string;

const captionOf = (at: number) => `a photo of sks circle, number ${at}`;

/** Six pictures of three shapes, each with its caption as a file beside it, and two of their class, which else 100 are drawn of. */
async function pictures(): Promise<Uint8Array<ArrayBuffer>> {
  const zip = new ZipFile();
  const sides = [
    [256, 256],
    [320, 200],
    [200, 320],
  ] as const;
  for (let at = 0; at < 6; at++) {
    const [width, height] = sides[at % 3] ?? [256, 256];
    zip.addBuffer(bitmap(at, width, height), `1_sks circle/0${at}.bmp`);
    zip.addBuffer(Buffer.from(captionOf(at)), `1_sks circle/0${at}.txt`);
  }
  for (let at = 6; at < 8; at++) zip.addBuffer(bitmap(at, 256, 256), `reg/1_circle/0${at}.bmp`);
  zip.end();
  return new Uint8Array(await buffer(zip.outputStream));
}

/** The tiny pipeline, registered as the model of the Hub that door A names. */
async function addPipeline(): Promise<void> {
  const folder = join(await realpath(scene.host.data_dir), 'models');
  const made = await runPythonProgram({
    args: [join(env.repo, 'demo/make_tiny_pipelines.py'), folder, '--kinds', 'stable-diffusion'],
    timeout_ms: WITHIN_MS,
  });
  expect(made.code, made.stderr).toBe(0);
  env.LOWRANK_MODEL_FOLDERS = [folder];
  const admin = { user_id: await addPerson(db, { role: 'administrator' }), role: 'administrator' } as const;
  const { model } = await registerLocalModel(admin, { path: join(folder, 'stable-diffusion') });
  expect(model).toMatchObject({ status: 'ready', trainable: true, modality: 'image', status_reason: null });
  await db.asOwner(
    `UPDATE lowrank.base_models SET hf_repo_id = $2, hf_requested_revision = 'main', hf_revision = $3 WHERE id = $1`,
    [model.id, BASE_MODEL, 'c'.repeat(40)],
  );
}

const read = async <T>(path: string) => (await (await api.request(path, { headers: owner.headers })).json()) as T;

beforeAll(async () => {
  owner = await addCaller(db);
  connectStorage(localFolder(join(scene.host.data_dir, 'storage')));
  await addPipeline();
  await scene.host.start({ LOWRANK_TRAINER: undefined as unknown as string, LOWRANK_TIME_DIVISOR: '4' });
}, WITHIN_MS);
afterAll(async () => {
  await silenceJobBell();
  env.LOWRANK_MODEL_FOLDERS = allowed_before;
});

/** Denoising steps of a sample: two draw a picture of nothing as well as thirty do. */
const SAMPLE_STEPS = 2;

/** A submission by door A that does not start yet. */
async function submit(type: 'lora' | 'dreambooth', fields: Record<string, unknown> = {}): Promise<string> {
  await noWaiting(db);
  const body = { dataset_id, type, base_model: BASE_MODEL, name: type, config: CONFIG, start: false, ...fields };
  const answer = await api.post('/api/training/submit', body, owner.headers);
  const submitted = (await answer.json()) as SubmittedTraining;
  expect(answer.status, JSON.stringify(submitted)).toBe(200);
  return submitted.job_id;
}

/** Starts what was submitted, and waits for its end. */
async function train(job_id: string): Promise<Training> {
  await db.asOwner(`UPDATE lowrank.training_jobs SET config = jsonb_set(config, '{plan,sample_steps}', $2) WHERE id = $1`, [
    job_id,
    SAMPLE_STEPS,
  ]);
  expect((await api.post(`/api/jobs/${job_id}/start`, {}, owner.headers)).status).toBe(200);
  const over = await untilJob(db, job_id, isOver, WITHIN_MS);
  expect(over, over.error_stack ?? '').toMatchObject({ status: 'completed', attempt: 1 });
  return read<Training>(`/api/training/${job_id}`);
}

/** The bytes of the file of an artifact that a person downloads. */
async function download(artifact: Artifact, path: string): Promise<Buffer> {
  const file = artifact.files.find((one) => one.path === path);
  const sent = await api.request(`/api/artifacts/${artifact.id}/download?file=${file?.id}`, { headers: owner.headers });
  expect(sent.status).toBe(303);
  const answer = await api.request(sent.headers.get('location') ?? '');
  expect(answer.status).toBe(200);
  return Buffer.from(await answer.arrayBuffer());
}

const sumOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const planOf = async (job_id: string) =>
  (
    await db.asOwner<{ config: { plan: Record<string, unknown> } }>('SELECT config FROM lowrank.training_jobs WHERE id = $1', [
      job_id,
    ])
  )[0]?.config.plan;

describe('a training on pictures that came by door A', { timeout: 2 * WITHIN_MS }, () => {
  test('has a dataset that a worker checked', async () => {
    const answer = await api.request('/api/datasets/upload', {
      method: 'POST',
      headers: { 'content-type': 'application/zip', ...owner.headers },
      body: await pictures(),
    });
    expect(answer.status).toBe(201);
    dataset_id = ((await answer.json()) as DatasetUploaded).id;
    const status = async () => (await read<Dataset>(`/api/datasets/${dataset_id}`)).status;
    await expect.poll(status, { timeout: WITHIN_MS, interval: 100 }).not.toBe('validating');
    expect(await read<Dataset>(`/api/datasets/${dataset_id}`)).toMatchObject({
      status: 'ready',
      training_ready: true,
      num_samples: 8,
      total_training_pairs: 6,
      validation_errors: [],
    });
    const metadata = { class_prompt: 'a photo of circle' };
    const changed = await api.request(`/api/datasets/${dataset_id}`, json({ metadata }, owner.headers, 'PATCH'));
    expect(changed.status).toBe(200);
  });

  test('is drawn by its captions where it shows no one thing', async () => {
    expect(await planOf(await submit('lora'))).toMatchObject({
      prior: null,
      instance_prompt: null,
      sample_prompts: [captionOf(0), captionOf(1), captionOf(2)],
    });
  });

  test('of one thing ends with an adapter that fits its pipeline and is downloaded whole', async () => {
    const job_id = await submit('dreambooth', { trigger_words: ['sks'] });
    const training = await train(job_id);
    expect(training).toMatchObject({ type: 'dreambooth', progress: 100, current_step: 100, total_steps: 100 });
    expect(await planOf(job_id)).toMatchObject({
      modality: 'image',
      model_kind: 'stable-diffusion',
      resolution: 256,
      prior: { class_prompt: 'a photo of circle', class_images: 2, weight: 1 },
      sample_prompts: ['a photo of sks circle'],
    });
    // `completed` is written after a process of its own has loaded the adapter onto its pipeline: see publish-adapter.ts.
    const artifact = await read<Artifact>(`/api/artifacts/${training.artifact_id}`);
    const told = artifact.files.find(({ path }) => path === WEIGHTS);
    expect(told?.sha256).toBe(artifact.sha256);
    expect(artifact).toMatchObject({ kind: 'adapter', job_id, base_model: { hf_repo_id: BASE_MODEL } });
    const bytes = await download(artifact, WEIGHTS);
    expect([bytes.length, sumOf(bytes)]).toEqual([told?.bytes, artifact.sha256]);
    const losses = await db.asOwner('SELECT loss FROM lowrank.metrics_points WHERE job_id = $1', [job_id]);
    expect(losses.length).toBeGreaterThan(0);
    // Drawn before the first step, after every fifth part of the steps, and at the end; stored beside the run and after it.
    const samplesOf = async () => (await read<{ data: { samples: number } }>(`/api/jobs/${job_id}`)).data.samples;
    await expect.poll(samplesOf, { timeout: WITHIN_MS, interval: 50 }).toBe(6);
    const { samples } = (await read<{ data: { samples: TrainingSample[] } }>(`/api/jobs/${job_id}/samples`)).data;
    expect(samples.map(({ step }) => step)).toEqual([0, 20, 40, 60, 80, 100]);
    expect(new Set(samples.map(({ prompt, seed, width }) => `${prompt} ${seed} ${width}`)).size).toBe(1);
    const drawn = await db.asOwner<{ sha256: string }>(
      "SELECT data->'image'->>'sha256' AS sha256 FROM lowrank.job_events WHERE job_id = $1 AND type = 'sample' ORDER BY seq",
      [job_id],
    );
    const pictures = [];
    for (const { image_url } of samples) {
      const answer = await api.request(image_url ?? '', { headers: owner.headers });
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'image/png']);
      pictures.push({ sha256: sumOf(Buffer.from(await answer.arrayBuffer())) });
    }
    expect(pictures).toEqual(drawn);
    await scene.expectOrder(10_000);
  });
});
