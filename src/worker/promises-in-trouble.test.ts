/** What promises.md says of runs on a machine in trouble: a database that is away, a full disk, too little memory or processor, wrong clocks. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { scaledPromiseTimes } from '#/domain/constants.ts';
import { runtimeLimitMs } from '#/domain/run-limits.ts';
import { env } from '#/env.ts';
import { useDatabase } from '../../test/database.ts';
import { brokenInvariants } from '../../test/invariants.ts';
import { limitMemory } from '../../test/memory-limit.ts';
import { startOwnServer } from '../../test/own-server.ts';
import { addOwner, addTraining, DIVISOR, isOver, type JobRow, makeHost, untilJob } from '../../test/worker-process.ts';
import { isRunning, keptWithin, LONG, setScene } from '../../test/worker-scene.ts';

const db = useDatabase();
const TIMES = scaledPromiseTimes(DIVISOR);
const MB = 1024 ** 2;

/** Whether anybody ever called the contact to a job lost; `look` goes where a job is waited for. */
function contact(): { look(job: JobRow): boolean; lost(): boolean } {
  let lost = false;
  return {
    look(job) {
      lost ||= job.contact_lost_at !== null;
      return isOver(job);
    },
    lost: () => lost,
  };
}

describe('9 · an outage of the database', () => {
  test('of twenty seconds stops no training and loses no point', async () => {
    const server = await startOwnServer();
    const host = await makeHost(server.db);
    try {
      await host.start();
      const id = await addTraining(server.db, host, await addOwner(server.db, host), [{ steps: 200, step_seconds: 0.02 }]);
      await untilJob(server.db, id, isRunning);
      const started = () => readFile(join(host.data_dir, 'runs', id, '1/started.json'), 'utf8');
      const before = await started();
      await server.crash();
      await pause(20_000 / DIVISOR);
      await server.restart();
      expect(await untilJob(server.db, id, isOver)).toMatchObject({ status: 'completed', attempt: 1, current_step: 200 });
      expect(await started()).toEqual(before);
      const [points] = await server.db.asOwner<{ n: number }>('SELECT count(*)::int AS n FROM lowrank.metrics_points');
      expect(points?.n).toBe(200);
      expect(await brokenInvariants(server.db, [host.data_dir])).toEqual([]);
    } finally {
      await host.end();
      await server.remove();
    }
  });
});

describe('10, 11 · points and artifacts', () => {
  const scene = setScene(db, 'each test');

  test('points arrive once and strictly in order while the worker is killed again and again', async () => {
    const id = await scene.add([{ steps: 110, step_seconds: 0.03 }]);
    for (let kills = 0; kills < 3; kills++) {
      const worker = await scene.host.start();
      const seen = (await scene.job(id)).current_step;
      // On a machine that starts a worker slowly the run may be through before the third.
      await scene.until(id, (job) => job.current_step > seen + 5 || isOver(job));
      worker.child.kill('SIGKILL');
      await worker.gone;
    }
    await scene.host.start();
    expect(await scene.until(id)).toMatchObject({ status: 'completed', attempt: 1 });
    const points = await db.asOwner<{ step: number }>('SELECT step FROM lowrank.metrics_points WHERE job_id = $1 ORDER BY seq', [
      id,
    ]);
    expect(points.map((point) => point.step)).toEqual(Array.from({ length: 110 }, (_, at) => at + 1));
    await scene.expectOrder();
  });

  test('an adapter of which a byte is not as told is no artifact', async () => {
    await scene.host.start({ LOWRANK_FAILPOINTS: 'after_exit_seen:sleep=5000' });
    const id = await scene.add([{ steps: 3 }]);
    const path = scene.file(id, 'outputs/adapter/adapter_model.safetensors');
    await scene.exited(id);
    const bytes = await readFile(path);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await writeFile(path, bytes);
    expect(await scene.until(id)).toMatchObject({ status: 'failed', error_code: 'internal' });
    expect(await db.asOwner('SELECT 1 FROM lowrank.model_artifacts WHERE job_id = $1', [id])).toEqual([]);
    await scene.expectOrder();
  });
});

describe('13 · a full disk', () => {
  const scene = setScene(db, 'each test');

  test('fails the job that fills it with disk_full, keeps its last good checkpoint and takes nothing else down', async () => {
    // The worker's runs lie on eight megabytes that only it and what it starts see.
    const { host } = scene;
    const runs = join(host.data_dir, 'runs');
    await mkdir(runs);
    const mount = ['unshare', '-Urm', 'sh', '-c', 'mount -t tmpfs -o size=8m,mode=700 tmpfs "$0" && exec "$@"', runs];
    const worker = await host.start({ LOWRANK_DISK_RESERVE_GB: '0.0001' }, mount);
    host.seen_at = `/proc/${worker.pid}/root${host.data_dir}`;
    const id = await scene.add([{ ...LONG, steps: 4_000 }]);
    await scene.until(id, (job) => job.status === 'running' && job.current_step >= 12);
    const ballast = join(host.seen_at, 'runs/ballast');
    await fill(ballast);
    expect(await scene.until(id)).toMatchObject({ status: 'failed', error_code: 'disk_full' });
    await expect
      .poll(() => readdir(scene.file(id, 'outputs/checkpoints')), { timeout: 20_000 })
      .toEqual([expect.stringMatching(/^step-\d+$/)]);
    await rm(ballast);
    expect(await scene.until(await scene.add())).toMatchObject({ status: 'completed' });
    await scene.expectOrder();
  });

  test('keeps a job waiting that would need it', async () => {
    await scene.host.start({ LOWRANK_DISK_RESERVE_GB: '1000000' });
    const id = await scene.add();
    await pause(TIMES.sweep_ms * 4);
    expect((await scene.job(id)).status).toBe('queued');
  });
});

/** Writes a file until the disk has no byte left. */
async function fill(path: string): Promise<void> {
  const cat = spawn('sh', ['-c', `cat /dev/zero > '${path}'`], { stdio: 'ignore' });
  await new Promise((resolve) => cat.once('exit', resolve));
}

describe('14 · wrong clocks', () => {
  const scene = setScene(db, 'each test');
  const HOUR_MS = 3_600_000;
  /** For a worker whose wall clock is off by so many hours, and by as many to the other side after SIGUSR2. */
  const wrong = (hours: number) => ({
    NODE_OPTIONS: `--import=${pathToFileURL(join(env.repo, 'test/wrong-clock.mjs')).href}`,
    WRONG_CLOCK_MS: String(hours * HOUR_MS),
  });

  /** The instants of jobs and workers that are not of these last minutes, by table and column. */
  async function strangeInstants(): Promise<string[]> {
    const columns = await db.asOwner<{ table_name: string; column_name: string }>(
      `SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'lowrank'
         AND data_type = 'timestamp with time zone' AND table_name IN ('training_jobs', 'job_runs', 'job_events', 'workers',
           'gpu_devices', 'gpu_leases', 'user_queues', 'model_artifacts', 'notifications')`,
    );
    expect(columns.length).toBeGreaterThan(20);
    const strange: string[] = [];
    for (const { table_name, column_name } of columns) {
      const rows = await db.asOwner(
        `SELECT 1 FROM lowrank.${table_name} WHERE ${column_name} NOT BETWEEN clock_timestamp() - interval '10 minutes'
           AND clock_timestamp() + interval '10 minutes'`,
      );
      if (rows.length > 0) strange.push(`${table_name}.${column_name}`);
    }
    return strange;
  }

  test.each([3, -3])(
    'of worker and trainer, %i hours off, and a jump of twice as much while the run is under way, change no outcome and no record',
    async (hours) => {
      const worker = await scene.host.start(wrong(hours));
      const id = await scene.add([{ steps: 60, step_seconds: 0.05, clock_seconds: (-2 * hours * HOUR_MS) / 1000 }]);
      await scene.until(id, isRunning);
      worker.child.kill('SIGUSR2');
      const { look, lost } = contact();
      expect(await scene.until(id, look)).toMatchObject({ status: 'completed', attempt: 1, retry_count: 0, current_step: 60 });
      expect(lost()).toBe(false);
      expect(worker.child.exitCode).toBeNull();
      expect(await strangeInstants()).toEqual([]);
      await scene.expectOrder();
    },
  );

  test('of two hosts, six hours apart: neither settles what the other runs, and one that vanishes is missed in time', async () => {
    const first = await scene.host.start(wrong(3));
    const id = await scene.add([LONG]);
    await scene.until(id, isRunning);
    const second = await makeHost(db);
    try {
      await second.start(wrong(-3));
      const { current_step } = await scene.job(id);
      const { look, lost } = contact();
      const until = performance.now() + 2 * TIMES.contact_lost_ms;
      await scene.until(id, (job) => look(job) || (performance.now() > until && job.current_step > current_step));
      expect(lost()).toBe(false);
      expect(await scene.job(id)).toMatchObject({ status: 'running', attempt: 1, epoch: 1 });
      first.child.kill('SIGKILL');
      await keptWithin(TIMES.contact_lost_ms + TIMES.sweep_ms, () => scene.until(id, (job) => job.contact_lost_at !== null));
      expect(await scene.job(id)).toMatchObject({ status: 'running', attempt: 1 });
    } finally {
      await second.end();
    }
  });
});

describe('15 · too little memory', () => {
  const scene = setScene(db, 'each test');

  test('a trainer that the system ends for want of memory on the host is told from one that somebody killed', async () => {
    const limit = await limitMemory(512 * MB, scene.host.data_dir);
    try {
      const worker = await scene.host.start({}, limit.through);
      const killed = await scene.add([{ behave: 'killself', steps: 8 }]);
      expect(await scene.until(killed)).toMatchObject({ status: 'failed', error_code: 'killed' });
      // Where only the counter is ours, the trainer ends itself as the kernel would have.
      const id = await scene.add([limit.real ? { behave: 'oom_host' } : { behave: 'killself', step_seconds: 5 }]);
      await scene.until(id, (job) => job.current_stage === 'training' || isOver(job));
      await limit.countKill();
      const job = await scene.until(id);
      expect(job).toMatchObject({ status: 'failed', error_code: 'out_of_memory', retry_count: 0 });
      expect(job.error_message).toContain('host');
      expect((await scene.exited(id)).oom_kills).toBeGreaterThanOrEqual(1);
      expect(worker.child.exitCode).toBeNull();
      await scene.expectOrder();
    } finally {
      await scene.host.end();
      await limit.remove();
    }
  });
});

describe('8, 15 · too little processor', () => {
  const scene = setScene(db, 'each test');
  /** Signs of life come late here; a contact that counts as lost after thirty seconds has time for that. */
  const LOWRANK_TIME_DIVISOR = '4';
  const HOGS = 8;

  test('a worker that eight busy programs leave a fortieth of a core is late, and nobody takes it or its run for dead', async () => {
    await scene.host.start({ LOWRANK_TIME_DIVISOR }, ['nice', '-n', '10']);
    const second = await makeHost(db);
    const hogs: ChildProcess[] = [];
    try {
      // Somebody who would notice: without jobs of its own, and with a whole share.
      await second.start({ LOWRANK_TIME_DIVISOR, LOWRANK_DISK_RESERVE_GB: '1000000' });
      const id = await scene.add([{ steps: 160, step_seconds: 0.05 }]);
      await scene.until(id, isRunning);
      for (let at = 0; at < HOGS; at++) hogs.push(spawn('sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' }));
      const { look, lost } = contact();
      await scene.until(id, (job) => look(job) || job.current_step === 160);
      for (const hog of hogs) hog.kill('SIGKILL');
      expect(await scene.until(id, look)).toMatchObject({ status: 'completed', attempt: 1, retry_count: 0 });
      expect(lost()).toBe(false);
    } finally {
      for (const hog of hogs) hog.kill('SIGKILL');
      await second.end();
    }
    await scene.expectOrder();
  });
});

describe('15 · a run that does not end', () => {
  const scene = setScene(db, 'each test');

  test('is ended at the limit that its submission gave it, and held to what else it says', async () => {
    const limits = { runtime_hours: 0.02, cpus: 1, memory_gb: 2 };
    const id = await scene.add([LONG], { held_at: new Date() });
    await db.asOwner(
      "UPDATE lowrank.training_jobs SET config = jsonb_set(config, '{spec,limits}', $2), held_at = NULL WHERE id = $1",
      [id, JSON.stringify(limits)],
    );
    await scene.host.start();
    await scene.until(id, isRunning);
    expect(JSON.parse(await readFile(scene.file(id, 'run.json'), 'utf8'))).toMatchObject({
      cpus: 1,
      memory_bytes_max: 2_000_000_000,
    });
    expect(await scene.until(id)).toMatchObject({ status: 'failed', error_code: 'runtime_limit', attempt: 1 });
    expect(await scene.exited(id)).toMatchObject({ stop_requested: 'runtime_limit' });
    const [run] = await db.asOwner<{ ms: number }>(
      'SELECT (extract(epoch FROM ended_at - started_at) * 1000)::float8 AS ms FROM lowrank.job_runs WHERE job_id = $1',
      [id],
    );
    expect(run?.ms).toBeGreaterThan(runtimeLimitMs(limits, TIMES));
    await scene.expectOrder();
  });

  test('is ended at the runtime limit, counted across restarts of its worker, and not before', async () => {
    const id = await scene.add([LONG]);
    /** A worker that finds the run again when it has been going for so long. */
    const found = async (age_ms: number) => {
      await db.asOwner(
        'UPDATE lowrank.job_runs SET started_at = clock_timestamp() - make_interval(secs => $2) WHERE job_id = $1',
        [id, age_ms / 1000],
      );
      return scene.host.start();
    };
    const kill = async (worker: Awaited<ReturnType<typeof found>>) => {
      worker.child.kill('SIGKILL');
      await worker.gone;
    };
    const first = await scene.host.start();
    await scene.until(id, isRunning);
    await kill(first);
    const second = await found(0.9 * TIMES.runtime_limit_ms);
    const { current_step } = await scene.job(id);
    await scene.until(id, (job) => job.status !== 'running' || job.current_step > current_step + 20);
    expect((await scene.job(id)).status).toBe('running');
    await kill(second);
    await found(TIMES.runtime_limit_ms);
    await keptWithin(TIMES.grace_ms + TIMES.sweep_ms, () => scene.until(id));
    expect(await scene.job(id)).toMatchObject({ status: 'failed', error_code: 'runtime_limit', attempt: 1, retry_count: 0 });
    expect((await scene.job(id)).error_hint).toMatch(/fewer steps/);
    expect(await scene.exited(id)).toMatchObject({ stop_requested: 'runtime_limit' });
    await scene.expectOrder(20_000);
  });
});
