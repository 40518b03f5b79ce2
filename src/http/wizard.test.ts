import { describe, expect, test } from 'vitest';
import type { Experiment } from '#/contract/experiments.ts';
import type { WizardJob } from '#/contract/jobs.ts';
import { makeTrainerConfig, StoredConfig } from '#/domain/run-config.ts';
import { addCaller } from '../../test/api.ts';
import { addDataset } from '../../test/factories.ts';
import {
  addAdapter,
  api,
  asked,
  base_model_id,
  dataset_id,
  db,
  judge,
  owner,
  pathsOf,
  read,
  stranger,
} from '../../test/wizard-scene.ts';

const NO_ID = '00000000-0000-4000-8000-000000000000';
const submit = (fields: Record<string, unknown> = {}, headers: Record<string, string> = owner.headers) =>
  api.post('/api/jobs', { name: 'Wizard', ...asked(fields) }, headers);
const submitted = async (fields: Record<string, unknown> = {}) => {
  const answer = await submit(fields);
  expect(answer.status).toBe(201);
  return (await answer.json()) as WizardJob;
};

describe('a submission', () => {
  test('is the plain job with its experiment, PENDING, with everything filled in', async () => {
    const job = await submitted({ metadata: { origin: 'wizard', template_id: null } });
    expect(job).toMatchObject({
      name: 'Wizard',
      type: 'lora',
      status: 'PENDING',
      celery_task_id: job.id,
      experiment_id: expect.any(String),
      recipe_id: expect.any(String),
      total_steps: 20,
      adapters: [],
      train: {
        max_steps: 20,
        global_batch_size: 8,
        grad_accum: 1,
        learning_rate: 1e-4,
        warmup_steps: 20,
        seed: 42,
        checkpoint_interval: 100,
      },
      strategy: { type: 'none', mixed_precision: 'bf16' },
      resources: { gpus: 1, gpu_type: expect.any(String), partition_id: null },
      eval: { suites: [], interval: 100 },
      export: ['safetensors'],
      metadata: { origin: 'wizard', template_id: null },
      skipped: [],
    });
    expect(await read(`/api/experiments/${job.experiment_id}`)).toMatchObject({
      name: 'Wizard',
      recipe_id: job.recipe_id,
      base_model_id,
      dataset_id,
      status: 'PENDING',
      jobs: [{ id: job.id }],
    });
  });

  test('reaches the trainer’s configuration with all that it says', async () => {
    const adapter_id = await addAdapter({ user_id: owner.user_id, base_model_id, rank: 16 });
    const job = await submitted({
      adapters: [{ adapter_id }],
      train: {
        max_steps: 30,
        global_batch_size: 12,
        grad_accum: 3,
        learning_rate: 2e-4,
        warmup_steps: 5,
        seed: 7,
        checkpoint_interval: 9,
      },
      strategy: { type: 'none', mixed_precision: 'fp16' },
      eval: { suites: ['held_out_loss'], interval: 6 },
    });
    const stored = StoredConfig.parse(job.config);
    expect(stored.spec.run.adapters).toEqual([adapter_id]);
    const init_adapters = [{ path: '/adapter', sha256: 'a'.repeat(64) }];
    const config = makeTrainerConfig(stored, {
      job_id: job.id,
      attempt: 1,
      dataset_path: '/d',
      base_model_path: '/m',
      job_folder: '/j',
      output_path: '/j/1',
      resume_from: null,
      device: 'cuda',
      compute_capability: 9,
      init_adapters,
    });
    expect(config).toMatchObject({
      method: 'lora',
      training_params: {
        batch_size: 4,
        grad_accum: 3,
        max_steps: 30,
        epochs: null,
        learning_rate: 2e-4,
        warmup_steps: 5,
        seed: 7,
        precision: 'fp16',
      },
      eval: { interval_steps: 6 },
      checkpoint_interval: 9,
      init_adapters,
      devices: 1,
      strategy: 'none',
      export: ['safetensors'],
    });
  });

  test('on several GPUs shares its batch among them, and a batch that they cannot share is refused', async () => {
    const train = { max_steps: 20, global_batch_size: 12, grad_accum: 2 };
    const shared = (gpus: number, fields: object = {}) => ({ train, resources: { gpus, gpu_type: 'H100' }, ...fields });
    const job = await submitted(shared(3, { strategy: { type: 'fsdp' } }));
    expect(job).toMatchObject({
      train: { global_batch_size: 12, grad_accum: 2, max_steps: 20 },
      strategy: { type: 'fsdp' },
      resources: { gpus: 3 },
    });
    expect(StoredConfig.parse(job.config).plan).toMatchObject({ devices: 3, micro_batch: 2, grad_accum: 2, strategy: 'fsdp' });
    expect(await submitted(shared(2))).toMatchObject({ strategy: { type: 'ddp' } });
    // Without a type they are of what the machine has, and as many.
    const own = await submitted({ train, resources: { gpus: 2 } });
    expect([own.resources, own.config.own_device]).toMatchObject([{ gpus: 2, gpu_type: 'CPU' }, true]);
    const again = await api.post(`/api/jobs/${own.id}/clone?view=wizard`, {}, owner.headers);
    expect(await again.json()).toMatchObject({ resources: { gpus: 2 }, config: { own_device: true, plan: { devices: 2 } } });
    expect((await judge(shared(4))).errors).toContainEqual(
      expect.stringMatching(/does not divide into 2 forward passes on 4 GPUs/),
    );
    const b = { dataset_id, base_model_id, preset_id: 'balanced' };
    const onGpus = (count: number) => api.post('/api/jobs', { ...b, gpu_config: { type: 'H100', count } }, owner.headers);
    const machine = await api.post('/api/jobs', { ...b, gpu_config: { type: null, count: 2 } }, owner.headers);
    expect((await machine.json()).data.gpu_config).toEqual({ type: 'CPU', count: 2 });
    expect((await (await onGpus(2)).json()).data).toMatchObject({ config: { plan: { devices: 2, micro_batch: 2 } } });
    const refused = await onGpus(8);
    expect(refused.status).toBe(422);
    expect(await refused.json()).toMatchObject({
      error: expect.stringMatching(/4 rows does not divide among 8 GPUs: take 4, or a batch_size that is a multiple of 8/),
      violations: [{ path: 'gpu_config.count', code: 'batch_does_not_divide' }],
    });
  });

  test('tells what the trainer lacks as a warning and as the job’s first events', async () => {
    const wishes = { eval: { suites: ['held_out_loss', 'mmlu'] }, export: ['safetensors', 'gguf'] };
    expect((await judge(wishes)).warnings.filter((warning) => /skipped/.test(warning))).toHaveLength(2);
    const job = await submitted(wishes);
    expect(job).toMatchObject({
      eval: { suites: ['held_out_loss', 'mmlu'] },
      export: ['safetensors', 'gguf'],
      skipped: [
        { kind: 'eval', name: 'mmlu' },
        { kind: 'export', name: 'gguf' },
      ],
    });
    const { data } = await read<{ data: { events: Record<string, unknown>[] } }>(`/api/jobs/${job.id}/events`);
    expect(data.events).toMatchObject([
      { seq: 1, type: 'state', to_status: 'queued' },
      { seq: 2, type: 'skipped', message: expect.stringMatching(/mmlu/), data: { kind: 'eval', name: 'mmlu' } },
      { seq: 3, type: 'skipped', message: expect.stringMatching(/gguf/), data: { kind: 'export', name: 'gguf' } },
    ]);
    const cancelled = await api.request(`/api/jobs/${job.id}/cancel?view=wizard`, { method: 'POST', headers: owner.headers });
    expect(await cancelled.json()).toMatchObject({ status: 'CANCELLED' });
    const [gaps] = await db.asOwner(
      'SELECT max(seq) = count(*) AS whole, max(seq) AS last FROM lowrank.job_events WHERE job_id = $1',
      [job.id],
    );
    expect(gaps).toEqual({ whole: true, last: 4 });
  });

  test('that its preflight speaks against is a 422 with that judgement, and nothing is stored', async () => {
    const count = async () =>
      (
        await db.asOwner('SELECT (SELECT count(*) FROM lowrank.training_jobs) + (SELECT count(*) FROM lowrank.experiments) AS n')
      )[0];
    const before = await count();
    const fields = { train: { max_steps: 20, global_batch_size: 7, grad_accum: 2 } };
    const answer = await submit(fields);
    const body = (await answer.json()) as Record<string, unknown>;
    expect([answer.status, body.code]).toEqual([422, 'preflight_failed']);
    expect(body).toMatchObject({ ...(await judge(fields)), details: [expect.objectContaining({ code: 'preflight' })] });
    for (const one of [
      { dataset_id: NO_ID },
      { base_model_id: NO_ID },
      { recipe_id: NO_ID },
      { adapters: [{ adapter_id: NO_ID }] },
    ])
      expect((await submit(one)).status).toBe(422);
    expect(await count()).toEqual(before);
  });

  test('of a stranger is told of none, as by their own', async () => {
    const [foreign, none] = [await submit({}, stranger.headers), await submit({ dataset_id: NO_ID }, stranger.headers)];
    const { request_id: _a, ...first } = (await foreign.json()) as Record<string, unknown>;
    const { request_id: _b, ...second } = (await none.json()) as Record<string, unknown>;
    expect([foreign.status, first]).toEqual([none.status, second]);
    expect(foreign.status).toBe(422);
    const job = await submitted();
    for (const path of [`/api/jobs/${job.id}?view=wizard`, `/api/experiments/${job.experiment_id}`])
      expect((await api.request(path, { headers: stranger.headers })).status).toBe(404);
  });

  test('with one Idempotency-Key is one job, however its preflight would be now', async () => {
    const dataset = await addDataset(db, owner.user_id);
    const headers = { ...owner.headers, 'idempotency-key': 'wizard' };
    const first = await submit({ dataset_id: dataset }, headers);
    await db.asOwner(`UPDATE lowrank.datasets SET status = 'error', training_ready = false WHERE id = $1`, [dataset]);
    const again = await submit({ dataset_id: dataset }, headers);
    expect([first.status, again.status, again.headers.get('idempotent-replayed')]).toEqual([201, 201, 'true']);
    expect(await again.json()).toEqual(await first.json());
    expect((await submit({ dataset_id: dataset, name: 'other' }, headers)).status).toBe(409);
  });

  test('shares its limit with the other doors: ten a minute', async () => {
    expect((await submit()).headers.get('ratelimit-limit')).toBe('10');
    const [bucket] = await db.asOwner('SELECT used FROM lowrank.rate_limits WHERE bucket = $1', [`submit:${owner.user_id}`]);
    expect(bucket).toEqual({ used: 1 });
  });

  test('takes the rest from a template of one’s own', async () => {
    const defaults = { rank: 8, alpha: 8, warmup_steps: 3, seed: 9, grad_accum: 2 };
    const template = (await (
      await api.post('/api/recipes', { name: 'Mine', method: 'dora', defaults }, owner.headers)
    ).json()) as { id: string };
    const job = await submitted({ recipe_id: template.id });
    expect(job).toMatchObject({
      type: 'dora',
      recipe_id: template.id,
      hyperparameters: { rank: 8, alpha: 8, batch_size: 4 },
      train: { warmup_steps: 3, seed: 9, grad_accum: 2, global_batch_size: 8 },
    });
  });
});

describe('the shape of a submission', () => {
  test('tells its door, and a mix is refused by name', async () => {
    const answer = await submit({ preset_id: 'fast', hyperparameters: { rank: 8 } });
    expect([answer.status, await pathsOf(answer)]).toEqual([400, ['hyperparameters', 'preset_id']]);
    const b = await api.post('/api/jobs', { dataset_id, base_model_id, preset_id: 'fast' }, owner.headers);
    expect(await b.json()).toMatchObject({ success: true, data: { status: 'queued', preset_id: 'fast' } });
  });

  test('decides in whose words it is refused: rows here, a sentence and violations at door B', async () => {
    const c = await submit({ train: { max_steps: 0, steps: 1 }, resources: {}, name: '' });
    expect([c.status, await pathsOf(c)]).toEqual([
      400,
      ['name', 'resources.gpus', 'train.global_batch_size', 'train.max_steps', 'train.steps'],
    ]);
    const b = await api.post('/api/jobs', { dataset_id, preset_id: 'fastest', nonsense: 1 }, owner.headers);
    const told = (await b.json()) as { details: string; violations: { path: string; message: string }[] };
    expect(told.violations.map((row) => row.path).sort()).toEqual(['nonsense', 'preset_id']);
    expect(told.details).toMatch(/preset_id must be one of fast/);
  });

  test.each(['null', '[]', '"train"', '5'])('is not %s', async (body) => {
    const answer = await api.request('/api/jobs', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...owner.headers },
      body,
    });
    expect(answer.status).toBe(400);
  });
});

describe('?view=wizard', () => {
  test('reads any job plainly and in capitals, one by one and in lists, and tries it again', async () => {
    const person = await addCaller(db);
    const mine = await addDataset(db, person.user_id);
    const b = await api.post('/api/jobs', { dataset_id: mine, base_model_id, preset_id: 'fast' }, person.headers);
    const { id } = ((await b.json()) as { data: { id: string } }).data;
    expect(await read(`/api/jobs/${id}?view=wizard`, person.headers)).toMatchObject({
      id,
      status: 'PENDING',
      experiment_id: null,
      recipe_id: null,
      train: { global_batch_size: 8, max_steps: 12 },
    });
    expect(await read('/api/jobs?view=wizard&limit=5', person.headers)).toMatchObject({
      jobs: [{ id, status: 'PENDING' }],
      total: 1,
      total_is_estimate: false,
      limit: 5,
      offset: 0,
      next_cursor: null,
    });
    expect(await read(`/api/jobs/${id}`, person.headers)).toMatchObject({ success: true, data: { status: 'queued' } });
    const missing = await api.request(`/api/jobs/${NO_ID}?view=wizard`, { headers: person.headers });
    expect([missing.status, ((await missing.json()) as { details: unknown }).details]).toEqual([404, []]);
  });

  test('tries again within the same experiment', async () => {
    const job = await submitted();
    await db.asOwner(`UPDATE lowrank.training_jobs SET status = 'cancelled' WHERE id = $1`, [job.id]);
    const answer = await api.request(`/api/jobs/${job.id}/retry?view=wizard`, { method: 'POST', headers: owner.headers });
    const again = (await answer.json()) as WizardJob;
    expect(again).toMatchObject({ status: 'PENDING', experiment_id: job.experiment_id, retried_from: job.id, train: job.train });
    const experiment = await read<Experiment>(`/api/experiments/${job.experiment_id}`);
    expect(experiment.jobs.map((one) => one.id)).toEqual([again.id, job.id]);
  });
});
