import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { bareFailure } from '#/domain/run-verdict.ts';
import { failUnstartable } from '#/services/jobs/fail-unstartable.ts';
import { settleRun } from '#/services/jobs/finish-run.ts';
import { addCaller, json, noWaiting } from '../../test/api.ts';
import { startClaimer } from '../../test/claimer.ts';
import { DOOR_A_FIELDS, type FieldRow } from '../../test/contract-tables/door-a.ts';
import { addBaseModel, addDataset, addJob, addRow } from '../../test/factories.ts';
import { brokenInvariants } from '../../test/invariants.ts';
import { api, asked, caller, dataset_id, db, submit } from '../../test/submission-scene.ts';

const NO_ID = '00000000-0000-4000-8000-000000000000';
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

  test('takes a folder that is registered under that name, and of a revision or of somebody else’s folder the Hub’s', async () => {
    const folder = await addBaseModel(db, { name: 'acme/offline' });
    const stranger = await addCaller(db);
    const project_id = randomUUID();
    await addRow(db, 'lowrank.projects', { id: project_id, user_id: stranger.user_id, name: 'Theirs' });
    await addBaseModel(db, { name: 'acme/theirs', created_by: stranger.user_id, project_id, narrowed: true });
    await addBaseModel(db, { name: 'acme/broken', status: 'error' });
    const modelOf = async (base_model: string) => {
      const { job_id } = await (await submit(asked({ base_model, start: false }))).json();
      const [job] = await db.asOwner<{ id: string; hub: string | null; told: string }>(
        `SELECT m.id, m.hf_repo_id AS hub FROM lowrank.training_jobs j JOIN lowrank.base_models m ON m.id = j.base_model_id WHERE j.id = $1`,
        [job_id],
      );
      return { ...job, told: (await look(job_id)).body.base_model };
    };
    expect(await modelOf('acme/offline')).toEqual({ id: folder, hub: null, told: 'acme/offline' });
    for (const name of ['acme/offline@v2', 'acme/theirs', 'acme/broken'])
      expect(await modelOf(name)).toMatchObject({ hub: name.split('@')[0], told: name });
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

  test('and is that, too, for a fault that the worker knows of before it claims anything', async () => {
    const answered = submit(asked());
    await expect.poll(() => failUnstartable('w', 'the engine has no image.', 30_000), { interval: 10 }).toHaveLength(1);
    const answer = await answered;
    expect([answer.status, await answer.json()]).toEqual([
      500,
      expect.objectContaining({ code: 'launch_failed', message: expect.stringContaining('the engine has no image') }),
    ]);
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
