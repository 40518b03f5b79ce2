import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bareFailure } from '#/domain/run-verdict.ts';
import { settleRun } from '#/services/jobs/finish-run.ts';
import { silenceJobBell } from '#/services/jobs/job-bell.ts';
import { connectStorage } from '#/storage/connect-storage.ts';
import { localFolder } from '#/storage/local-folder.ts';
import { addCaller, json, makeApi, noWaiting } from '../../test/api.ts';
import { startClaimer } from '../../test/claimer.ts';
import { DOOR_A_FIELDS, type FieldRow } from '../../test/contract-tables/door-a.ts';
import { useDatabase } from '../../test/database.ts';
import { addBaseModel, addDataset, addJob } from '../../test/factories.ts';
import { brokenInvariants } from '../../test/invariants.ts';
import type { Api } from './api-env.ts';

const db = useDatabase();
const NO_ID = '00000000-0000-4000-8000-000000000000';
let folder: string;
let api: Api;
let caller: Awaited<ReturnType<typeof addCaller>>;
let dataset_id: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lowrank-door-a-'));
  connectStorage(localFolder(folder));
  api = makeApi();
});
afterAll(async () => {
  await silenceJobBell();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await db.asOwner('TRUNCATE identity.users, lowrank.base_models, lowrank.workers, lowrank.rate_limits CASCADE');
  caller = await addCaller(db);
  dataset_id = await addDataset(db, caller.user_id);
  await addBaseModel(db, { hf_repo_id: 'acme/tiny', hf_requested_revision: 'main', hf_revision: 'c0ffee', name: 'acme/tiny' });
});

/** Held, so that nothing is waited for. */
const asked = (fields: Record<string, unknown> = {}): Record<string, unknown> => ({
  dataset_id,
  type: 'lora',
  base_model: 'acme/tiny',
  config: {},
  ...fields,
});
const submit = (body: unknown, headers: Record<string, string> = {}) =>
  api.request('/api/training/submit', json(body, { ...caller.headers, ...headers }));
const look = async (id: string, headers = caller.headers) => {
  const answer = await api.request(`/api/training/${id}`, { headers });
  return { status: answer.status, body: await answer.json() };
};

/** The held submission as JSON text with one member set to the given text, or left out. */
function bodyWith(field: string, text: string | undefined): string {
  const [name = '', member] = field.split('.');
  const parts: Record<string, string> = Object.fromEntries(
    Object.entries(asked({ start: false })).map(([key, value]) => [key, JSON.stringify(value)]),
  );
  const value = text?.replaceAll('UUID', dataset_id);
  if (member !== undefined) parts[name] = value === undefined ? '{}' : `{"${member}":${value}}`;
  else if (value === undefined) delete parts[name];
  else parts[name] = value;
  return `{${Object.entries(parts).map(([key, one]) => `"${key}":${one}`)}}`;
}

const valueAt = (record: Record<string, never>, field: string): unknown =>
  field.split('.').reduce((at: unknown, name) => (at as Record<string, unknown>)[name], record);

describe('each field of a submission', () => {
  test('is in the table', () => {
    expect(DOOR_A_FIELDS).toHaveLength(12);
    expect(DOOR_A_FIELDS.flatMap((row) => row.refuses).length).toBeGreaterThan(100);
  });

  test.each(DOOR_A_FIELDS)('$field is taken as its rule says, and comes back', async ({ field, takes }: FieldRow) => {
    for (const text of takes) {
      await noWaiting(db);
      const answer = await submit(bodyWith(field, text));
      const told = await answer.json();
      expect([text, answer.status, told]).toEqual([text, 200, expect.objectContaining({ success: true, status: 'queued' })]);
      if (field === 'config') continue;
      const value = JSON.parse(text.replaceAll('UUID', dataset_id));
      const { body } = await look(told.job_id);
      expect([text, valueAt(body, field)]).toEqual([text, value === 'acme/tiny@main' ? 'acme/tiny' : value]);
    }
  });

  test.each(DOOR_A_FIELDS)('$field is refused in one row that names it', async ({ field, refuses }: FieldRow) => {
    const before = await db.asOwner('SELECT count(*)::int AS n FROM lowrank.training_jobs');
    for (const [text, code, path] of refuses) {
      await noWaiting(db);
      const answer = await submit(bodyWith(field, text));
      const told = await answer.json();
      expect([text, answer.status, told.code]).toEqual([text, 400, 'invalid_request']);
      expect([text, told.details]).toEqual([text, [{ path: path ?? field, code, message: expect.stringMatching(/./) }]]);
    }
    expect(await db.asOwner('SELECT count(*)::int AS n FROM lowrank.training_jobs')).toEqual(before);
  });

  test.each(DOOR_A_FIELDS)('$field is required or has its default', async ({ field, default: fallback }: FieldRow) => {
    const answer = await submit(bodyWith(field, undefined));
    const told = await answer.json();
    const [name = ''] = field.split('.');
    if (fallback === null) {
      expect([answer.status, told.details]).toEqual([400, [{ path: name, code: 'required', message: 'is required' }]]);
      return;
    }
    expect(answer.status).toBe(200);
    const { body } = await look(told.job_id);
    if (fallback !== undefined) expect(valueAt(body, field)).toEqual(JSON.parse(fallback));
    else expect(body.name).toMatch(/^Training \d{4}-\d\d-\d\d \d\d:\d\d$/);
  });

  test('that is broken is told with all the others, and what is not known is named', async () => {
    const answer = await submit({
      dataset_id: '123',
      type: 'full',
      base_model: 'tiny',
      name: '',
      config: { learning_rate: '1e-4', batch_size: 9, steps: 99, resolution: 300, lora_rank: true, lora_alpha: 0, dropout: 0.1 },
      trigger_words: ['', 7],
      epochs: 3,
      status: 'completed',
    });
    const { details } = await answer.json();
    expect(answer.status).toBe(400);
    expect(details.map((row: { path: string }) => row.path).sort()).toEqual(
      [
        ...['base_model', 'config.batch_size', 'config.dropout', 'config.learning_rate', 'config.lora_alpha'],
        ...['config.lora_rank', 'config.resolution', 'config.steps', 'dataset_id', 'epochs', 'name', 'status'],
        ...['trigger_words.0', 'trigger_words.1', 'type'],
      ].sort(),
    );
  });
});

describe('a refusal', () => {
  const codeOf = async (answer: Response) => [answer.status, (await answer.json()).code];

  test.each([
    ['', 400, 'invalid_json'],
    ['{', 400, 'invalid_json'],
    ['{"config":{"steps":NaN}}', 400, 'invalid_json'],
    ['{"config":{"steps":Infinity}}', 400, 'invalid_json'],
    ['[]', 400, 'invalid_request'],
  ])('of %j is %i %s', async (text, status, code) => {
    expect(await codeOf(await submit(text))).toEqual([status, code]);
  });

  test('of nobody is 401, of a key that only reads 403', async () => {
    expect(await codeOf(await api.request('/api/training/submit', json(asked())))).toEqual([401, 'unauthenticated']);
    const reader = await addCaller(db, { scopes: ['read'] });
    expect(await codeOf(await submit(asked(), reader.headers))).toEqual([403, 'insufficient_scope']);
  });

  test('tells a dataset of somebody else (403) from none (404), and a deleted one counts as none', async () => {
    const stranger = await addCaller(db);
    expect(await codeOf(await submit(asked(), stranger.headers))).toEqual([403, 'forbidden']);
    expect(await codeOf(await submit(asked({ dataset_id: NO_ID })))).toEqual([404, 'not_found']);
    const deleted = await addDataset(db, stranger.user_id, { deleted_at: new Date() });
    expect(await codeOf(await submit(asked({ dataset_id: deleted })))).toEqual([404, 'not_found']);
    expect(await codeOf(await submit(asked({ start: false })))).toEqual([200, undefined]);
    // Door B tells nobody.
    const door_b = await api.request('/api/jobs', json({ dataset_id }, stranger.headers));
    expect(await codeOf(door_b)).toEqual([404, 'not_found']);
  });

  test.each([
    ['is being checked', { status: 'validating' }, 409, 'dataset_not_ready'],
    ['is in error', { status: 'error' }, 409, 'dataset_not_ready'],
    ['has no row to train on', { total_training_pairs: 0 }, 409, 'dataset_not_ready'],
    ['is not ready for training', { training_ready: false }, 409, 'dataset_not_ready'],
    ['is of images', { modality: 'image' }, 422, 'not_trainable'],
  ])('of a dataset that %s says so', async (_, fields, status, code) => {
    const other = await addDataset(db, caller.user_id, fields);
    expect(await codeOf(await submit(asked({ dataset_id: other })))).toEqual([status, code]);
  });

  test('of what no trainer here trains is 422 with the way out', async () => {
    const answer = await submit(asked({ type: 'dreambooth', trigger_words: ['zwx'] }));
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({ code: 'not_trainable', message: expect.stringContaining('send type "lora"') });
    const status_reason = JSON.stringify({ code: 'not_causal', message: 'it is an encoder' });
    await addBaseModel(db, { hf_repo_id: 'en/coder', hf_requested_revision: 'main', trainable: false, status_reason });
    const encoder = await submit(asked({ base_model: 'en/coder' }));
    expect(await encoder.json()).toMatchObject({ code: 'not_trainable', message: expect.stringContaining('it is an encoder') });
    expect(await db.asOwner('SELECT 1 FROM lowrank.training_jobs')).toEqual([]);
  });

  test('of the eleventh submission within a minute is 429, counted together with door B', async () => {
    const { headers } = caller;
    for (let at = 0; at < 5; at++) await submit({});
    for (let at = 0; at < 5; at++) await api.request('/api/jobs', json({}, headers));
    const answer = await submit(asked());
    expect(await codeOf(answer.clone())).toEqual([429, 'rate_limited']);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect([answer.headers.get('ratelimit-limit'), answer.headers.get('ratelimit-remaining')]).toEqual(['10', '0']);
    expect(Number(answer.headers.get('ratelimit-reset'))).toBeGreaterThan(0);
    expect((await api.request('/api/jobs', json({}, headers))).status).toBe(429);
  });
});

describe('a submission', () => {
  test('ends as the same job that every other door sees, counted in steps', async () => {
    const { job_id } = await (await submit(asked({ start: false, config: { steps: 300, batch_size: 4 }, priority: 3 }))).json();
    const { data } = await (await api.request(`/api/jobs/${job_id}`, { headers: caller.headers })).json();
    expect(data).toMatchObject({
      type: 'lora',
      preset_id: 'custom',
      total_steps: 300,
      // 95 rows in batches of 4 are 24 steps a pass.
      total_epochs: 13,
      priority: 3,
      hyperparameters: { learning_rate: 1e-4, batch_size: 4, epochs: null, rank: 16, alpha: 32, dropout: 0 },
      base_model: { name: 'acme/tiny' },
    });
    const [notice] = await db.asOwner("SELECT type FROM lowrank.notifications WHERE metadata ->> 'job_id' = $1", [job_id]);
    expect(notice).toEqual({ type: 'job_queued' });
  });

  test('is its owner’s alone', async () => {
    const { job_id } = await (await submit(asked({ start: false }))).json();
    const stranger = await addCaller(db);
    expect((await look(job_id)).status).toBe(200);
    expect((await look(job_id, stranger.headers)).status).toBe(404);
    expect((await look(NO_ID)).status).toBe(404);
  });

  test('is looked at in this door’s words', async () => {
    const job = await addJob(db, caller.user_id, { status: 'initializing', dataset_id, config: { spec: {} } });
    expect((await look(job)).body).toMatchObject({ id: job, status: 'pending', error: null, config: { resolution: null } });
    await db.asOwner("UPDATE lowrank.training_jobs SET status = 'failed', slot = NULL, error_code = 'nan_loss' WHERE id = $1", [
      job,
    ]);
    expect((await look(job)).body).toMatchObject({ status: 'failed', error: { code: 'nan_loss' } });
  });

  test('of a model that is not registered registers it once and waits for it', async () => {
    const body = asked({ base_model: 'acme/new@v2' });
    const [first, second] = await Promise.all([submit(body), submit(body)]);
    const told = await first.json();
    expect(told).toMatchObject({ status: 'queued', message: expect.stringContaining('acme/new is being fetched') });
    expect(second.status).toBe(200);
    const models = await db.asOwner(
      "SELECT hf_requested_revision AS revision, status, created_by FROM lowrank.base_models WHERE hf_repo_id = 'acme/new'",
    );
    expect(models).toEqual([{ revision: 'v2', status: 'fetching', created_by: caller.user_id }]);
    expect((await look(told.job_id)).body).toMatchObject({
      status: 'queued',
      current_stage: 'fetching_model',
      base_model: 'acme/new@v2',
    });
  });

  test('that is refused registers no model', async () => {
    await submit(asked({ base_model: 'acme/new', dataset_id: NO_ID }));
    expect(await db.asOwner("SELECT 1 FROM lowrank.base_models WHERE hf_repo_id = 'acme/new'")).toEqual([]);
  });

  test('with an Idempotency-Key is one job with one answer', async () => {
    const body = asked({ start: false });
    const first = await submit(body, { 'idempotency-key': 'one' });
    const again = await submit(body, { 'idempotency-key': 'one' });
    expect(await again.text()).toBe(await first.text());
    expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([200, 'true']);
    const other = await submit({ ...body, name: 'other' }, { 'idempotency-key': 'one' });
    expect((await other.json()).code).toBe('idempotency_key_reused');
    expect(await db.asOwner('SELECT count(*)::int AS n FROM lowrank.training_jobs')).toEqual([{ n: 1 }]);
  });
});

describe('the answer waits for the launch', () => {
  test('and says running when the trainer runs', async () => {
    const worker = await startClaimer();
    const told = await (await submit(asked({ name: 'Now', trigger_words: ['zwx'] }))).json();
    await worker.stop();
    expect(told).toMatchObject({ success: true, status: 'running', message: expect.stringContaining('Now is running') });
    expect(told.message).toContain('Trigger words');
    expect((await look(told.job_id)).body.status).toBe('running');
  });

  test('and is a 500 with the job when it cannot be launched, again for the same key', async () => {
    const failure = bareFailure('launch_failed', 'The image is not there.');
    const worker = await startClaimer((run) => settleRun(run, { type: 'failed', failure }, null, 0));
    const answer = await submit(asked(), { 'idempotency-key': 'broken' });
    await worker.stop();
    const told = await answer.json();
    expect([answer.status, told]).toEqual([
      500,
      expect.objectContaining({
        code: 'launch_failed',
        job_id: expect.any(String),
        message: expect.stringContaining('The image is not'),
      }),
    ]);
    expect(told.details).toEqual([{ path: 'job', code: 'launch_failed', message: expect.stringContaining('lowrank doctor') }]);
    expect((await look(told.job_id)).body).toMatchObject({ status: 'failed', error: { code: 'launch_failed' } });
    const again = await submit(asked(), { 'idempotency-key': 'broken' });
    expect([again.status, (await again.json()).job_id]).toEqual([500, told.job_id]);
  });

  test('and is one for all who ask with the same key meanwhile', async () => {
    const worker = await startClaimer();
    const ask = () => submit(asked(), { 'idempotency-key': 'together' });
    const answers = await Promise.all([ask(), ask(), ask()]);
    await worker.stop();
    const told = new Set<string>();
    // One that came while the first was being stored is told to come again.
    for (const answer of answers) if (answer.status === 200) told.add(await answer.text());
    told.add(await (await ask()).text());
    expect(told.size).toBe(1);
    expect(worker.claimed).toHaveLength(1);
  });

  test('and says queued when the launch was put off', async () => {
    const worker = await startClaimer((run) => settleRun(run, { type: 'not_started' }, null, 60_000), 1);
    await db.asOwner('UPDATE lowrank.user_queues SET active_max = 1');
    const told = await (await submit(asked())).json();
    await worker.stop();
    expect(told.status).toBe('queued');
  });

  test('and says queued when there is no worker, no place or no model, without waiting long', async () => {
    const none = await (await submit(asked())).json();
    expect(none).toMatchObject({ status: 'queued', message: expect.stringContaining('starts by itself') });
    const held = await (await submit(asked({ start: false }))).json();
    expect(held).toMatchObject({ status: 'queued', message: expect.stringContaining('held') });
  });

  test('and twenty at once give two running and eighteen queued', async () => {
    const wave = () => Promise.all(Array.from({ length: 10 }, () => submit(asked())));
    const worker = await startClaimer();
    const first = wave();
    for (let used = 0; used < 10; ) {
      const [row] = await db.asOwner<{ used: number }>('SELECT used FROM lowrank.rate_limits');
      used = row?.used ?? 0;
    }
    await noWaiting(db);
    const answers = [...(await first), ...(await wave())];
    await worker.stop();
    expect(answers.map((answer) => answer.status)).toEqual(Array(20).fill(200));
    const told = await Promise.all(answers.map((answer) => answer.json()));
    expect(told.filter((one) => one.status === 'running')).toHaveLength(2);
    expect(told.filter((one) => one.status === 'queued')).toHaveLength(18);
    expect(new Set(told.map((one) => one.job_id)).size).toBe(20);
    const now = await db.asOwner('SELECT status, count(*)::int AS n FROM lowrank.training_jobs GROUP BY 1 ORDER BY 1');
    expect(now).toEqual([
      { status: 'queued', n: 18 },
      { status: 'running', n: 2 },
    ]);
    expect(await brokenInvariants(db, [])).toEqual([]);
  });
});

describe('a training on images', () => {
  const SHAPE = { version: 1, shape: null, image: { kind: 'sdxl', denoiser: 2.567e9, encoders: 8.18e8, vae: 8.4e7, side: 1024 } };
  const STATISTICS = { images: 12, class_images: 0, captions: { with: 12 }, buckets: { 512: [{ samples: 12 }] } };
  const images = (fields: Record<string, unknown> = {}) =>
    addDataset(db, caller.user_id, {
      modality: 'image',
      format: 'images',
      num_samples: 12,
      total_training_pairs: 12,
      total_validation_pairs: 0,
      statistics: JSON.stringify(STATISTICS),
      ...fields,
    });
  const pipeline = (fields: Record<string, unknown> = {}) =>
    addBaseModel(db, {
      name: 'acme/sdxl',
      hf_repo_id: 'acme/sdxl',
      hf_requested_revision: 'main',
      hf_revision: 'c0ffee',
      modality: 'image',
      architecture: 'StableDiffusionXLPipeline',
      shape: JSON.stringify(SHAPE),
      context_length: null,
      has_chat_template: false,
      ...fields,
    });
  const held = (fields: Record<string, unknown>) => submit(asked({ base_model: 'acme/sdxl', start: false, ...fields }));
  const planOf = async (job_id: string) =>
    (await db.asOwner('SELECT config FROM lowrank.training_jobs WHERE id = $1', [job_id]))[0]?.config;

  test('is planned as it was asked for, foretold, and keeps what DreamBooth needs', async () => {
    await pipeline();
    const plain = await images();
    const first = await held({ dataset_id: plain, config: { steps: 120, resolution: 768, batch_size: 2 } });
    expect([first.status, (await first.clone().json()).message]).toEqual([200, expect.not.stringMatching(/prior|Trigger/)]);
    const { plan, forecast } = await planOf((await first.json()).job_id);
    expect(plan).toMatchObject({ modality: 'image', model_kind: 'sdxl', resolution: 768, total_steps: 120, prior: null });
    expect(forecast).toMatchObject({ features: null, device_bytes: { figure: expect.any(Number) } });

    const classy = await images({ metadata: JSON.stringify({ class_prompt: 'a photo of a dog' }) });
    const second = await held({ dataset_id: classy, type: 'dreambooth', trigger_words: ['zwx'], config: { steps: 100 } });
    expect((await second.clone().json()).message).not.toMatch(/prior|trigger word/);
    expect((await planOf((await second.json()).job_id)).plan).toMatchObject({
      instance_prompt: 'a photo of zwx dog',
      prior: { class_prompt: 'a photo of a dog', class_images: 100, weight: 1 },
    });

    await noWaiting(db);
    const third = await held({ dataset_id: plain, type: 'dreambooth' });
    expect((await third.json()).message).toMatch(/learned under "sks".*without prior preservation/);
  });

  test('is refused where dataset, method and base model do not belong together, and says what does', async () => {
    await pipeline();
    const dataset = await images();
    const refusal = async (answer: Response) => {
      const told = await answer.json();
      return [answer.status, told.code, told.details?.[0]?.code ?? told.violations?.[0]?.code];
    };
    const mismatch = [422, 'not_trainable', 'modality_mismatch'];
    expect(await refusal(await held({}))).toEqual(mismatch);
    expect(await refusal(await held({ dataset_id: dataset, base_model: 'acme/tiny' }))).toEqual(mismatch);
    expect(await refusal(await held({ type: 'dreambooth', base_model: 'acme/tiny' }))).toEqual(mismatch);
    const door_b = { dataset_id: dataset, hyperparameters: {} };
    const by_preset = await api.request('/api/jobs', json(door_b, caller.headers));
    expect([by_preset.status, (await by_preset.json()).error]).toEqual([422, expect.stringMatching(/api\/training\/submit/)]);
    const estimate = {
      dataset_id: dataset,
      gpu_config: { type: 'L4', count: 1 },
      hyperparameters: { learning_rate: 1e-4, batch_size: 1, epochs: 1, rank: 8 },
    };
    expect((await api.request('/api/jobs/estimate', json(estimate, caller.headers))).status).toBe(422);
    const stranger = await addCaller(db);
    expect((await submit(asked({ dataset_id: dataset, base_model: 'acme/sdxl' }), stranger.headers)).status).toBe(403);
  });

  test('on a pipeline that is not there yet waits for it, by its name as well as it can be told', async () => {
    const dataset = await images();
    const answer = await held({ dataset_id: dataset, base_model: 'stabilityai/stable-diffusion-xl-base-1.0' });
    const { job_id, status } = await answer.json();
    expect([answer.status, status]).toEqual([200, 'queued']);
    expect((await planOf(job_id)).plan.model_kind).toBe('sdxl');
  });

  test('by a recipe is judged by its pictures, and takes what is asked of images', async () => {
    const base_model_id = await pipeline();
    const sides = { short: { min: 400, median: 500 } };
    const dataset = await images({ num_samples: 3, statistics: JSON.stringify({ ...STATISTICS, sides, captions: { with: 0 } }) });
    const ask = (fields: Record<string, unknown> = {}) => ({
      base_model_id,
      dataset_id: dataset,
      recipe_id: 'lora',
      train: { max_steps: 50, global_batch_size: 2 },
      resources: { gpus: 1, gpu_type: 'L40S' },
      ...fields,
    });
    const judged = await (
      await api.request('/api/experiments/preflight', json(ask({ image: { resolution: 1024 } }), caller.headers))
    ).json();
    expect([judged.ok, judged.verdict]).toEqual([true, 'fits']);
    const said = judged.warnings.join(' ');
    for (const word of [
      /is small: 3 samples, fewer than 5/,
      /short side below 1024 pixels/,
      /has a caption, and no trigger word/,
    ])
      expect(said).toMatch(word);
    expect(said).not.toMatch(/tokens|vocabulary/i);
    const refused = await (
      await api.request('/api/experiments/preflight', json(ask({ recipe_id: 'dora' }), caller.headers))
    ).json();
    expect([refused.ok, refused.errors[0]]).toEqual([false, expect.stringMatching(/^ERROR: .*DoRA trains text/)]);
    const image = { resolution: 512, sample_prompts: ['a hen'], train_text_encoder: true };
    const job = await (
      await api.request('/api/jobs', json(ask({ name: 'Hens', image, trigger_words: ['zwx'] }), caller.headers))
    ).json();
    expect(job).toMatchObject({ status: 'PENDING', type: 'lora' });
    expect((await planOf(job.id)).plan).toMatchObject({ ...image, instance_prompt: 'zwx' });
  });
});
