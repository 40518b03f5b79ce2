import { beforeAll, describe, expect, test, vi } from 'vitest';
import { asScheduler } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { TOTAL_EXACT_MAX } from '#/domain/constants.ts';
import { resolveHyperparameters } from '#/domain/hyperparameters.ts';
import { NO_WISHES, type TrainingSpec } from '#/domain/training-spec.ts';
import type { Context } from '#/services/context.ts';
import { useDatabase } from '../../../test/database.ts';
import { addBaseModel, addDataset, addJob, addPerson } from '../../../test/factories.ts';
import { cancelJob } from './cancel-job.ts';
import { createJob } from './create-job.ts';
import { deleteJob } from './delete-job.ts';
import { getJob } from './get-job.ts';
import { listJobs } from './list-jobs.ts';
import { readEvents } from './read-events.ts';
import { readMetrics } from './read-metrics.ts';
import { retryJob } from './retry-job.ts';
import { lockRun, transitionJob } from './transition-job.ts';

const db = useDatabase();
const NONE = { total: 0, total_is_estimate: false };
let owner: Context;
let stranger: Context;
let model: string;

beforeAll(async () => {
  owner = { user_id: await addPerson(db), role: 'user' };
  stranger = { user_id: await addPerson(db), role: 'user' };
  model = await addBaseModel(db);
});

function spec(dataset_id: string, fields: Partial<TrainingSpec> = {}): TrainingSpec {
  return {
    name: 'A run',
    method: 'lora',
    dataset_id,
    base_model_id: model,
    hub_model: null,
    trigger_words: [],
    resolution: null,
    ...resolveHyperparameters('fast', {}),
    gpu_config: null,
    max_steps: null,
    seed: 42,
    run: NO_WISHES,
    metadata: {},
    probe_only: false,
    limits: {},
    training_image_id: null,
    priority: 0,
    start: true,
    ...fields,
  };
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
  return 'none';
}

describe('createJob', () => {
  test('stores the job as queued with its plan, its first event and its notification in one transaction', async () => {
    const dataset = await addDataset(db, owner.user_id, { total_training_pairs: 95 });
    const { job } = await createJob(owner, spec(dataset));
    expect(job).toMatchObject({ status: 'queued', total_steps: 12, total_epochs: 1, progress: 0, preset_id: 'fast' });
    const notices = await db.asOwner("SELECT type FROM lowrank.notifications WHERE metadata ->> 'job_id' = $1", [job.id]);
    expect(notices).toEqual([{ type: 'job_queued' }]);
    const { rows: events } = await readEvents(owner, job.id, { after: 0, limit: 10 });
    expect(events.map((event) => [event.seq, event.to_status])).toEqual([[1, 'queued']]);
  });

  test('max_steps ends a run before its epochs do, and never lengthens it', async () => {
    const dataset = await addDataset(db, owner.user_id, { total_training_pairs: 95 });
    expect((await createJob(owner, spec(dataset, { max_steps: 5 }))).job.total_steps).toBe(5);
    expect((await createJob(owner, spec(dataset, { max_steps: 500 }))).job.total_steps).toBe(12);
  });

  test.each([
    ['uploading', { status: 'uploading', storage_path: null, checksum: null }, 'dataset_not_ready'],
    ['in error', { status: 'error' }, 'dataset_not_ready'],
    ['without a trainable row', { total_training_pairs: 0 }, 'dataset_not_training_ready'],
    ['not training ready', { training_ready: false }, 'dataset_not_training_ready'],
    ['deleted', { deleted_at: new Date() }, 'not_found'],
  ])('refuses a dataset that is %s, each reason with its own code', async (_, fields, code) => {
    const dataset = await addDataset(db, owner.user_id, fields);
    expect(await codeOf(createJob(owner, spec(dataset)))).toBe(code);
  });

  test("a stranger's dataset is as absent as one that never was", async () => {
    const dataset = await addDataset(db, owner.user_id);
    const foreign = await createJob(stranger, spec(dataset)).catch((error: AppError) => error);
    const absent = await createJob(stranger, spec('00000000-0000-4000-8000-000000000000')).catch((error: AppError) => error);
    expect(foreign).toEqual(absent);
    expect((foreign as AppError).code).toBe('not_found');
  });

  test('refuses a base model that is not ready or not trainable, and asks for one when none is the default', async () => {
    const dataset = await addDataset(db, owner.user_id);
    const fetching = await addBaseModel(db, { status: 'fetching' });
    const vision = await addBaseModel(db, { trainable: false });
    expect(await codeOf(createJob(owner, spec(dataset, { base_model_id: fetching })))).toBe('base_model_not_ready');
    expect(await codeOf(createJob(owner, spec(dataset, { base_model_id: vision })))).toBe('not_trainable');
    await addBaseModel(db);
    expect(await codeOf(createJob(owner, spec(dataset, { base_model_id: null })))).toBe('base_model_required');
  });

  test('names the catalogue when the GPU type is unknown', async () => {
    const dataset = await addDataset(db, owner.user_id);
    const refused = await createJob(owner, spec(dataset, { gpu_config: { type: 'Voodoo2', count: 1 } })).catch(
      (error: AppError) => error,
    );
    expect(refused).toMatchObject({ code: 'invalid_request' });
    expect((refused as AppError).message).toContain('A100-80GB');
    expect((await createJob(owner, spec(dataset, { gpu_config: { type: 'a100', count: 1 } }))).job.gpu_config.type).toBe(
      'A100-80GB',
    );
  });
});

describe('reading', () => {
  test("a stranger's job is not found, listed, counted, cancelled, retried or deleted", async () => {
    const { job } = await createJob(owner, spec(await addDataset(db, owner.user_id)));
    for (const read of [
      () => getJob(stranger, job.id),
      () => cancelJob(stranger, job.id),
      () => retryJob(stranger, job.id),
      () => deleteJob(stranger, job.id),
      () => readEvents(stranger, job.id, { after: 0, limit: 10 }),
      () => readMetrics(stranger, job.id, { from: 0, points: 100 }),
    ]) {
      expect(await codeOf(read())).toBe('not_found');
    }
    expect(await listJobs(stranger, { offset: 0, limit: 50 })).toEqual({ jobs: [], total: NONE, next_cursor: null });
    expect((await listJobs(owner, { offset: 0, limit: 50 })).jobs.map((row) => row.job.id)).toContain(job.id);
  });

  test('a run whose worker has been silent beyond its lease says since when, with no worker left to note it', async () => {
    const silent = new Date(Date.now() - 5_000);
    const lost = await addJob(db, owner.user_id, { status: 'running', slot: 1, lease_until: silent });
    expect((await getJob(owner, lost)).contact_lost_at).toEqual(silent);
    await db.asOwner("UPDATE lowrank.training_jobs SET lease_until = now() + interval '1 minute' WHERE id = $1", [lost]);
    expect((await getJob(owner, lost)).contact_lost_at).toBeNull();
    await db.asOwner('DELETE FROM lowrank.training_jobs WHERE id = $1', [lost]);
  });

  test('pages follow each other without a gap and tell the total', async () => {
    const ctx: Context = { user_id: await addPerson(db), role: 'user' };
    const dataset = await addDataset(db, ctx.user_id);
    const made: string[] = [];
    for (let i = 0; i < 5; i++) made.unshift((await createJob(ctx, spec(dataset))).job.id);
    const first = await listJobs(ctx, { offset: 0, limit: 3 });
    const second = await listJobs(ctx, { offset: 3, limit: 3 });
    expect([...first.jobs, ...second.jobs].map((row) => row.job.id)).toEqual(made);
    expect(first.total).toEqual({ total: 5, total_is_estimate: false });
    expect((await listJobs(ctx, { offset: 0, limit: 50, statuses: ['running'] })).total).toEqual(NONE);
  });

  test('by cursor nothing is told twice or left out while jobs come and go, also where instants are the same', async () => {
    const ctx: Context = { user_id: await addPerson(db), role: 'user' };
    const dataset = await addDataset(db, ctx.user_id);
    const add = (at: string) => addJob(db, ctx.user_id, { dataset_id: dataset, base_model_id: model, created_at: at });
    // Two of an instant, a microsecond from the next: finer than a date of ours.
    const instants = [0, 0, 1, 1, 2, 2, 3, 3].map((us) => `2026-01-01T00:00:00.00000${us}Z`);
    const made: string[] = [];
    for (const at of instants) made.push(await add(at));
    const seen: string[] = [];
    const totals: number[] = [];
    let after: string | undefined;
    do {
      const page = await listJobs(ctx, { offset: 0, limit: 3, after });
      totals.push(page.total.total);
      seen.push(...page.jobs.map((row) => row.job.id));
      after = page.next_cursor ?? undefined;
      await add('2026-01-02T00:00:00Z');
      // The job at which the first page ended goes.
      if (totals.length === 1) await db.asOwner('UPDATE lowrank.training_jobs SET deleted_at = now() WHERE id = $1', [after]);
    } while (after !== undefined);
    expect(totals).toEqual([8, 8, 9]);
    expect(seen).toHaveLength(8);
    expect(new Set(seen)).toEqual(new Set(made));
  });

  test('a cursor of somebody else’s is as unknown as one of nothing', async () => {
    const ctx: Context = { user_id: await addPerson(db), role: 'user' };
    const foreign = await addJob(db, owner.user_id);
    for (const after of [foreign, '00000000-0000-4000-8000-000000000000'])
      expect(await codeOf(listJobs(ctx, { offset: 0, limit: 3, after }))).toBe('invalid_request');
    expect(await codeOf(listJobs(owner, { offset: 0, limit: 3, after: foreign }))).toBe('none');
  });

  test('a total above ten thousand is of the last minute and says so; what others have is not in it', async () => {
    const ctx: Context = { user_id: await addPerson(db), role: 'user' };
    const one = await addJob(db, ctx.user_id, { base_model_id: model });
    const theirs = await addJob(db, await addPerson(db), { base_model_id: model });
    const columns = `user_id, name, type, dataset_id, base_model_id, preset_id, hyperparameters, gpu_config, config, total_epochs, total_steps, status`;
    const copy = async (n: number, of = one, status = 'cancelled') => {
      await db.asOwner('ALTER TABLE lowrank.training_jobs DISABLE TRIGGER USER');
      await db.asOwner(
        `INSERT INTO lowrank.training_jobs (${columns}) SELECT ${columns.replace('status', `'${status}'`)}
         FROM lowrank.training_jobs, generate_series(1, $2) WHERE id = $1`,
        [of, n],
      );
      await db.asOwner('ALTER TABLE lowrank.training_jobs ENABLE TRIGGER USER');
      await db.asOwner('ANALYZE lowrank.training_jobs');
    };
    const totalNow = async () => (await listJobs(ctx, { offset: 0, limit: 1, statuses: ['cancelled'] })).total;
    await copy(TOTAL_EXACT_MAX);
    expect(await totalNow()).toEqual({ total: TOTAL_EXACT_MAX, total_is_estimate: false });
    await copy(2_000);
    expect(await Promise.all([totalNow(), totalNow()])).toEqual(Array(2).fill({ total: 12_000, total_is_estimate: true }));
    const clock = performance.now.bind(performance);
    const minutes = (n: number) => vi.spyOn(performance, 'now').mockImplementation(() => clock() + n * 60_000);
    await copy(15_000, theirs, 'completed');
    minutes(1);
    expect((await totalNow()).total).toBe(12_000);
    await copy(5);
    expect((await totalNow()).total).toBe(12_000);
    minutes(2);
    expect(await totalNow()).toEqual({ total: 12_005, total_is_estimate: true });
    vi.restoreAllMocks();
    expect((await listJobs(ctx, { offset: 0, limit: 1, statuses: ['queued'] })).total).toEqual({
      total: 1,
      total_is_estimate: false,
    });
  });

  test('a curve shows the surviving line of attempts and loses no peak when it is thinned', async () => {
    const job = await addJob(db, owner.user_id, { status: 'running', attempt: 2 });
    for (const [attempt, resumed] of [
      [1, null],
      [2, 50],
    ] as const) {
      await db.asOwner(
        'INSERT INTO lowrank.job_runs (job_id, user_id, attempt, epoch, worker_id, executor, resumed_from_step) VALUES ($1, $2, $3::smallint, $3::integer, $4, $5, $6)',
        [job, owner.user_id, attempt, 'host', 'process', resumed],
      );
    }
    await db.asOwner(
      `INSERT INTO lowrank.metrics_points (job_id, user_id, attempt, seq, step, timestamp, loss)
       SELECT $1::uuid, $2::uuid, 1, i, i, now(), CASE i WHEN 37 THEN 99 WHEN 38 THEN -99 ELSE 1 END::real FROM generate_series(1, 80) i
       UNION ALL SELECT $1::uuid, $2::uuid, 2, i, 50 + i, now(), 2 FROM generate_series(1, 1000) i`,
      [job, owner.user_id],
    );
    const whole = await readMetrics(owner, job, { from: 0, points: 20_000 });
    expect(whole.total).toBe(1050);
    expect(whole.points.map((point) => point.step)).toEqual(Array.from({ length: 1050 }, (_, at) => at + 1));
    const thin = await readMetrics(owner, job, { from: 0, points: 40 });
    expect(thin.points.length).toBeLessThanOrEqual(40);
    expect(thin.points.map((point) => point.loss)).toEqual(expect.arrayContaining([99, -99]));
    expect(thin.points.at(-1)?.step).toBe(1050);
  });
});

describe('cancelJob', () => {
  test('a waiting job is cancelled at once and stays so', async () => {
    const { job } = await createJob(owner, spec(await addDataset(db, owner.user_id)));
    expect((await cancelJob(owner, job.id)).job.status).toBe('cancelled');
    expect((await cancelJob(owner, job.id)).job.status).toBe('cancelled');
  });

  test('a running job gets the wish once and keeps its status until its processes are gone', async () => {
    const job = await addJob(db, owner.user_id, { status: 'running', slot: 2 });
    const first = (await cancelJob(owner, job)).job;
    const second = (await cancelJob(owner, job)).job;
    expect(first.status).toBe('running');
    expect(second.cancel_requested_at).toEqual(first.cancel_requested_at);
    expect(first.cancel_requested_at).not.toBeNull();
  });

  test('a job that ended otherwise cannot be cancelled', async () => {
    const job = await addJob(db, owner.user_id, { status: 'completed' });
    expect(await codeOf(cancelJob(owner, job))).toBe('job_already_final');
  });
});

describe('retryJob', () => {
  test('makes a new job of the same spec that remembers its origin', async () => {
    const { job } = await createJob(owner, spec(await addDataset(db, owner.user_id), { max_steps: 7 }));
    expect(await codeOf(retryJob(owner, job.id))).toBe('job_not_final');
    await cancelJob(owner, job.id);
    const again = (await retryJob(owner, job.id)).job;
    expect(again.id).not.toBe(job.id);
    expect(again).toMatchObject({ retried_from: job.id, status: 'queued', total_steps: 7 });
  });
});

describe('deleteJob', () => {
  test.each(['completed', 'failed', 'cancelled'] as const)(
    'a job that is %s leaves every list, and its row stays',
    async (status) => {
      const job = await addJob(db, owner.user_id, { status });
      await deleteJob(owner, job);
      expect(await codeOf(getJob(owner, job))).toBe('not_found');
      expect((await listJobs(owner, { offset: 0, limit: 500 })).jobs.map((row) => row.job.id)).not.toContain(job);
      expect(await codeOf(deleteJob(owner, job))).toBe('not_found');
      expect(await db.asOwner('SELECT status FROM lowrank.training_jobs WHERE id = $1', [job])).toEqual([{ status }]);
    },
  );

  test('a job that waits or runs must be cancelled first', async () => {
    const waiting = await addJob(db, stranger.user_id, { status: 'queued' });
    const running = await addJob(db, stranger.user_id, { status: 'running', slot: 2 });
    for (const job of [waiting, running]) {
      expect(await codeOf(deleteJob(stranger, job))).toBe('job_not_final');
      expect((await getJob(stranger, job)).job.id).toBe(job);
    }
  });
});

describe('transitionJob', () => {
  test('moves a job only from the status and epoch that were seen', async () => {
    const id = await addJob(db, stranger.user_id, { status: 'queued' });
    const seen = { id, user_id: stranger.user_id, name: 'A run', status: 'queued' as const, epoch: 0 };
    await asScheduler((tx) => transitionJob(tx, seen, { type: 'claimed' }, { slot: 1 }));
    expect(await codeOf(asScheduler((tx) => transitionJob(tx, seen, { type: 'claimed' }, { slot: 1 })))).toBe('fenced');
    expect(await codeOf(asScheduler((tx) => transitionJob(tx, { ...seen, status: 'initializing' }, { type: 'started' })))).toBe(
      'fenced',
    );
    await asScheduler((tx) => transitionJob(tx, { ...seen, status: 'initializing', epoch: 1 }, { type: 'started' }));
    expect(await codeOf(asScheduler((tx) => lockRun(tx, id, 0)))).toBe('fenced');
    await asScheduler((tx) => lockRun(tx, id, 1));
    const failure = {
      code: 'nan_loss' as const,
      message: 'The loss is not a number',
      hint: 'Lower the learning rate',
      stack: null,
    };
    await asScheduler((tx) => transitionJob(tx, { ...seen, status: 'running', epoch: 1 }, { type: 'failed', failure }));
    expect((await getJob(stranger, id)).job).toMatchObject({ status: 'failed', error_code: 'nan_loss', slot: null });
    expect(
      await codeOf(asScheduler((tx) => transitionJob(tx, { ...seen, status: 'failed', epoch: 1 }, { type: 'completed' }))),
    ).toBe('conflict');
  });
});
