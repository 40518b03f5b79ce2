import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { asScheduler } from '#/db/tenancy.ts';
import { recordObservation } from '#/services/accuracy/record-observation.ts';
import { addCaller, noWaiting, useApi } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import { addBaseModel, addDataset, addJob, addRow } from '../../test/factories.ts';
import { addObservation, someForecast, someHello, someMeasured, someProbe } from '../../test/foretold.ts';
import { storedShapeOf } from '../../test/stored-shape.ts';

const db = useDatabase();
const api = useApi();
let owner: Awaited<ReturnType<typeof addCaller>>;
let stranger: Awaited<ReturnType<typeof addCaller>>;
let job_id: string;
let starved: string;
beforeAll(async () => {
  owner = await addCaller(db);
  stranger = await addCaller(db);
  job_id = await addJob(db, owner.user_id, { name: 'Answers', status: 'completed', config: { forecast: someForecast() } });
  for (const [at, [type, data]] of Object.entries({ hello: someHello(), probe: someProbe() }).entries())
    await addRow(db, 'lowrank.job_events', { job_id, user_id: owner.user_id, seq: 100 + at, type, attempt: 1, data });
  await asScheduler((tx) => recordObservation(tx, job_id, 'completed'));
  starved = await addJob(db, owner.user_id, { name: 'Too large', status: 'failed', deleted_at: new Date() });
  await addObservation(db, owner.user_id, starved, {
    outcome: 'failed',
    gpu: 'T4',
    method: 'qlora',
    measured: someMeasured({ device_bytes: null, reserved_bytes: null, at_least_bytes: 15.8e9, hours: null, cost: null }),
    memory_residual: null,
    time_residual: null,
    memory_at_least: Math.log(2),
  });
});
beforeEach(() => noWaiting(db));

const ask = async (query = '', headers: Record<string, string> = owner.headers) => {
  const answer = await api.request(`/api/accuracy${query}`, { headers });
  return { status: answer.status, body: await answer.json() };
};

describe('GET /api/accuracy', () => {
  test('tells each finished run of one’s own as foretold and as measured, the newest first', async () => {
    const { status, body } = await ask();
    expect(status).toBe(200);
    expect(body).toMatchObject({ total: 2, total_is_estimate: false, limit: 50, offset: 0, next_cursor: null });
    expect(body.points).toMatchObject([
      { job: null, outcome: 'failed', gpu: 'T4', method: 'qlora', memory: null, memory_at_least: 15.8e9, seconds_per_step: null },
      {
        job: { id: job_id, name: 'Answers' },
        outcome: 'completed',
        gpu: 'L4',
        stack_version: 'torch 2.13, transformers 5.23, peft 0.21, trainer 0.1.0',
        memory: { figure: 8e9, low: 7e9, high: 9.6e9, measured: 7.4e9, covered: true },
        memory_at_least: null,
        seconds_per_step: { figure: 0.5, measured: 0.55, covered: true },
        hours: { figure: 0.25, measured: 0, covered: false },
        cost: { figure: 0.2, measured: 0, covered: false },
      },
    ]);
  });

  test('tells everybody what all runs of a kind say, and nobody whose they were', async () => {
    const [mine, theirs] = [await ask(), await ask('', stranger.headers)];
    expect(mine.body.groups).toEqual([
      {
        gpu: 'L4',
        stack_version: 'torch 2.13, transformers 5.23, peft 0.21, trainer 0.1.0',
        method: 'lora',
        memory: { runs: 1, covered: 1, ...errors(0.075) },
        time: { runs: 1, covered: 1, ...errors(0.1) },
      },
    ]);
    expect(theirs.body).toMatchObject({ points: [], total: 0, groups: mine.body.groups, gpus: ['L4'] });
    expect(JSON.stringify(theirs.body)).not.toMatch(new RegExp(`${owner.user_id}|${job_id}|Answers|llama`));
  });

  test('of a device, by any of its names, and of a method has those alone', async () => {
    for (const query of ['?gpu=L4', '?gpu=nvidia%20l4', '?method=lora', '?gpu=L4&method=lora']) {
      const { body } = await ask(query);
      expect([body.points.map((point: { gpu: string }) => point.gpu), body.groups.length, body.total]).toEqual([['L4'], 1, 1]);
    }
    const { body } = await ask('?method=qlora');
    expect([body.points.length, body.groups, body.gpus]).toEqual([1, [], ['L4']]);
    expect((await ask('?gpu=H100')).body).toMatchObject({ points: [], groups: [], total: 0 });
  });

  test('goes on behind a cursor, and takes none of a stranger’s', async () => {
    const { body: first } = await ask('?limit=1');
    const { body: second } = await ask(`?limit=1&after=${first.next_cursor}`);
    expect([first.points[0].gpu, second.points[0].gpu, second.next_cursor]).toEqual(['T4', 'L4', null]);
    const foreign = await ask(`?after=${first.next_cursor}`, stranger.headers);
    expect([foreign.status, foreign.body.details[0].path]).toEqual([400, 'after']);
  });

  test.each([
    ['?method=magic', 'method'],
    ['?gpu=', 'gpu'],
    ['?limit=501', 'limit'],
    ['?user_id=7', 'user_id'],
  ])('refuses %s', async (query, path) => {
    const { status, body } = await ask(query);
    expect([status, body.details.map((row: { path: string }) => row.path)]).toEqual([400, [path]]);
  });

  test('is for whom it knows', async () => {
    expect((await ask('', {})).status).toBe(401);
  });
});

describe('GET /api/gpu-catalog', () => {
  test('brings what corrects one’s forecasts: everybody’s kinds, one’s own runs', async () => {
    const read = async (headers: Record<string, string>) =>
      (await (await api.request('/api/gpu-catalog', { headers })).json()).corrections;
    const [mine, theirs] = [await read(owner.headers), await read(stranger.headers)];
    expect(mine.groups).toMatchObject([{ gpu: 'L4', method: 'lora', memory: { runs: 1 }, time: { runs: 1 } }]);
    expect(mine.own).toMatchObject([
      { gpu: 'T4', memory: null, memory_at_least: expect.closeTo(Math.log(2), 10) },
      { gpu: 'L4', memory: expect.closeTo(Math.log(7.4 / 8), 10), memory_at_least: null },
    ]);
    expect(theirs).toEqual({ groups: mine.groups, own: [] });
  });
});

describe('what a run measured', () => {
  test('moves the next forecast of its kind, narrows it, and says how many runs it stands on', async () => {
    const base_model_id = await addBaseModel(db, { shape: JSON.stringify(storedShapeOf('Llama-3.2-1B')), context_length: 8192 });
    const gpu_config = { type: 'L4', count: 1 };
    const asked = async (who: typeof owner, rank: number) => {
      const dataset_id = await addDataset(db, who.user_id, { total_tokens: 50_000 });
      // Of one row, so that `auto` chooses the same passes when it knows more.
      const hyperparameters = { learning_rate: 5e-5, batch_size: 1, epochs: 1, rank };
      const body = { dataset_id, base_model_id, gpu_config, hyperparameters };
      return { body, told: (await (await api.post('/api/jobs/estimate', body, who.headers)).json()).data };
    };
    const before = await asked(stranger, 16);
    expect(before.told.evidence.runs).toBe(1);
    const submitted = await api.post('/api/jobs', { ...before.body, preset_id: 'custom' }, stranger.headers);
    const { data: job } = await submitted.json();
    expect([submitted.status, job.forecast.device_bytes.runs]).toEqual([201, 1]);
    // As far below the formula as the run before.
    const device_memory_mb = (job.forecast.device_bytes.formula * 0.925) / 1e6;
    const probe = someProbe({ device_memory_mb, expected_seconds_per_step: job.forecast.seconds_per_step.figure });
    for (const [at, [type, data]] of Object.entries({ hello: someHello(), probe }).entries())
      await addRow(db, 'lowrank.job_events', {
        job_id: job.id,
        user_id: stranger.user_id,
        seq: 100 + at,
        type,
        attempt: 1,
        data,
      });
    await db.asOwner(`UPDATE lowrank.training_jobs SET status = 'cancelled' WHERE id = $1`, [job.id]);
    await asScheduler((tx) => recordObservation(tx, job.id, 'cancelled'));
    // The very same run was measured: its own figure, and the noise of a measurement.
    const same = await asked(stranger, 16);
    const width = ({ interval_mb: { low: least, high } }: { interval_mb: { low: number; high: number } }) => high / least;
    expect(width(same.told)).toBeLessThan(1.06);
    expect(device_memory_mb / same.told.interval_mb.low).toBeLessThan(1.06);
    expect(device_memory_mb).toBeGreaterThan(same.told.interval_mb.low);
    // Another of its kind leans on both runs, and so does another person's.
    for (const who of [stranger, owner]) {
      const alike = await asked(who, 8);
      expect(alike.told.evidence.runs).toBe(2);
      expect(width(alike.told)).toBeLessThan(width(before.told));
    }
  });
});

function errors(error: number) {
  const close = expect.closeTo(error, 10);
  return { median_error: close, p95_error: close, worst_error: close };
}
