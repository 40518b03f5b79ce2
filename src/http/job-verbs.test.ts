import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { TrainingJob, WizardJob } from '#/contract/jobs.ts';
import { limitsOf } from '#/domain/run-config.ts';
import { env } from '#/env.ts';
import { claimJob } from '#/services/jobs/claim-job.ts';
import { silenceJobBell } from '#/services/jobs/job-bell.ts';
import { registerWorker } from '#/services/machine/register-worker.ts';
import { addCaller, noWaiting, useApi } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import { addBaseModel, addDataset, addJob } from '../../test/factories.ts';

const db = useDatabase();
const api = useApi();
type Row = Record<'path' | 'message', string>;
const NO_ID = '00000000-0000-4000-8000-000000000000';
const WORKER = 'worker';
let owner: Awaited<ReturnType<typeof addCaller>>;
let stranger: Awaited<ReturnType<typeof addCaller>>;
let base_model_id: string;
let dataset_id: string;
beforeAll(async () => {
  const gpus = Array.from({ length: 64 }, (_, at) => ({ kind: 'gpu' as const, uuid: `GPU-${at}`, name: 'Test', memory_mb: 1 }));
  await registerWorker({ id: WORKER, boot_id: 'boot', pid: 1, version: '0', facts: {} }, gpus);
  base_model_id = await addBaseModel(db, { hf_repo_id: 'owner/tiny', hf_revision: 'main' });
});
afterAll(silenceJobBell);
// A person for each test: what one of them has in the queue is nobody else's turn.
beforeEach(async () => {
  await noWaiting(db);
  await db.asOwner('DELETE FROM lowrank.training_jobs');
  owner = await addCaller(db);
  stranger = await addCaller(db);
  dataset_id = await addDataset(db, owner.user_id);
});

const claimed = async () => (await claimJob(WORKER, 'process', 30_000))?.job_id ?? null;
const post = (path: string, headers: Record<string, string> = owner.headers, body: unknown = {}) => api.post(path, body, headers);
const codeOf = async (answer: Response) => [answer.status, ((await answer.json()) as { code?: string }).code];
const dataOf = async (answer: Response, status = 200) => {
  expect([answer.status, await answer.clone().text()]).toEqual([status, expect.any(String)]);
  return ((await answer.json()) as { data: TrainingJob }).data;
};
const read = async (id: string) => dataOf(await api.request(`/api/jobs/${id}`, { headers: owner.headers }));
const mine = (fields: Record<string, unknown> = {}) => addJob(db, owner.user_id, { dataset_id, base_model_id, ...fields });

/** A job as door B makes it. */
const submitted = async (more: Record<string, unknown> = {}) => {
  const asked = { dataset_id, base_model_id, preset_id: 'fast', ...more };
  return (await dataOf(await post('/api/jobs', owner.headers, asked), 201)).id;
};
const config = { steps: 100 };
const train = { max_steps: 20, global_batch_size: 8 };
/** The same training at each door, with what every submission takes. */
const DOORS: [door: string, submit: (more: Record<string, unknown>) => Promise<string>][] = [
  [
    'A',
    async (more) => {
      const asked = { dataset_id, type: 'lora', base_model: 'owner/tiny', config, ...more };
      const answer = await post('/api/training/submit', owner.headers, asked);
      return ((await answer.json()) as { job_id: string }).job_id;
    },
  ],
  ['B', submitted],
  [
    'C',
    async (more) => {
      const asked = { name: 'C', dataset_id, base_model_id, recipe_id: 'lora', train, resources: { gpus: 1 }, ...more };
      return ((await (await post('/api/jobs', owner.headers, asked)).json()) as WizardJob).id;
    },
  ],
];

describe('a held job', () => {
  test.each(DOORS)('of door %s is not claimed before it is started, and then at once', async (_, submit) => {
    const id = await submit({ start: false });
    expect(await read(id)).toMatchObject({ status: 'queued', held_at: expect.any(String) });
    expect(await claimed()).toBeNull();
    expect(await dataOf(await post(`/api/jobs/${id}/start`))).toMatchObject({ id, status: 'queued', held_at: null });
    expect(await claimed()).toBe(id);
  });

  test('is started once: said again it is answered as it is, also while it runs', async () => {
    const id = await mine({ held_at: new Date() });
    const started = await dataOf(await post(`/api/jobs/${id}/start`));
    expect(await dataOf(await post(`/api/jobs/${id}/start`))).toEqual(started);
    expect(await claimed()).toBe(id);
    expect(await dataOf(await post(`/api/jobs/${id}/start`))).toMatchObject({ id, status: 'initializing' });
  });

  test('that has been cancelled is a conflict; a stranger’s is not found and stays held', async () => {
    const id = await mine({ held_at: new Date() });
    expect(await codeOf(await post(`/api/jobs/${id}/start`, stranger.headers))).toEqual([404, 'not_found']);
    expect(await codeOf(await post(`/api/jobs/${NO_ID}/start`))).toEqual([404, 'not_found']);
    expect((await read(id)).held_at).not.toBeNull();
    expect(await dataOf(await post(`/api/jobs/${id}/cancel`))).toMatchObject({ status: 'cancelled' });
    expect(await codeOf(await post(`/api/jobs/${id}/start`))).toEqual([409, 'job_already_final']);
  });

  test('is started in the words of door C, too', async () => {
    const id = await mine({ held_at: new Date() });
    const answer = await post(`/api/jobs/${id}/start?view=wizard`);
    expect([answer.status, await answer.json()]).toEqual([
      200,
      expect.objectContaining({ id, status: 'PENDING', held_at: null }),
    ]);
  });
});

describe('a pause', () => {
  const pause = (id: string, headers = owner.headers) => post(`/api/jobs/${id}/pause`, headers);
  const resume = (id: string, headers = owner.headers) => post(`/api/jobs/${id}/resume`, headers);

  test('of a job that waits holds it until it is resumed', async () => {
    const id = await submitted();
    const paused = await dataOf(await pause(id));
    expect(paused).toMatchObject({ status: 'queued', held_at: expect.any(String), pause_requested_at: expect.any(String) });
    expect(await dataOf(await pause(id))).toEqual(paused);
    expect(await claimed()).toBeNull();
    expect(await dataOf(await resume(id))).toMatchObject({ status: 'queued', held_at: null, pause_requested_at: null });
    expect(await claimed()).toBe(id);
  });

  test('again and again ends at the most runs that a job may have', async () => {
    const often = await mine({ held_at: new Date(), attempt: 1_000 });
    expect(await codeOf(await resume(often))).toEqual([409, 'conflict']);
    expect(await codeOf(await post(`/api/jobs/${often}/start`))).toEqual([409, 'conflict']);
    const once_less = await mine({ held_at: new Date(), attempt: 999 });
    expect(await dataOf(await resume(once_less))).toMatchObject({ held_at: null });
  });

  test('of a job that runs is a wish, noted once, which a resume takes back', async () => {
    const id = await mine({ status: 'running', attempt: 1 });
    const wished = await dataOf(await pause(id));
    expect(wished).toMatchObject({ status: 'running', held_at: null, pause_requested_at: expect.any(String) });
    expect(await dataOf(await pause(id))).toEqual(wished);
    expect(await dataOf(await resume(id))).toMatchObject({ status: 'running', pause_requested_at: null });
  });

  test('of a job that is over is a conflict; a stranger’s is not found and goes on', async () => {
    const over = await mine({ status: 'completed' });
    expect(await codeOf(await pause(over))).toEqual([409, 'job_already_final']);
    expect(await codeOf(await resume(over))).toEqual([409, 'job_already_final']);
    const id = await mine();
    for (const verb of [pause, resume]) {
      expect(await codeOf(await verb(id, stranger.headers))).toEqual([404, 'not_found']);
      expect(await codeOf(await verb(NO_ID))).toEqual([404, 'not_found']);
    }
    expect(await read(id)).toMatchObject({ held_at: null, pause_requested_at: null });
  });
});

describe('cancelling', () => {
  const cancel = (id: string, body: unknown, headers = owner.headers) => post(`/api/jobs/${id}/cancel`, headers, body);
  const discards = async (id: string) =>
    (await db.asOwner('SELECT discard_requested_at IS NOT NULL AS wish FROM lowrank.training_jobs WHERE id = $1', [id]))[0]?.wish;

  test('keeps the last checkpoint unless it is to be discarded, which may be said afterwards', async () => {
    const id = await mine({ status: 'running', attempt: 1 });
    for (const body of [{}, { discard: false }]) {
      expect((await cancel(id, body)).status).toBe(200);
      expect(await discards(id)).toBe(false);
    }
    expect((await cancel(id, { discard: true }, stranger.headers)).status).toBe(404);
    expect(await discards(id)).toBe(false);
    expect((await cancel(id, { discard: true })).status).toBe(200);
    expect(await discards(id)).toBe(true);
  });

  test('refuses by name what is no wish', async () => {
    const answer = await cancel(await mine(), { discard: 'yes', force: true });
    const told = (await answer.json()) as { violations: { path: string }[] };
    expect([answer.status, told.violations.map((row) => row.path).sort()]).toEqual([400, ['discard', 'force']]);
  });
});

describe('the priority', () => {
  test.each(DOORS)('of door %s goes before age among one’s own jobs', async (_, submit) => {
    const [first, last, usual] = [await submit({ priority: -10 }), await submit({}), await submit({ priority: 10 })];
    await db.asOwner('UPDATE lowrank.user_queues SET active_max = 9 WHERE user_id = $1', [owner.user_id]);
    await db.asOwner('INSERT INTO lowrank.job_slots (user_id, slot) SELECT $1, generate_series(3, 9)', [owner.user_id]);
    expect([await claimed(), await claimed(), await claimed()]).toEqual([usual, last, first]);
  });

  test.each([
    ['/api/training/submit', 11],
    ['/api/jobs', -11],
    ['/api/jobs', 0.5],
    ['/api/jobs', '1'],
  ])('at %s is refused when it is %j', async (path, priority) => {
    const answer = await post(path, owner.headers, { priority });
    const told = (await answer.json()) as { details: { path: string }[]; violations?: { path: string }[] };
    expect([answer.status, (told.violations ?? told.details).map((row) => row.path)]).toEqual([
      400,
      expect.arrayContaining(['priority']),
    ]);
  });
});

describe('the first steps alone', () => {
  const specOf = async (id: string) => (await read(id)).config.spec as { probe_only: unknown };

  test.each(DOORS.filter(([door]) => door !== 'A'))('can be asked for at door %s, and are planned as such', async (_, submit) => {
    const id = await submit({ probe_only: true });
    expect((await specOf(id)).probe_only).toBe(true);
    expect(await read(id)).toMatchObject({ total_steps: 8, estimated_total_cost: null, measured: null });
    const whole = await submit({});
    expect((await specOf(whole)).probe_only).toBe(false);
    expect((await read(whole)).total_steps).toBeGreaterThan(8);
  });

  test('are what they were when the job is asked for again', async () => {
    const id = await submitted({ probe_only: true });
    await db.asOwner("UPDATE lowrank.training_jobs SET status = 'cancelled' WHERE id = $1", [id]);
    const again = await dataOf(await post(`/api/jobs/${id}/retry`), 201);
    expect((await specOf(again.id)).probe_only).toBe(true);
  });

  test.each([
    ['/api/jobs', {}, 'yes', 'probe_only'],
    ['/api/jobs', { recipe_id: 'lora' }, 1, 'probe_only'],
    ['/api/training/submit', {}, true, 'probe_only'],
  ])('at %s with %j are refused as %j by name', async (path, body, probe_only, field) => {
    const answer = await post(path, owner.headers, { ...body, probe_only });
    const told = (await answer.json()) as { details: { path: string }[]; violations?: { path: string }[] };
    expect([answer.status, (told.violations ?? told.details).map((row) => row.path)]).toEqual([
      400,
      expect.arrayContaining([field]),
    ]);
  });
});

describe('limits', () => {
  const eventsOf = async (id: string) => {
    const answer = await api.request(`/api/jobs/${id}/events`, { headers: owner.headers });
    const { data } = (await answer.json()) as { data: { events: { seq: number; type: string; data: { name?: string } }[] } };
    return data.events.map(({ seq, type, data: { name } }) => [seq, type, name]);
  };
  const specOf = async (id: string) => (await read(id)).config.spec as { limits: unknown; training_image_id: unknown };
  const kept = { cpus: 2, memory_gb: 8, disk_gb: 20, runtime_hours: 1.5 };

  test.each(DOORS)('at door %s are stored, and those that are not kept here are told by the job', async (_, submit) => {
    const limits = { ...kept, shm_gb: 1 };
    const id = await submit({ limits });
    expect((await specOf(id)).limits).toEqual(limits);
    expect(await eventsOf(id)).toEqual([
      [1, 'state', undefined],
      [2, 'skipped', 'shm_gb'],
    ]);
    const other = await submit({ limits: kept });
    expect((await specOf(other)).limits).toEqual(kept);
    expect(await eventsOf(other)).toHaveLength(1);
    expect((await specOf(await submit({}))).limits).toEqual({});
  });

  describe('by the settings', () => {
    beforeEach(() =>
      db.asOwner(`INSERT INTO lowrank.settings (key, value) VALUES ('limits_max', '{"memory_gb": 16, "disk_gb": 50}'),
        ('default_limits', '{"memory_gb": 8, "cpus": 2}')`),
    );
    afterEach(() => db.asOwner(`DELETE FROM lowrank.settings WHERE key IN ('limits_max', 'default_limits')`));
    const grantedTo = async (id: string) => (await read(id)).config.limits;

    test.each(DOORS)('at door %s are those of whoever asks for none, and stay what they were', async (_, submit) => {
      const id = await submit({});
      expect([(await specOf(id)).limits, await grantedTo(id)]).toEqual([{}, { memory_gb: 8, cpus: 2, disk_gb: 50 }]);
      const other = await submit({ limits: { memory_gb: 16, runtime_hours: 1 } });
      const granted = { cpus: 2, memory_gb: 16, disk_gb: 50, runtime_hours: 1 };
      expect([await grantedTo(other), limitsOf((await read(other)).config)]).toEqual([granted, granted]);
      await db.asOwner(`UPDATE lowrank.settings SET value = '{"memory_gb": 4}' WHERE key = 'limits_max'`);
      expect(await grantedTo(other)).toEqual(granted);
      // The same again is asked anew: of what was asked for, by the settings of the day.
      expect(await grantedTo((await dataOf(await post(`/api/jobs/${id}/clone`), 201)).id)).toEqual({ cpus: 2, memory_gb: 4 });
      expect(await codeOf(await post(`/api/jobs/${other}/clone`))).toEqual([422, 'not_trainable']);
    });

    test.each([
      ['A', '/api/training/submit', () => ({ type: 'lora', base_model: 'owner/tiny', config })],
      ['B', '/api/jobs', () => ({ base_model_id, preset_id: 'fast' })],
      ['C', '/api/jobs', () => ({ name: 'C', base_model_id, recipe_id: 'lora', train, resources: { gpus: 1 } })],
    ])(
      'at door %s are refused above the maximum, each by its name with the way out, and nothing is stored',
      async (_, path, body) => {
        const limits = { memory_gb: 16.5, disk_gb: 51, cpus: 512 };
        const answer = await post(path, owner.headers, { dataset_id, ...body(), limits });
        const told = (await answer.json()) as { code: string; details: Row[]; violations?: Row[] };
        expect([answer.status, told.code, (told.violations ?? told.details).map(({ path, message }) => [path, message])]).toEqual(
          [
            422,
            'not_trainable',
            [
              [
                'limits.memory_gb',
                expect.stringMatching(/is 16.5, .* at most 16: ask for no more, or an administrator raises limits_max/),
              ],
              ['limits.disk_gb', expect.stringMatching(/is 51, .* at most 50/)],
            ],
          ],
        );
        expect(await db.asOwner('SELECT 1 FROM lowrank.training_jobs')).toEqual([]);
      },
    );
  });

  test('of shared memory are kept where trainings run in containers', async () => {
    onTestFinished(() => void Object.assign(env, { LOWRANK_EXECUTOR: 'process' }));
    env.LOWRANK_EXECUTOR = 'docker';
    expect(await eventsOf(await submitted({ limits: { ...kept, shm_gb: 1 } }))).toEqual([[1, 'state', undefined]]);
  });

  const bodies = {
    A: ['/api/training/submit', {}],
    B: ['/api/jobs', {}],
    C: ['/api/jobs', { recipe_id: 'lora' }],
  } as const;
  test.each(Object.entries(bodies))('at door %s are refused out of their ranges, all at once', async (_, [path, body]) => {
    const limits = { cpus: 0, memory_gb: '8', shm_gb: -1, disk_gb: null, runtime_hours: 25, gpus: 1 };
    const answer = await post(path, owner.headers, { ...body, limits, training_image_id: 'x' });
    const told = (await answer.json()) as { details: { path: string }[]; violations?: { path: string }[] };
    expect([answer.status, (told.violations ?? told.details).map((row) => row.path)]).toEqual([
      400,
      expect.arrayContaining([...Object.keys(limits).map((name) => `limits.${name}`), 'training_image_id']),
    ]);
  });

  test('an image for the training is not found while there is none, and nothing is stored', async () => {
    const submissions = [
      post('/api/training/submit', owner.headers, {
        dataset_id,
        type: 'lora',
        base_model: 'owner/tiny',
        config,
        training_image_id: NO_ID,
      }),
      post('/api/jobs', owner.headers, { dataset_id, base_model_id, training_image_id: NO_ID }),
      post('/api/jobs', owner.headers, {
        ...{ name: 'C', dataset_id, base_model_id, recipe_id: 'lora', train, resources: { gpus: 1 } },
        training_image_id: NO_ID,
      }),
    ];
    for (const answer of await Promise.all(submissions)) {
      const told = (await answer.json()) as { code: string; details: { path: string }[]; violations?: { path: string }[] };
      expect([answer.status, told.code, (told.violations ?? told.details).map((row) => row.path)]).toEqual([
        404,
        'not_found',
        ['training_image_id'],
      ]);
    }
    expect(await db.asOwner('SELECT 1 FROM lowrank.training_jobs')).toEqual([]);
    expect((await specOf(await submitted({ training_image_id: null }))).training_image_id).toBeNull();
  });
});

describe('a clone', () => {
  test.each(DOORS)('of a job of door %s is a new job of the same spec, whatever became of that', async (door, submit) => {
    const id = await submit({ priority: 4 });
    const before = await read(id);
    const clone = await dataOf(await api.request(`/api/jobs/${id}/clone`, { method: 'POST', headers: owner.headers }), 201);
    expect(clone).toMatchObject({ status: 'queued', held_at: null, retried_from: id, attempt: 0, progress: 0 });
    for (const same of ['name', 'dataset_id', 'base_model_id', 'type', 'hyperparameters', 'total_steps', 'priority'] as const)
      expect([same, clone[same]]).toEqual([same, before[same]]);
    // Nobody waits to hear how its launch goes.
    const { awaits_launch, ...spec } = before.config.spec as Record<string, unknown>;
    expect(awaits_launch).toBe(door === 'A' ? true : undefined);
    expect(clone.config).toEqual({ ...before.config, spec });
    const wizard = async (job: string) =>
      (await (await api.request(`/api/jobs/${job}?view=wizard`, { headers: owner.headers })).json()) as WizardJob;
    const experiments = [(await wizard(id)).experiment_id, (await wizard(clone.id)).experiment_id];
    expect(experiments[0]).toBe(experiments[1]);
    expect(experiments[0] !== null).toBe(door === 'C');
    expect(await read(id)).toEqual(before);
  });

  test('may have a name, a priority and a start of its own', async () => {
    const id = await submitted();
    const changes = { name: 'Once more', priority: -3, start: false };
    const clone = await dataOf(await post(`/api/jobs/${id}/clone`, owner.headers, changes), 201);
    expect(clone).toMatchObject({ name: 'Once more', priority: -3, held_at: expect.any(String), retried_from: id });
  });

  test('with one Idempotency-Key is one job, and with it another clone is a conflict', async () => {
    const id = await submitted();
    const headers = { ...owner.headers, 'idempotency-key': 'clone' };
    const first = await post(`/api/jobs/${id}/clone`, headers);
    const again = await post(`/api/jobs/${id}/clone`, headers);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(await again.text()).toBe(await first.text());
    expect(await codeOf(await post(`/api/jobs/${id}/clone`, headers, { name: 'other' }))).toEqual([
      409,
      'idempotency_key_reused',
    ]);
  });

  test('with one Idempotency-Key is told again once the job that it repeats is deleted', async () => {
    const id = await submitted();
    const headers = { ...owner.headers, 'idempotency-key': 'clone-of-deleted' };
    const first = await post(`/api/jobs/${id}/clone`, headers);
    await post(`/api/jobs/${id}/cancel`);
    expect((await api.request(`/api/jobs/${id}`, { method: 'DELETE', headers: owner.headers })).status).toBe(204);
    const again = await post(`/api/jobs/${id}/clone`, headers);
    expect([again.status, await again.text()]).toEqual([201, await first.text()]);
    expect(await codeOf(await post(`/api/jobs/${id}/clone`))).toEqual([404, 'not_found']);
  });

  test('of a stranger’s job is not found; what it does not know is refused by name', async () => {
    const id = await submitted();
    expect(await codeOf(await post(`/api/jobs/${id}/clone`, stranger.headers))).toEqual([404, 'not_found']);
    expect(await codeOf(await post(`/api/jobs/${NO_ID}/clone`))).toEqual([404, 'not_found']);
    const answer = await post(`/api/jobs/${id}/clone`, owner.headers, { name: '', priority: 11, steps: 1 });
    const told = (await answer.json()) as { violations: { path: string }[] };
    expect([answer.status, told.violations.map((row) => row.path).sort()]).toEqual([400, ['name', 'priority', 'steps']]);
  });

  test('of a dataset that is gone since is refused as a submission of it is', async () => {
    const id = await submitted();
    await db.asOwner(`UPDATE lowrank.datasets SET status = 'error', training_ready = false WHERE id = $1`, [dataset_id]);
    expect(await codeOf(await post(`/api/jobs/${id}/clone`))).toEqual([409, 'dataset_not_ready']);
  });
});
