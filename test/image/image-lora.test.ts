// An image LoRA as door A has it: pictures uploaded, a pipeline fetched, trained in a container of the real image.
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import type { Artifact } from '#/contract/artifacts.ts';
import type { Dataset, DatasetUploaded } from '#/contract/datasets.ts';
import { env } from '#/env.ts';
import { bitmap } from '../bitmap.ts';
import { dockerDaemonAt } from '../docker-daemon.ts';
import { setDoorA } from '../door-a-scene.ts';
import type { Files } from '../hub-writes.ts';
import { isOver, untilJob } from '../worker-process.ts';
import { buildImage, PLAIN_IMAGE } from './built-image.ts';

const STEPS = 100;
/** Starts of Python with torch and diffusers on a busy machine, and some steps. */
const WITHIN_MS = 400_000;
const docker_folder = inject('docker_folder');

/** The files of a Stable Diffusion pipeline of a few thousand random weights a component. */
async function pipeline(): Promise<Files> {
  const folder = await mkdtemp(join(tmpdir(), 'lowrank-pipeline-'));
  try {
    const words = [join(env.repo, 'demo/make_tiny_pipelines.py'), folder, '--kinds', 'stable-diffusion'];
    await promisify(execFile)(env.python, words);
    const root = join(folder, 'stable-diffusion');
    const files = (await readdir(root, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    const paths = files.map(({ parentPath, name }) => join(parentPath, name));
    return Object.fromEntries(await Promise.all(paths.map(async (path) => [path.slice(root.length + 1), await readFile(path)])));
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe.runIf(docker_folder !== null)('an image LoRA', () => {
  const { host: DOCKER_HOST } = dockerDaemonAt(docker_folder ?? '');
  let files: Files;
  beforeAll(async () => {
    [files] = await Promise.all([pipeline(), buildImage(DOCKER_HOST, PLAIN_IMAGE)]);
  }, 1_200_000);
  const house = setDoorA(
    {
      variables: {
        ...{ LOWRANK_EXECUTOR: 'docker', TRAINING_IMAGE: PLAIN_IMAGE, DOCKER_HOST },
        ...{ LOWRANK_TRAINER: undefined as unknown as string, LOWRANK_TIME_DIVISOR: '4' },
      },
    },
    async () => ({ 'acme/tiny-sd': files }),
  );

  test('of pictures that were uploaded, on a pipeline of the Hub, trains in its container and loads in diffusers', {
    timeout: WITHIN_MS,
  }, async () => {
    const body = new FormData();
    for (const at of [1, 2, 3, 4]) body.append('file', new File([new Uint8Array(bitmap(at, 256, 256))], `${at}.bmp`));
    const { id: dataset_id } = await house.call<DatasetUploaded>('/api/datasets/upload', { method: 'POST', body });
    const checked = async () => (await house.call<Dataset>(`/api/datasets/${dataset_id}`)).status;
    await expect.poll(checked, { timeout: 60_000 }).toBe('ready');

    const config = { steps: STEPS, resolution: 256, lora_rank: 4, lora_alpha: 4 };
    const asked = { dataset_id, type: 'lora', base_model: 'acme/tiny-sd', config, trigger_words: ['sks'] };
    const { job_id } = await house.submit(0, asked);
    const job = await untilJob(house.db, job_id, isOver, WITHIN_MS);
    expect(job, job.error_stack ?? '').toMatchObject({ status: 'completed', attempt: 1, current_step: STEPS });

    expect(await house.configOf(job_id)).toMatchObject({
      model_kind: 'stable-diffusion',
      base_model: { id: 'acme/tiny-sd', path: expect.stringMatching(/^\/workspace\/models\//) },
      training_params: { max_steps: STEPS, resolution: 256, lora_rank: 4 },
      instance_prompt: 'sks',
    });
    const lived_in = JSON.parse(await readFile(join(house.host.data_dir, 'runs', job_id, '1/container.json'), 'utf8'));
    expect(lived_in).toMatchObject({ image: PLAIN_IMAGE });
    // `completed` is written after a process of its own has loaded the adapter onto its base: see publish-adapter.ts.
    const { data } = await house.call<{ data: { artifacts: Artifact[] } }>(`/api/jobs/${job_id}/artifacts`);
    const names = data.artifacts.flatMap(({ files }) => files.map(({ path }) => path));
    expect(names).toEqual(expect.arrayContaining(['pytorch_lora_weights.safetensors', 'kohya_lora_weights.safetensors']));
    expect(data.artifacts[0]?.passport).toMatchObject({ config: { model_kind: 'stable-diffusion', trigger_words: ['sks'] } });
    const curve = await house.db.asOwner<{ loss: number }>('SELECT loss FROM lowrank.metrics_points WHERE job_id = $1', [job_id]);
    expect(curve.length).toBeGreaterThan(10);
    expect(curve.every(({ loss }) => Number.isFinite(loss))).toBe(true);
  });
});
