import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { addCaller, emptyHouse, json, noWaiting, useApi } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import { addBaseModel, addDataset, addJob } from '../../test/factories.ts';

const db = useDatabase();
const api = useApi();
let caller: Awaited<ReturnType<typeof addCaller>>;
let stranger: Awaited<ReturnType<typeof addCaller>>;
let dataset_id: string;
let base_model_id: string;
beforeEach(async () => {
  await noWaiting(db);
  await emptyHouse(db);
  base_model_id = await addBaseModel(db);
  await db.asOwner('TRUNCATE lowrank.workers CASCADE');
  caller = await addCaller(db);
  stranger = await addCaller(db);
  dataset_id = await addDataset(db, caller.user_id, { total_tokens: 1_800_000 });
});

interface Entry {
  job_id: string;
  position: number | null;
  reason: string;
  message: string;
  predicted_start_at: string | null;
  unpredicted_because: string | null;
}
const ask = (query = '', who = caller) => api.request(`/api/queue${query}`, { headers: who.headers });
const queue = async (query = '', who = caller): Promise<Entry[]> => (await (await ask(query, who)).json()).queue;
const reasons = async () => (await queue()).map(({ reason }) => reason);
const HOURS_S = 3810;
/** As it was foretold at the submission. */
const config = { duration_s: HOURS_S };
let clock = Date.parse('2026-03-01T00:00:00Z');
const wait = (fields: Record<string, unknown> = {}) => {
  clock += 1_000;
  return addJob(db, caller.user_id, { dataset_id, base_model_id, config, queued_at: new Date(clock), ...fields });
};
/** A host whose worker was just heard, with this many devices. */
async function addWorker(devices: number, facts: object = {}): Promise<string[]> {
  const id = randomUUID();
  await db.asOwner(`INSERT INTO lowrank.workers (id, boot_id, pid, version, facts) VALUES ($1, 'b', 1, '1', $2)`, [id, facts]);
  const rows = await db.asOwner<{ id: string }>(
    `INSERT INTO lowrank.gpu_devices (worker_id, kind, uuid, name, memory_mb)
     SELECT $1, 'cpu', gen_random_uuid()::text, 'G', 1 FROM generate_series(1, $2) RETURNING id`,
    [id, devices],
  );
  return rows.map((row) => row.id);
}
/** A run on a device; without an end it has not told one yet. */
async function run(
  device_id: string | undefined,
  user_id: string,
  end_in_s: number | null,
  fields: Record<string, unknown> = {},
) {
  const job_id = await addJob(db, user_id, { status: 'running', ...fields });
  await db.asOwner(
    `UPDATE lowrank.training_jobs SET estimated_completion_at = clock_timestamp() + $2 * interval '1 s' WHERE id = $1`,
    [job_id, end_in_s],
  );
  await db.asOwner(`INSERT INTO lowrank.gpu_leases (device_id, user_id, job_id, attempt) VALUES ($1, $2, $3, 1)`, [
    device_id,
    user_id,
    job_id,
  ]);
  return job_id;
}
const secondsTo = (at: string | null | undefined): number => (at == null ? Number.NaN : (Date.parse(at) - Date.now()) / 1000);
/** The whole minute that follows, by two clocks and with what a loaded machine takes between two looks at them. */
const about = (seconds: number) => ({ asymmetricMatch: (told: unknown) => Math.abs(Number(told) - seconds - 30) < 90 });

describe('the queue', () => {
  test('has one’s own waiting jobs in the order in which they start, and nobody else’s', async () => {
    const second = await wait();
    const first = await wait({ priority: 3 });
    const held = await wait({ held_at: new Date() });
    const fetching = await wait({ current_stage: 'fetching_model' });
    const third = await wait();
    await wait({ deleted_at: new Date() });
    await wait({ status: 'cancelled' });
    await addJob(db, stranger.user_id);
    expect((await queue()).map(({ job_id, position }) => [job_id, position])).toEqual([
      [first, 1],
      [second, 2],
      [held, null],
      [fetching, null],
      [third, 3],
    ]);
    expect(await queue('', stranger)).toHaveLength(1);
    expect((await api.request('/api/queue')).status).toBe(401);
  });

  test('is as the claim takes it: what is submitted is in it, what is cancelled or started is not', async () => {
    const body = { dataset_id, base_model_id, preset_id: 'fast' };
    const { data } = await (await api.post('/api/jobs', body, caller.headers)).json();
    expect(await queue()).toEqual([
      {
        job_id: data.id,
        name: data.name,
        priority: 0,
        queued_at: data.queued_at,
        position: 1,
        reason: 'no_worker',
        message: 'No worker of this installation answers right now.',
        predicted_start_at: null,
        unpredicted_because: 'nothing_starts',
      },
    ]);
    await api.request(`/api/jobs/${data.id}/cancel`, json({}, caller.headers));
    expect(await queue()).toEqual([]);
  });

  test('is turned by offset and by cursor, each job once, also when one of them leaves it meanwhile', async () => {
    const ids: string[] = [];
    for (const priority of [1, 0])
      for (let i = 0; i < 4; i++) ids.push(await wait({ priority, ...(i === 1 && { held_at: new Date() }) }));
    const page = async (query: string) => (await ask(query)).json();
    const seen: Entry[] = [];
    let after: string | null = null;
    do {
      const answer: { queue: Entry[]; total: number; next_cursor: string | null } = await page(
        `?limit=3${after === null ? '' : `&after=${after}`}`,
      );
      expect(answer.total).toBe(after === null ? 8 : 7);
      seen.push(...answer.queue);
      if (after === null)
        await db.asOwner(`UPDATE lowrank.training_jobs SET status = 'cancelled' WHERE id = $1`, [answer.next_cursor]);
      after = answer.next_cursor;
    } while (after !== null);
    expect(seen.map(({ job_id }) => job_id)).toEqual(ids);
    // The third left after the first page had been told.
    expect(seen.map(({ position }) => position)).toEqual([1, null, 2, 2, 3, null, 4, 5]);
    const by_offset = await page('?limit=2&offset=3');
    expect(by_offset.queue.map(({ job_id }: Entry) => job_id)).toEqual([ids[4], ids[5]]);
    expect(by_offset).toMatchObject({ total: 7, total_is_estimate: false, limit: 2, offset: 3, next_cursor: ids[5] });
    const foreign = await ask(`?after=${await addJob(db, stranger.user_id)}`);
    expect([foreign.status, (await foreign.json()).details[0].code]).toEqual([400, 'unknown_cursor']);
  });

  test('says why each waits', async () => {
    await wait();
    await wait();
    await wait({ not_before: new Date(Date.now() + 3_600_000) });
    expect(await reasons()).toEqual(['no_worker', 'no_worker', 'backing_off']);
    const [device] = await addWorker(1);
    expect(await reasons()).toEqual(['next', 'behind_own_jobs', 'backing_off']);
    await db.asOwner(`UPDATE lowrank.workers SET facts = '{"disk_full": true}'`);
    expect((await reasons())[0]).toBe('disk_full');
    await db.asOwner(`UPDATE lowrank.workers SET facts = '{"executor_fault": {"state": "unfit", "reason": "x"}}'`);
    expect((await queue())[0]).toMatchObject({ reason: 'cannot_start', unpredicted_because: 'nothing_starts' });
    await db.asOwner(`UPDATE lowrank.workers SET facts = '{"executor_fault": null}'`);
    expect((await reasons())[0]).toBe('next');
    await db.asOwner(`UPDATE lowrank.workers SET facts = '{}'`);
    await db.asOwner(`UPDATE lowrank.gpu_devices SET quarantined_at = now()`);
    expect((await reasons())[0]).toBe('no_device');
    await db.asOwner(`UPDATE lowrank.gpu_devices SET quarantined_at = NULL`);
    await db.asOwner(`UPDATE lowrank.workers SET heartbeat_at = clock_timestamp() - interval '31 s'`);
    expect((await reasons())[0]).toBe('no_worker');
    await db.asOwner(`UPDATE lowrank.workers SET heartbeat_at = clock_timestamp()`);
    await db.asOwner(`UPDATE lowrank.workers SET stopped_at = now()`);
    expect((await reasons())[0]).toBe('no_worker');
    await db.asOwner(`UPDATE lowrank.workers SET stopped_at = NULL`);
    await addJob(db, stranger.user_id);
    await db.asOwner(`UPDATE lowrank.user_queues SET last_claimed_at = now() WHERE user_id = $1`, [caller.user_id]);
    expect((await reasons())[0]).toBe('others_first');
    await run(device, stranger.user_id, 600);
    expect((await reasons())[0]).toBe('no_free_device');
    await addJob(db, caller.user_id, { status: 'running', slot: 1 });
    await addJob(db, caller.user_id, { status: 'initializing', slot: 2 });
    expect(await reasons()).toEqual(['active_limit', 'active_limit', 'backing_off']);
  });
});

describe('a predicted start', () => {
  test('follows from the ends that runs have told and from what one’s own jobs before it take', async () => {
    const [mine, theirs] = await addWorker(2);
    await run(mine, caller.user_id, 600);
    await run(theirs, stranger.user_id, 300);
    for (let i = 0; i < 3; i++) await wait();
    await wait({ held_at: new Date() });
    const told = await queue();
    expect(told.map(({ predicted_start_at }) => secondsTo(predicted_start_at))).toEqual([
      about(300),
      about(600),
      about(300 + HOURS_S),
      Number.NaN,
    ]);
    expect(told.map(({ unpredicted_because }) => unpredicted_because)).toEqual([null, null, null, 'not_in_line']);
  });

  test('is a whole minute: finer, it would tell when other people’s runs end', async () => {
    const [device] = await addWorker(1);
    await run(device, stranger.user_id, 333.3);
    await wait();
    const [{ predicted_start_at } = { predicted_start_at: null }] = await queue();
    expect(predicted_start_at).toMatch(/:00\.000Z$/);
    expect(secondsTo(predicted_start_at)).toBeGreaterThan(300);
  });

  test('of what is next is now; of what has to wait for a run without an end it is not said', async () => {
    const [device] = await addWorker(1);
    await wait();
    expect((await queue()).map(({ reason, predicted_start_at }) => [reason, secondsTo(predicted_start_at)])).toEqual([
      ['next', about(0)],
    ]);
    await run(device, stranger.user_id, null);
    expect((await queue())[0]).toMatchObject({
      reason: 'no_free_device',
      predicted_start_at: null,
      unpredicted_because: 'unknown_end',
    });
  });

  test('ends after a hundred places', async () => {
    await addWorker(1);
    for (let i = 0; i < 101; i++) await wait();
    const told = await queue('?limit=500');
    expect(told.map(({ position }) => position)).toEqual(Array.from({ length: 101 }, (_, at) => at + 1));
    expect([told[99]?.unpredicted_because, told[100]?.unpredicted_because]).toEqual([null, 'too_far']);
  });

  test('says of a paused job that it waits for its host, while that is away', async () => {
    const [device] = await addWorker(1);
    const [host] = await db.asOwner<{ id: string }>('SELECT worker_id AS id FROM lowrank.gpu_devices WHERE id = $1', [device]);
    const id = await wait({ attempt: 1 });
    const paused = (worker_id: string | undefined) =>
      db.asOwner(
        `INSERT INTO lowrank.job_runs (job_id, user_id, attempt, epoch, worker_id, executor, handle, exit)
         VALUES ($1, $2, 1, 1, $3, 'process', '{}', '{"code": 143, "paused": true}')
         ON CONFLICT (job_id, attempt) DO UPDATE SET worker_id = excluded.worker_id`,
        [id, caller.user_id, worker_id],
      );
    await paused(host?.id);
    expect(await reasons()).toEqual(['next']);
    await paused('another host');
    const other = await wait();
    expect((await queue()).map((job) => [job.job_id, job.reason, job.unpredicted_because])).toEqual([
      [id, 'host_away', 'nothing_starts'],
      [other, 'next', null],
    ]);
  });
});
