/** What the worker promises in promises.md, each by a test that can fail. Times are the promised ones divided by DIVISOR. */
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { scaledPromiseTimes } from '#/domain/constants.ts';
import { env } from '#/env.ts';
import { cancelJob } from '#/services/jobs/cancel-job.ts';
import { useDatabase } from '../../test/database.ts';
import { brokenInvariants } from '../../test/invariants.ts';
import { startOwnServer } from '../../test/own-server.ts';
import {
  addOwner,
  addTraining,
  DIVISOR,
  forgetEverything,
  isOver,
  makeHost,
  type Owner,
  readJob,
  untilJob,
  type WorkerHost,
} from '../../test/worker-process.ts';
import { findMarked } from './process-identity.ts';

const db = useDatabase();
const TIMES = scaledPromiseTimes(DIVISOR);
/**
 * What a machine may take on top of a promised time to start programs and to wait for a core: three seconds, and as
 * long as twenty starts of Python take right now. A quiet machine starts one in 20 ms.
 */
async function margin(): Promise<number> {
  const began = performance.now();
  await new Promise((resolve) => spawn(env.python, ['-I', '-S', '-c', ''], { stdio: 'ignore' }).once('exit', resolve));
  return 3_000 + 20 * (performance.now() - began);
}
/** A job whose process died is not called running for longer than this. */
const DEAD_WITHIN_MS = 35_000 / DIVISOR;
const LONG = { steps: 2_000, step_seconds: 0.05 };

let host: WorkerHost;
let owner: Owner;

/** A host of its own for each test of a group. */
function eachOnItsOwnHost(): void {
  beforeEach(async () => {
    await forgetEverything(db);
    host = await makeHost(db);
    owner = await addOwner(db, host);
  });
  afterEach(() => host.end());
}

const runFile = (job_id: string, name: string, attempt = 1) => join(host.seen_at, 'runs', job_id, String(attempt), name);
const started = async (job_id: string, attempt = 1) =>
  JSON.parse(await readFile(runFile(job_id, 'started.json', attempt), 'utf8'));
const ctx = () => ({ user_id: owner.user_id, role: 'user' as const });
const isRunning = (job: { current_step: number; status: string }) => job.status === 'running' && job.current_step > 2;
const invariants = async () => expect(await brokenInvariants(db, [host.seen_at])).toEqual([]);

/** The attempts that have processes now, by job: what runs, as the kernel tells it. */
async function attemptsAlive(): Promise<Map<string, Set<string>>> {
  const alive = new Map<string, Set<string>>();
  for (const marker of (await findMarked()).keys()) {
    const [job_id = '', attempt = ''] = marker.split(':');
    alive.set(job_id, new Set([...(alive.get(job_id) ?? []), attempt]));
  }
  return alive;
}

async function measured(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** Without a restart of the worker: one is enough for all. */
describe('with one worker:', () => {
  beforeAll(async () => {
    await forgetEverything(db);
    host = await makeHost(db);
    owner = await addOwner(db, host);
    await host.start();
  });
  afterAll(() => host.end());

  test('4 · a stopped wrapper is not taken for a dead one, and its run goes on when it wakes', async () => {
    const id = await addTraining(db, host, owner, [{ steps: 70, step_seconds: 0.05 }]);
    await untilJob(db, id, isRunning);
    const { wrapper, child } = await started(id);
    process.kill(wrapper.pid, 'SIGSTOP');
    await pause(TIMES.contact_lost_ms * 2);
    expect((await readJob(db, id)).status).toBe('running');
    process.kill(wrapper.pid, 'SIGCONT');
    expect(await untilJob(db, id, isOver)).toMatchObject({ status: 'completed', attempt: 1 });
    expect((await started(id)).child).toEqual(child);
    await invariants();
  });

  test.each(['ok', 'ignore_term', 'fork_escape', 'hang'])(
    '6 · cancel is final for a trainer that behaves %s, in time, with its whole tree',
    async (behave) => {
      const id = await addTraining(db, host, owner, [{ ...LONG, behave }]);
      await untilJob(db, id, (job) => job.status === 'running' && job.current_step >= 2);
      const took = await measured(async () => {
        await cancelJob(ctx(), id);
        await untilJob(db, id, isOver);
      });
      expect(await readJob(db, id)).toMatchObject({ status: 'cancelled' });
      expect((await attemptsAlive()).has(id)).toBe(false);
      expect(took).toBeLessThan(30_000 / DIVISOR + (await margin()));
      if (behave === 'ignore_term') expect(took).toBeGreaterThan(TIMES.grace_ms);
      await invariants();
    },
  );

  test('8 · its trainer was killed: failed, and why', async () => {
    const id = await addTraining(db, host, owner, [LONG]);
    await untilJob(db, id, isRunning);
    process.kill((await started(id)).child.pid, 'SIGKILL');
    expect(await measured(() => untilJob(db, id, isOver))).toBeLessThan(DEAD_WITHIN_MS + (await margin()));
    expect(await readJob(db, id)).toMatchObject({ status: 'failed', error_code: 'killed' });
    await invariants();
  });

  test('8 · its wrapper was killed: it goes on from its last checkpoint by itself', async () => {
    const id = await addTraining(db, host, owner, [{ steps: 60, step_seconds: 0.05 }]);
    await untilJob(db, id, (job) => job.status === 'running' && job.current_step >= 12);
    process.kill((await started(id)).wrapper.pid, 'SIGKILL');
    expect(await measured(() => untilJob(db, id, (job) => job.retry_count === 1))).toBeLessThan(
      DEAD_WITHIN_MS + (await margin()),
    );
    const job = await untilJob(db, id, isOver);
    expect(job).toMatchObject({ status: 'completed', attempt: 2, current_step: 60 });
    const runs = await db.asOwner<{ resumed_from_step: number | null }>(
      'SELECT resumed_from_step FROM lowrank.job_runs WHERE job_id = $1 ORDER BY attempt',
      [id],
    );
    expect(runs[0]?.resumed_from_step).toBeNull();
    expect(runs[1]?.resumed_from_step).toBeGreaterThanOrEqual(10);
    await invariants();
  });

  test('8 · its trainer was killed under a wrapper that does not move: known after the time of a lost contact', async () => {
    const id = await addTraining(db, host, owner, [{ steps: 40, step_seconds: 0.05 }]);
    await untilJob(db, id, isRunning);
    const { wrapper, child } = await started(id);
    process.kill(wrapper.pid, 'SIGSTOP');
    process.kill(child.pid, 'SIGKILL');
    expect(await measured(() => untilJob(db, id, (job) => job.retry_count === 1))).toBeLessThan(
      DEAD_WITHIN_MS + (await margin()),
    );
    expect(await untilJob(db, id, isOver)).toMatchObject({ status: 'completed', attempt: 2 });
    await invariants();
  });

  test('12 · nobody reads, and the run is not slower for it: its output never waits', async () => {
    const id = await addTraining(db, host, owner, [{ behave: 'flood', flood_mb: 100, steps: 5 }]);
    expect((await untilJob(db, id, isOver)).status).toBe('completed');
    const log = await readFile(runFile(id, 'train.log'));
    const exit = JSON.parse(await readFile(runFile(id, 'exit.json'), 'utf8'));
    expect(exit.log_bytes_dropped).toBeGreaterThan(30 * 1024 ** 2);
    expect(log.length).toBeLessThan(65 * 1024 ** 2);
  });
});

describe('3 · never more active jobs than N', () => {
  eachOnItsOwnHost();

  test('in the process list, with two users, many devices and a worker that is killed', async () => {
    const bin = join(host.data_dir, 'bin');
    await mkdir(bin);
    const lines = Array.from({ length: 8 }, (_, at) => `${at}, GPU-${at}, Test, 24576, 1, [N/A], 8.6`).join('\n');
    await writeFile(join(bin, 'nvidia-smi'), `#!/bin/sh\ncat <<EOF\n${lines}\nEOF\n`, { mode: 0o755 });
    const PATH = `${bin}:${process.env.PATH}`;
    let worker = await host.start({ PATH });
    const other = await addOwner(db, host);
    const jobs: string[] = [];
    for (let at = 0; at < 5; at++)
      for (const user of [owner, other]) jobs.push(await addTraining(db, host, user, [{ steps: 10, step_seconds: 0.02 }]));
    const user_of = new Map(jobs.map((job, at) => [job, at % 2]));
    let most = 0;
    let killed = false;
    for (;;) {
      const counts = [0, 0];
      for (const job_id of (await attemptsAlive()).keys()) {
        const user = user_of.get(job_id);
        if (user !== undefined) counts[user] = (counts[user] ?? 0) + 1;
      }
      most = Math.max(most, ...counts);
      const rows = await db.asOwner<{ n: number }>(
        "SELECT count(*)::int AS n FROM lowrank.training_jobs WHERE status = 'completed'",
      );
      if ((rows[0]?.n ?? 0) === jobs.length) break;
      if (!killed && (rows[0]?.n ?? 0) > 2) {
        killed = true;
        worker.child.kill('SIGKILL');
        worker = await host.start({ PATH });
      }
      await pause(10);
    }
    expect(most).toBe(2);
    await invariants();
  }, 60_000);
});

describe('4 · never twice at the same time', () => {
  eachOnItsOwnHost();

  test('a worker that is paused past the fence and comes back ends its run and writes nothing; nobody ran it beside', async () => {
    // The fence is a quarter of an hour: divided further than the rest.
    const variables = { LOWRANK_TIME_DIVISOR: '200', DATABASE_URL: db.owner_url };
    const fast = scaledPromiseTimes(200);
    const paused = await host.start(variables);
    const id = await addTraining(db, host, owner, [LONG]);
    await untilJob(db, id, isRunning);
    const second = await makeHost(db);
    try {
      // The second host sees the same files, as hosts with shared storage do; its runs are its own.
      await rm(join(second.data_dir, 'storage'), { recursive: true, force: true });
      execFileSync('ln', ['-s', join(host.data_dir, 'storage'), join(second.data_dir, 'storage')]);
      paused.child.kill('SIGSTOP');
      const began = performance.now();
      await second.start(variables);
      let overlaps = 0;
      let over_there = 0;
      const first = () => existsRun(host.data_dir, id, 1);
      while (performance.now() - began < fast.fence_ms * 3 + 10_000 && over_there === 0) {
        const attempts = (await attemptsAlive()).get(id) ?? new Set();
        if (attempts.size > 1) overlaps++;
        if (attempts.has('2')) over_there = performance.now() - began;
        await pause(10);
      }
      expect(overlaps).toBe(0);
      expect(over_there).toBeGreaterThan(fast.fence_ms);
      // The run ended itself before anybody could start it again, and kept a checkpoint.
      const exit = JSON.parse(await readFile(runFile(id, 'exit.json'), 'utf8'));
      expect(exit).toMatchObject({ fenced: true, stop_requested: 'fenced', code: 143 });
      expect(await first()).toBe(false);
      const points = () =>
        db.asOwner<{ n: number }>('SELECT count(*)::int AS n FROM lowrank.metrics_points WHERE job_id = $1 AND attempt = 1', [
          id,
        ]);
      const before = await points();
      paused.child.kill('SIGCONT');
      await expect
        .poll(
          async () => (await db.asOwner('SELECT 1 FROM lowrank.gpu_leases WHERE attempt = 1 AND released_at IS NULL')).length,
          { timeout: 10_000 },
        )
        .toBe(0);
      expect(await points()).toEqual(before);
      expect(await readJob(db, id)).toMatchObject({ attempt: 2, epoch: 2, retry_count: 1 });
    } finally {
      await second.end();
    }
  }, 60_000);
});

async function existsRun(data_dir: string, job_id: string, attempt: number): Promise<boolean> {
  const { wrapper } = JSON.parse(await readFile(join(data_dir, 'runs', job_id, String(attempt), 'started.json'), 'utf8'));
  try {
    return !readFileSync(`/proc/${wrapper.pid}/stat`, 'utf8').includes(') Z');
  } catch {
    return false;
  }
}

describe('6 · cancel is final', () => {
  eachOnItsOwnHost();

  test('a job that waits is cancelled at once, and one that a dead worker claimed when it is back', async () => {
    const waiting = await addTraining(db, host, owner);
    expect(await measured(() => cancelJob(ctx(), waiting))).toBeLessThan(1_000 + (await margin()));
    const worker = await host.start({ LOWRANK_FAILPOINTS: 'after_claim_commit:kill' });
    const claimed = await addTraining(db, host, owner);
    await worker.gone;
    await cancelJob(ctx(), claimed);
    await host.start();
    expect((await untilJob(db, claimed, isOver)).status).toBe('cancelled');
    expect(await readdir(join(host.data_dir, 'runs', claimed, '1'))).not.toContain('started.json');
    await invariants();
  });

  test('while the adapter is being checked it still wins, and nothing is left in storage', async () => {
    await host.start({ LOWRANK_FAILPOINTS: 'after_publish:sleep=1500' });
    const id = await addTraining(db, host, owner, [{ steps: 3 }]);
    await untilJob(db, id, (job) => job.current_stage === 'publishing');
    await cancelJob(ctx(), id);
    expect((await untilJob(db, id, isOver)).status).toBe('cancelled');
    await expect.poll(() => brokenInvariants(db, [host.seen_at]), { timeout: 5_000 }).toEqual([]);
  });
});

describe('7 · a restart of the worker stops no training', () => {
  eachOnItsOwnHost();

  test('killed while a trainer runs: the same process goes on and its end is told as it was', async () => {
    const worker = await host.start();
    const jobs = [await addTraining(db, host, owner, [{ steps: 70, step_seconds: 0.05 }])];
    const [id = ''] = jobs;
    await untilJob(db, id, isRunning);
    const before = await started(id);
    worker.child.kill('SIGKILL');
    await worker.gone;
    await pause(TIMES.contact_lost_ms);
    const next = host.launch();
    await next.ready;
    const found = await measured(() => untilJob(db, id, (job) => job.current_step > 40 && job.contact_lost_at === null));
    expect(found).toBeLessThan(10_000 / DIVISOR + (await margin()));
    expect(await untilJob(db, id, isOver)).toMatchObject({ status: 'completed', attempt: 1, current_step: 70 });
    expect(await started(id)).toEqual(before);
    await invariants();
  });

  test.each([
    ['exit1', 'internal'],
    ['segv', 'internal'],
    ['ok', null],
  ])('killed before a trainer ends by %s: the true end is told when the next one is there', async (behave, code) => {
    const worker = await host.start();
    const id = await addTraining(db, host, owner, [{ behave, steps: 4, step_seconds: 0.1 }]);
    await untilJob(db, id, (job) => job.status === 'running');
    worker.child.kill('SIGKILL');
    await expect.poll(() => readFile(runFile(id, 'exit.json'), 'utf8').catch(() => ''), { timeout: 10_000 }).not.toBe('');
    await host.start();
    const job = await untilJob(db, id, isOver);
    expect(job).toMatchObject({ status: code === null ? 'completed' : 'failed', error_code: code, attempt: 1, retry_count: 0 });
    await invariants();
  });
});

describe('8 · a dead run is not called running', () => {
  eachOnItsOwnHost();

  test('its host was restarted: settled as soon as the worker is back', async () => {
    const worker = await host.start();
    const id = await addTraining(db, host, owner, [LONG]);
    await untilJob(db, id, isRunning);
    worker.child.kill('SIGKILL');
    await worker.gone;
    // What a reboot leaves: no process, and records of another boot.
    const record = await started(id);
    process.kill(record.wrapper.pid, 'SIGKILL');
    await writeFile(runFile(id, 'started.json'), JSON.stringify({ ...record, boot_id: 'the boot before' }));
    await host.start();
    expect(await measured(() => untilJob(db, id, (job) => job.retry_count === 1))).toBeLessThan(
      DEAD_WITHIN_MS + (await margin()),
    );
    await untilJob(db, id, (job) => job.status === 'running' && job.attempt === 2);
  });

  test('a vanished host shows at the time of a lost contact', async () => {
    const worker = await host.start();
    const id = await addTraining(db, host, owner, [LONG]);
    await untilJob(db, id, isRunning);
    const second = await makeHost(db);
    try {
      await second.start();
      worker.child.kill('SIGKILL');
      const shown = await measured(() => untilJob(db, id, (job) => job.contact_lost_at !== null));
      expect(shown).toBeGreaterThan(TIMES.contact_lost_ms - TIMES.heartbeat_ms - TIMES.sweep_ms);
      expect(shown).toBeLessThan(TIMES.contact_lost_ms + TIMES.sweep_ms + (await margin()));
      expect((await readJob(db, id)).status).toBe('running');
    } finally {
      await second.end();
    }
  });
});

describe('9 · an outage of the database', () => {
  test('of twenty seconds stops no training and loses no point', async () => {
    const server = await startOwnServer();
    host = await makeHost(server.db);
    try {
      owner = await addOwner(server.db, host);
      await host.start();
      const id = await addTraining(server.db, host, owner, [{ steps: 200, step_seconds: 0.02 }]);
      await untilJob(server.db, id, isRunning);
      const before = await started(id);
      await server.crash();
      await pause(20_000 / DIVISOR);
      await server.restart();
      const job = await untilJob(server.db, id, isOver, 40_000);
      expect(job).toMatchObject({ status: 'completed', attempt: 1, current_step: 200 });
      expect(await started(id)).toEqual(before);
      const [points] = await server.db.asOwner<{ n: number }>('SELECT count(*)::int AS n FROM lowrank.metrics_points');
      expect(points?.n).toBe(200);
      expect(await brokenInvariants(server.db, [host.data_dir])).toEqual([]);
    } finally {
      await host.end();
      await server.remove();
    }
  }, 60_000);
});

describe('10, 11 · points and artifacts', () => {
  eachOnItsOwnHost();

  test('points arrive once and strictly in order while the worker is killed again and again', async () => {
    const id = await addTraining(db, host, owner, [{ steps: 110, step_seconds: 0.03 }]);
    for (let kills = 0; kills < 3; kills++) {
      const worker = await host.start();
      const seen = (await readJob(db, id)).current_step;
      await untilJob(db, id, (job) => job.current_step > seen + 5);
      worker.child.kill('SIGKILL');
      await worker.gone;
    }
    await host.start();
    expect(await untilJob(db, id, isOver)).toMatchObject({ status: 'completed', attempt: 1 });
    const points = await db.asOwner<{ step: number }>('SELECT step FROM lowrank.metrics_points WHERE job_id = $1 ORDER BY seq', [
      id,
    ]);
    expect(points.map((point) => point.step)).toEqual(Array.from({ length: 110 }, (_, at) => at + 1));
    await invariants();
  });

  test('an adapter of which a byte is not as told is no artifact', async () => {
    await host.start({ LOWRANK_FAILPOINTS: 'after_exit_seen:sleep=1500' });
    const id = await addTraining(db, host, owner, [{ steps: 3 }]);
    const path = runFile(id, 'outputs/adapter/adapter_model.safetensors');
    await expect
      .poll(() => readFile(runFile(id, 'exit.json'), 'utf8').catch(() => ''), { timeout: 10_000, interval: 20 })
      .not.toBe('');
    const bytes = await readFile(path);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await writeFile(path, bytes);
    expect(await untilJob(db, id, isOver)).toMatchObject({ status: 'failed', error_code: 'internal' });
    expect(await db.asOwner('SELECT 1 FROM lowrank.model_artifacts WHERE job_id = $1', [id])).toEqual([]);
    await invariants();
  });
});

describe('13 · a full disk', () => {
  eachOnItsOwnHost();

  test('fails the job that fills it with disk_full, keeps its last good checkpoint and takes nothing else down', async () => {
    // The worker's runs lie on eight megabytes that only it and what it starts see.
    const runs = join(host.data_dir, 'runs');
    await mkdir(runs);
    const mount = ['unshare', '-Urm', 'sh', '-c', 'mount -t tmpfs -o size=8m,mode=700 tmpfs "$0" && exec "$@"', runs];
    const worker = await host.start({ LOWRANK_DISK_RESERVE_GB: '0.0001' }, mount);
    host.seen_at = `/proc/${worker.pid}/root${host.data_dir}`;
    const id = await addTraining(db, host, owner, [{ steps: 4_000, step_seconds: 0.02 }]);
    await untilJob(db, id, (job) => job.status === 'running' && job.current_step >= 12);
    const ballast = join(host.seen_at, 'runs/ballast');
    await fill(ballast);
    expect(await untilJob(db, id, isOver)).toMatchObject({ status: 'failed', error_code: 'disk_full' });
    await expect.poll(() => readdir(runFile(id, 'outputs/checkpoints'))).toEqual([expect.stringMatching(/^step-\d+$/)]);
    await rm(ballast);
    expect(await untilJob(db, await addTraining(db, host, owner), isOver)).toMatchObject({ status: 'completed' });
    await invariants();
  });

  test('keeps a job waiting that would need it', async () => {
    await host.start({ LOWRANK_DISK_RESERVE_GB: '1000000' });
    const id = await addTraining(db, host, owner);
    await pause(TIMES.sweep_ms * 4);
    expect((await readJob(db, id)).status).toBe('queued');
  });
});

/** Writes a file until the disk has no byte left. */
async function fill(path: string): Promise<void> {
  const cat = spawn('sh', ['-c', `cat /dev/zero > '${path}'`], { stdio: 'ignore' });
  await new Promise((resolve) => cat.once('exit', resolve));
}
