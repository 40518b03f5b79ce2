import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { claimJob } from '#/services/jobs/claim-job.ts';
import { settleRun } from '#/services/jobs/finish-run.ts';
import { beginLook, noteDevices } from '#/services/machine/note-devices.ts';
import { quarantineDevice } from '#/services/machine/quarantine-device.ts';
import { registerWorker } from '#/services/machine/register-worker.ts';
import { connectStorage } from '#/storage/connect-storage.ts';
import { localFolder } from '#/storage/local-folder.ts';
import { addBrowser, addCaller, emptyHouse, json, noWaiting, useApi } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import { addBaseModel, addDataset, addJob } from '../../test/factories.ts';

const db = useDatabase();
const api = useApi();
const EVERY_DAY = [1, 2, 3, 4, 5, 6, 7];
const NIGHTS = { begin: '22:00', end: '06:00', time_zone: 'Europe/Berlin', weekdays: EVERY_DAY };
const NO_ID = '00000000-0000-4000-8000-000000000000';
const DEFAULTS = {
  ...{ active_jobs_per_user: 2, user_quota_gb: 50, default_base_model_id: null, draining: false, quiet_hours: null },
  ...{ default_limits: {}, limits_max: {} },
};
let admin: Awaited<ReturnType<typeof addCaller>>;
let user: Awaited<ReturnType<typeof addCaller>>;
let folder: string;
let listener: pg.Client;
beforeAll(async () => {
  listener = new pg.Client({ connectionString: db.loginUrl('scheduler') });
  await listener.connect();
  folder = mkdtempSync(join(tmpdir(), 'lowrank-settings-'));
  connectStorage(localFolder(folder));
});
afterAll(async () => {
  await listener.end();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await noWaiting(db);
  await emptyHouse(db);
  await db.asOwner('TRUNCATE lowrank.workers CASCADE');
  await db.asOwner(`DELETE FROM lowrank.settings WHERE key <> 'active_jobs_per_user'`);
  await db.asOwner(`UPDATE lowrank.settings SET value = '2'`);
  admin = await addCaller(db, { role: 'administrator' });
  user = await addCaller(db);
});

const read = async () => (await api.request('/api/settings', { headers: admin.headers })).json();
const change = (body: unknown, who = admin) => api.request('/api/settings', json(body, who.headers, 'PATCH'));
const codeOf = async (answer: Response) => [answer.status, (await answer.json()).code];

/** A worker with eight devices. */
const addWorker = () =>
  registerWorker(
    { id: 'w', boot_id: 'b', pid: 1, version: '0', facts: { host: 'gpu-1' } },
    Array.from({ length: 8 }, (_, at) => ({ kind: 'gpu' as const, uuid: `GPU-${at}`, name: 'G', memory_mb: 8 })),
  );
const claim = () => claimJob('w', 'process', 30_000);
/** Claims as long as something may start, and says whose jobs did. */
async function claimAll(): Promise<Record<string, number>> {
  while ((await claim()) !== null);
  const rows = await db.asOwner<{ user_id: string; n: number }>(
    'SELECT user_id, count(*)::integer AS n FROM lowrank.training_jobs WHERE slot IS NOT NULL GROUP BY user_id',
  );
  return Object.fromEntries(rows.map(({ user_id, n }) => [user_id, n]));
}
async function addJobs(user_id: string, count: number): Promise<void> {
  const shared = { dataset_id: await addDataset(db, user_id), base_model_id: await addBaseModel(db) };
  for (let i = 0; i < count; i++) await addJob(db, user_id, shared);
}

describe('the settings', () => {
  test('are an administrator’s to see and to change', async () => {
    expect(await read()).toEqual(DEFAULTS);
    expect((await api.request('/api/settings')).status).toBe(401);
    expect(await codeOf(await api.request('/api/settings', { headers: user.headers }))).toEqual([403, 'forbidden']);
    expect(await codeOf(await change({ active_jobs_per_user: 9 }, user))).toEqual([403, 'forbidden']);
    expect(await read()).toEqual(DEFAULTS);
    const changed = await change({ active_jobs_per_user: 3, user_quota_gb: 1.5 });
    expect([changed.status, await changed.json()]).toEqual([200, { ...DEFAULTS, active_jobs_per_user: 3, user_quota_gb: 1.5 }]);
    expect(await read()).toEqual({ ...DEFAULTS, active_jobs_per_user: 3, user_quota_gb: 1.5 });
    expect(await (await change({ user_quota_gb: null })).json()).toMatchObject({ user_quota_gb: 50 });
  });

  test.each([
    [{}, 'body', /at least one field/],
    [{ active_jobs_per_user: 0 }, 'active_jobs_per_user', /at least 1/],
    [{ active_jobs_per_user: 101 }, 'active_jobs_per_user', /at most 100/],
    [{ active_jobs_per_user: 1.5 }, 'active_jobs_per_user', /whole number/],
    [{ active_jobs_per_user: null }, 'active_jobs_per_user', /number/],
    [{ user_quota_gb: 0 }, 'user_quota_gb', /more than 0/],
    [{ user_quota_gb: '1' }, 'user_quota_gb', /number/],
    [{ default_base_model_id: 'x' }, 'default_base_model_id', /UUID/],
    [{ set_up: true }, 'set_up', /not a known field/],
    [{ draining: 1 }, 'draining', /true or false/],
    [{ quiet_hours: { ...NIGHTS, begin: '8:00' } }, 'quiet_hours.begin', /time of day/],
    [{ quiet_hours: { ...NIGHTS, end: '24:00' } }, 'quiet_hours.end', /time of day/],
    [{ quiet_hours: { ...NIGHTS, time_zone: 'Mars/Base' } }, 'quiet_hours.time_zone', /IANA/],
    [{ quiet_hours: { ...NIGHTS, time_zone: '+02:00' } }, 'quiet_hours.time_zone', /IANA/],
    [{ quiet_hours: { ...NIGHTS, weekdays: [] } }, 'quiet_hours.weekdays', /at least/],
    [{ quiet_hours: { ...NIGHTS, weekdays: [0] } }, 'quiet_hours.weekdays.0', /at least 1/],
    [{ quiet_hours: { ...NIGHTS, weekdays: [1, 1] } }, 'quiet_hours.weekdays', /twice/],
    [{ quiet_hours: { begin: '22:00' } }, 'quiet_hours.end', /required/],
    [{ limits_max: { cpus: 0 } }, 'limits_max.cpus', /between 1 and 512/],
    [{ limits_max: { gpus: 1 } }, 'limits_max.gpus', /not a known field/],
    [{ default_limits: { runtime_hours: 25 } }, 'default_limits.runtime_hours', /between 0.01 and 24/],
    [
      { limits_max: { cpus: 2 }, default_limits: { cpus: 3, disk_gb: 9 } },
      'default_limits.cpus',
      /at most limits_max.cpus, which is 2/,
    ],
  ])('do not take %j', async (body, path, rule) => {
    const answer = await change(body);
    const broken = expect.arrayContaining([expect.objectContaining({ path, message: expect.stringMatching(rule) })]);
    expect([answer.status, (await answer.json()).details]).toEqual([400, broken]);
    expect(await read()).toEqual(DEFAULTS);
  });

  test('say how many jobs of everybody run at once, of those who come later too; what runs goes on', async () => {
    await addWorker();
    await addJobs(user.user_id, 6);
    expect(await claimAll()).toEqual({ [user.user_id]: 2 });
    await change({ active_jobs_per_user: 4 });
    expect(await claimAll()).toEqual({ [user.user_id]: 4 });
    await change({ active_jobs_per_user: 1 });
    const later = await addCaller(db);
    await addJobs(later.user_id, 2);
    expect(await claimAll()).toEqual({ [user.user_id]: 4, [later.user_id]: 1 });
    // Down to the limit before the next one starts, and then in a slot below it.
    const runs = await db.asOwner<{ job_id: string; attempt: number; epoch: number }>(
      `SELECT id AS job_id, attempt, epoch FROM lowrank.training_jobs WHERE slot IS NOT NULL AND user_id = $1 ORDER BY slot`,
      [user.user_id],
    );
    for (const [at, run] of runs.entries()) {
      expect(await claim()).toBeNull();
      await settleRun(run, { type: 'cancelled' }, null, 0);
      if (at === 0) expect(await claim()).toBeNull();
    }
    expect(await claimAll()).toEqual({ [user.user_id]: 1, [later.user_id]: 1 });
    expect(await db.asOwner('SELECT DISTINCT slot FROM lowrank.training_jobs WHERE slot IS NOT NULL')).toEqual([{ slot: 1 }]);
  });

  test('wake the worker when somebody gets more room', async () => {
    const heard = new Promise<void>((resolve) => {
      listener.on('notification', () => resolve());
    });
    await listener.query('LISTEN lowrank_work');
    await change({ active_jobs_per_user: 3 });
    await heard;
  });

  test('let the installation run empty: nothing starts until it is said, what runs goes on, and whoever waits is told', async () => {
    await addWorker();
    await addJobs(user.user_id, 2);
    await claim();
    expect(await (await change({ draining: true })).json()).toMatchObject({ draining: true });
    expect(await claim()).toBeNull();
    const waiting = async () => (await (await api.request('/api/queue', { headers: user.headers })).json()).queue;
    expect(await waiting()).toEqual([expect.objectContaining({ reason: 'draining', unpredicted_because: 'nothing_starts' })]);
    await change({ draining: false });
    expect(await waiting()).toEqual([expect.objectContaining({ reason: 'next' })]);
    expect(await claim()).not.toBeNull();
  });

  test('have quiet hours, by the database’s clock: nothing starts in them, and the start is predicted for their end', async () => {
    await addWorker();
    await addJobs(user.user_id, 1);
    const waiting = async () => (await (await api.request('/api/queue', { headers: user.headers })).json()).queue[0];
    const at = (ms: number) => new Date(Date.now() + ms).toISOString().slice(11, 16);
    const HOUR_MS = 3_600_000;
    await change({ quiet_hours: { begin: at(-HOUR_MS), end: at(2 * HOUR_MS), time_zone: 'UTC', weekdays: EVERY_DAY } });
    expect(await claim()).toBeNull();
    const { reason, predicted_start_at } = await waiting();
    expect(reason).toBe('quiet_hours');
    expect(Math.abs(Date.parse(predicted_start_at) - Date.now() - 2 * HOUR_MS)).toBeLessThan(2 * 60_000);
    await change({ quiet_hours: { begin: at(HOUR_MS), end: at(2 * HOUR_MS), time_zone: 'UTC', weekdays: EVERY_DAY } });
    expect((await waiting()).reason).toBe('next');
    expect(await claim()).not.toBeNull();
    expect(await (await change({ quiet_hours: null })).json()).toMatchObject({ quiet_hours: null });
  });

  test.each([
    ['2026-01-05T21:59:59+01:00', null],
    ['2026-01-05T22:00:00+01:00', 8 * 3600],
    ['2026-01-06T05:59:59+01:00', 1],
    ['2026-01-06T06:00:00+01:00', null],
    // Tuesday’s night is not among the days: it begins on no evening.
    ['2026-01-06T23:00:00+01:00', null],
    ['2026-01-07T03:00:00+01:00', null],
    // Clocks go forward in this night, so it is an hour shorter.
    ['2026-03-28T22:00:00+01:00', 7 * 3600],
  ])('have quiet hours from evening to morning of their days: at %s for %j seconds more', async (instant, in_s) => {
    await change({ quiet_hours: { ...NIGHTS, weekdays: [1, 6] } });
    const [row] = await db.asOwner<{ held: unknown }>('SELECT lowrank.starts_held($1) AS held', [instant]);
    expect(row?.held).toEqual(in_s === null ? null : { reason: 'quiet_hours', in_s });
  });

  test('say how much everybody may store', async () => {
    await change({ user_quota_gb: 0.000001 });
    const upload = () =>
      api.request('/api/datasets/upload?file_name=a.jsonl', {
        method: 'POST',
        headers: { ...user.headers, 'content-type': 'application/x-ndjson', 'content-length': '2000' },
        body: 'x'.repeat(2000),
      });
    expect(await codeOf(await upload())).toEqual([413, 'quota_exceeded']);
    await change({ user_quota_gb: null });
    expect((await upload()).status).toBe(201);
  });

  test('have limits of a training, the default never above the maximum, and each change is of a whole set', async () => {
    const both = { default_limits: { memory_gb: 8, cpus: 2 }, limits_max: { memory_gb: 16 } };
    expect(await (await change(both)).json()).toMatchObject(both);
    const lowered = await change({ limits_max: { memory_gb: 4 } });
    expect([lowered.status, (await lowered.json()).details]).toEqual([
      400,
      [expect.objectContaining({ path: 'default_limits.memory_gb', message: expect.stringContaining('which is 4, and is 8') })],
    ]);
    expect(await read()).toMatchObject(both);
    await change({ limits_max: { memory_gb: 4 }, default_limits: {} });
    expect(await read()).toMatchObject({ limits_max: { memory_gb: 4 }, default_limits: {} });
  });

  test('name the base model of whoever names none: one that can be trained', async () => {
    const [one, other] = [await addBaseModel(db, { name: 'one' }), await addBaseModel(db, { name: 'other' })];
    const submit = async () => {
      const body = { dataset_id: await addDataset(db, user.user_id), preset_id: 'fast' };
      return (await api.post('/api/jobs', body, user.headers)).json();
    };
    expect((await submit()).code).toBe('base_model_required');
    for (const [fields, refusal] of [
      [{ status: 'fetching' }, [409, 'base_model_not_ready']],
      [{ trainable: false }, [422, 'not_trainable']],
      [{ deleted_at: new Date() }, [404, 'not_found']],
    ] as const)
      expect(await codeOf(await change({ default_base_model_id: await addBaseModel(db, fields) }))).toEqual(refusal);
    expect(await codeOf(await change({ default_base_model_id: NO_ID }))).toEqual([404, 'not_found']);
    expect(await (await change({ default_base_model_id: other })).json()).toMatchObject({ default_base_model_id: other });
    expect((await submit()).data.base_model_id).toBe(other);
    await change({ default_base_model_id: null });
    expect((await submit()).code).toBe('base_model_required');
    expect(one).not.toBe(other);
  });
});

describe('a person’s own limit', () => {
  const limit = (active_jobs_max: unknown, headers: Record<string, string>, id = user.user_id) =>
    api.request(`/api/users/${id}`, json({ active_jobs_max }, headers, 'PATCH'));

  test('counts before everybody’s, until it is taken back', async () => {
    const { headers } = await addBrowser(db, { role: 'administrator' });
    await addWorker();
    await addJobs(user.user_id, 8);
    const told = await limit(3, headers);
    expect([told.status, await told.json()]).toEqual([
      200,
      expect.objectContaining({ id: user.user_id, active_jobs_max: 3, disabled_at: null }),
    ]);
    expect(await claimAll()).toEqual({ [user.user_id]: 3 });
    await change({ active_jobs_per_user: 5 });
    expect(await claimAll()).toEqual({ [user.user_id]: 3 });
    expect(await (await limit(null, headers)).json()).toMatchObject({ active_jobs_max: null });
    expect(await claimAll()).toEqual({ [user.user_id]: 5 });
  });

  test('is said by administrators alone, in its range, of somebody who is there', async () => {
    const { headers } = await addBrowser(db, { role: 'administrator' });
    expect(await codeOf(await limit(3, (await addBrowser(db)).headers))).toEqual([403, 'forbidden']);
    for (const wrong of [0, 101, 1.5, '3']) expect((await limit(wrong, headers)).status).toBe(400);
    expect(await codeOf(await limit(3, headers, NO_ID))).toEqual([404, 'not_found']);
    expect((await api.request(`/api/users/${user.user_id}`, json({}, headers, 'PATCH'))).status).toBe(400);
  });
});

describe('the devices', () => {
  const list = async (query = '') => (await api.request(`/api/gpus${query}`, { headers: admin.headers })).json();
  const drain = (id: string, drained: unknown, who = admin) =>
    api.request(`/api/gpus/${id}`, json({ drained }, who.headers, 'PATCH'));

  test('are an administrator’s to see, with what they do and not for whom', async () => {
    await addWorker();
    await addJobs(user.user_id, 1);
    const run = await claim();
    const { gpus, ...page } = await list('?limit=3&offset=0');
    const next_cursor = gpus[2]?.id;
    expect(page).toEqual({ total: 8, total_is_estimate: false, limit: 3, offset: 0, next_cursor });
    expect(gpus[0]).toEqual({
      id: expect.any(String),
      worker_id: 'w',
      host: 'gpu-1',
      worker_silent_s: expect.any(Number),
      worker_stopped: false,
      kind: 'gpu',
      uuid: 'GPU-0',
      name: 'G',
      memory_mb: 8,
      index: null,
      memory_used_mb: null,
      utilization_percent: null,
      mig: null,
      foreign_processes: 0,
      state: 'leased',
      reason: null,
      drained_at: null,
      quarantined_at: null,
      quarantine_reason: null,
      last_seen_at: expect.stringMatching(/Z$/),
    });
    expect(gpus.map(({ state }: { state: string }) => state)).toEqual(['leased', 'free', 'free']);
    for (const word of [user.user_id, run?.job_id]) expect(JSON.stringify(gpus)).not.toContain(word);
    expect(await codeOf(await api.request('/api/gpus', { headers: user.headers }))).toEqual([403, 'forbidden']);
    expect(await codeOf(await drain(gpus[0].id, true, user))).toEqual([403, 'forbidden']);
    expect(await codeOf(await drain(NO_ID, true))).toEqual([404, 'not_found']);
    expect((await drain(gpus[0].id, 'yes')).status).toBe(400);
  });

  test('of one worker are drained together, and no other’s', async () => {
    await addWorker();
    await registerWorker({ id: 'v', boot_id: 'b', pid: 1, version: '0', facts: {} }, [
      { kind: 'gpu', uuid: 'GPU-0', name: 'G', memory_mb: 8 },
    ]);
    const states = async () =>
      (await list()).gpus.map(({ worker_id, state }: Record<string, string>) => `${worker_id} ${state}`).sort();
    const drainAll = (body: unknown, who = admin) => api.request('/api/gpus', json(body, who.headers, 'PATCH'));
    const told = await drainAll({ worker_id: 'w', drained: true });
    expect([told.status, await told.json()]).toEqual([200, { worker_id: 'w', drained: true, devices: 8 }]);
    expect(await states()).toEqual(['v free', ...Array(8).fill('w drained')]);
    await addJobs(user.user_id, 1);
    expect(await claim()).toBeNull();
    expect(await codeOf(await drainAll({ worker_id: 'w', drained: false }, user))).toEqual([403, 'forbidden']);
    expect(await codeOf(await drainAll({ worker_id: 'u', drained: false }))).toEqual([404, 'not_found']);
    expect((await drainAll({ worker_id: 'w' })).status).toBe(400);
    expect(await states()).toEqual(['v free', ...Array(8).fill('w drained')]);
    expect((await drainAll({ worker_id: 'w', drained: false })).status).toBe(200);
    expect(await claim()).not.toBeNull();
  });

  test('in quarantine are let out by administrators, told in their feed, once their host lists them and no run has them', async () => {
    await addWorker();
    await addJobs(user.user_id, 2);
    const run = await claim();
    const [id, other] = (await list()).gpus.map((gpu: { id: string }) => gpu.id);
    await quarantineDevice('w', 'GPU-0', 'nvidia-smi does not list it any more');
    await db.asOwner('UPDATE lowrank.gpu_devices SET drained_at = now() WHERE id <> $1', [id]);
    const release = (who = admin, body: unknown = { quarantined: false }) =>
      api.request(`/api/gpus/${id}`, json(body, who.headers, 'PATCH'));
    const refused = async (why: RegExp) => {
      const answer = await release();
      const { code, error } = await answer.json();
      expect([answer.status, code, error]).toEqual([409, 'conflict', expect.stringMatching(why)]);
      expect((await list()).gpus[0]).toMatchObject({ state: 'quarantined', reason: 'nvidia-smi does not list it any more' });
    };
    expect(await codeOf(await release(user))).toEqual([403, 'forbidden']);
    for (const wrong of [{}, { quarantined: true }, { quarantined: 'no' }])
      expect((await release(admin, wrong)).status).toBe(400);
    await refused(/a run has it still/);
    if (run !== null) await settleRun(run, { type: 'cancelled' }, null, 0);
    await refused(/has not listed it since/);
    const seen = { uuid: 'GPU-0', processes: 0, by_card: false, memory_used_mb: 0, utilization_percent: 0 };
    await noteDevices('w', await beginLook(), [seen]);
    expect(await claim()).toBeNull();
    const heard = new Promise<void>((resolve) => {
      listener.once('notification', () => resolve());
    });
    await listener.query('LISTEN lowrank_work');
    const released = await release();
    expect([released.status, await released.json()]).toEqual([
      200,
      expect.objectContaining({ id, state: 'free', reason: null, quarantined_at: null, quarantine_reason: null }),
    ]);
    await heard;
    // What is well already is answered as it is, and told once.
    expect((await release()).status).toBe(200);
    const feed = await (await api.request('/api/activity?entity_type=device', { headers: admin.headers })).json();
    expect(feed.activities).toEqual([
      expect.objectContaining({ event_type: 'device_released', entity_id: id, message: expect.stringContaining('GPU-0') }),
    ]);
    expect((await api.request(`/api/gpus/${other}`, json({ quarantined: false }, admin.headers, 'PATCH'))).status).toBe(200);
    expect(await claim()).not.toBeNull();
  });

  test('that are drained keep their run and get no other, also after their worker came back', async () => {
    await addWorker();
    await addJobs(user.user_id, 2);
    const run = await claim();
    const { gpus } = await list();
    for (const { id } of gpus) await drain(id, true);
    expect((await list()).gpus.map(({ state }: { state: string }) => state)).toEqual(['leased', ...Array(7).fill('drained')]);
    expect(await claim()).toBeNull();
    if (run !== null) await settleRun(run, { type: 'cancelled' }, null, 0);
    await addWorker();
    expect(await claim()).toBeNull();
    const [waiting] = (await (await api.request('/api/queue', { headers: user.headers })).json()).queue;
    expect([waiting.reason, waiting.unpredicted_because]).toEqual(['no_device', 'nothing_starts']);
    expect(await (await api.request('/metrics', { headers: admin.headers })).text()).toContain(
      'lowrank_devices{kind="gpu",state="drained"} ',
    );
    expect((await list()).gpus[5].reason).toBe('an administrator has drained it');
    const again = await drain(gpus[5].id, false);
    expect([again.status, (await again.json()).state]).toEqual([200, 'free']);
    // Somebody else's program is on it, and then is not any more.
    const looks = async (processes: number) =>
      noteDevices('w', await beginLook(), [
        { uuid: gpus[5].uuid, processes, by_card: false, memory_used_mb: 5, utilization_percent: 99 },
      ]);
    await looks(2);
    expect((await list()).gpus[5]).toMatchObject({
      ...{ state: 'occupied', foreign_processes: 2, memory_used_mb: 5, utilization_percent: 99 },
      reason: '2 processes that are no run of this installation compute on it',
    });
    expect(await claim()).toBeNull();
    await looks(0);
    expect(await claim()).not.toBeNull();
  });
});
