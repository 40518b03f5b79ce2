/** What promises.md says of slots and devices: never too many runs, never one twice, nothing given out that is still in use. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { scaledPromiseTimes } from '#/domain/constants.ts';
import { UNDYING as UNDYING_WORDS } from '#/domain/devices.ts';
import { env } from '#/env.ts';
import { cancelJob } from '#/services/jobs/cancel-job.ts';
import { useDatabase } from '../../test/database.ts';
import { addOwner, addTraining, isOver, makeHost, untilJob } from '../../test/worker-process.ts';
import { attemptsAlive, isRunning, LONG, pretendGpus, setScene } from '../../test/worker-scene.ts';

const db = useDatabase();

/** The devices that are given out now, by job. */
async function leased(): Promise<Map<string, string>> {
  const rows = await db.asOwner<{ job_id: string; uuid: string }>(
    'SELECT l.job_id, d.uuid FROM lowrank.gpu_leases l JOIN lowrank.gpu_devices d ON d.id = l.device_id WHERE l.released_at IS NULL',
  );
  return new Map(rows.map((row) => [row.job_id, row.uuid]));
}

describe('3 · never more active jobs than N', () => {
  const scene = setScene(db, 'each test');

  test('in the process list, with two users, many devices and a worker that is killed', async () => {
    const { PATH } = await pretendGpus(scene.host, 8);
    let worker = await scene.host.start({ PATH });
    const other = await addOwner(db, scene.host);
    const jobs: string[] = [];
    for (let at = 0; at < 5; at++)
      for (const user of [scene.owner, other])
        jobs.push(await addTraining(db, scene.host, user, [{ steps: 10, step_seconds: 0.02 }]));
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
        worker = await scene.host.start({ PATH });
      }
      await pause(10);
    }
    expect(most).toBe(2);
    await scene.expectOrder();
  });
});

describe('4 · never twice at the same time', () => {
  const scene = setScene(db, 'each test');

  test('a worker that is paused past the fence and comes back ends its run and writes nothing; nobody ran it beside', async () => {
    // The fence is a quarter of an hour: divided further than the rest.
    const divisor = 100;
    const { fence_ms } = scaledPromiseTimes(divisor);
    const variables = { LOWRANK_TIME_DIVISOR: String(divisor), DATABASE_URL: db.owner_url };
    const paused = await scene.host.start(variables);
    const id = await scene.add([LONG]);
    await scene.until(id, (job) => job.status === 'running' && job.current_step >= 12);
    const second = await makeHost(db);
    try {
      // The second host sees the same files, as hosts with shared storage do; its runs are its own.
      await rm(join(second.data_dir, 'storage'), { recursive: true, force: true });
      execFileSync('ln', ['-s', join(scene.host.data_dir, 'storage'), join(second.data_dir, 'storage')]);
      paused.child.kill('SIGSTOP');
      const began = performance.now();
      await second.start(variables);
      let overlaps = 0;
      for (;;) {
        const attempts = (await attemptsAlive()).get(id) ?? new Set();
        if (attempts.size > 1) overlaps++;
        if (attempts.has('2')) break;
        expect(performance.now() - began, 'nobody takes the job over').toBeLessThan(60_000);
        await pause(10);
      }
      expect(overlaps).toBe(0);
      const [waited] = await db.asOwner<{ ms: number }>(
        `SELECT extract(epoch FROM r.started_at - w.heartbeat_at)::float * 1000 AS ms
         FROM lowrank.job_runs r, lowrank.job_runs f JOIN lowrank.workers w ON w.id = f.worker_id
         WHERE r.job_id = $1 AND r.attempt = 2 AND f.job_id = $1 AND f.attempt = 1`,
        [id],
      );
      expect(waited?.ms).toBeGreaterThan(fence_ms);
      // The run ended itself before anybody could start it again.
      expect(await scene.exited(id)).toMatchObject({ fenced: true, stop_requested: 'fenced' });
      expect(await existsRun(scene.file(id, 'started.json'))).toBe(false);
      const points = () =>
        db.asOwner<{ n: number }>('SELECT count(*)::int AS n FROM lowrank.metrics_points WHERE job_id = $1 AND attempt = 1', [
          id,
        ]);
      const before = await points();
      paused.child.kill('SIGCONT');
      await expect
        .poll(
          async () => (await db.asOwner('SELECT 1 FROM lowrank.gpu_leases WHERE attempt = 1 AND released_at IS NULL')).length,
          { timeout: 60_000 },
        )
        .toBe(0);
      expect(await points()).toEqual(before);
      expect(await scene.job(id)).toMatchObject({ attempt: 2, epoch: 2, retry_count: 1 });
    } finally {
      await second.end();
    }
  });
});

/** Whether the wrapper of a start record lives. */
async function existsRun(record: string): Promise<boolean> {
  const { wrapper } = JSON.parse(await readFile(record, 'utf8'));
  try {
    return !readFileSync(`/proc/${wrapper.pid}/stat`, 'utf8').includes(') Z');
  } catch {
    return false;
  }
}

describe('16 · a GPU is given out again only when its last tree is gone', () => {
  const scene = setScene(db, 'each test');
  /** A worker whose kills do nothing: what it wants to end is as unkillable as a process that waits in a driver. */
  const UNDYING = [env.python, '-I', '-S', join(env.repo, 'test/undying.py')];

  const quarantined = () =>
    db.asOwner('SELECT uuid, quarantine_reason AS reason FROM lowrank.gpu_devices WHERE quarantined_at IS NOT NULL');

  test('a run that cannot be killed keeps its GPU and is not over, whatever is wished; other jobs take turns on the other one', async () => {
    const { PATH } = await pretendGpus(scene.host, 2);
    const worker = await scene.host.start({ PATH }, UNDYING);
    const stuck = await scene.add([{ ...LONG, behave: 'ignore_term' }]);
    await scene.until(stuck, isRunning);
    const gpu = (await leased()).get(stuck);
    await cancelJob({ user_id: scene.owner.user_id, role: 'user' }, stuck);
    await expect.poll(() => worker.words(), { timeout: 60_000 }).toContain('the run does not die');
    // Whoever looks at the devices is told.
    await expect.poll(quarantined).toEqual([{ uuid: gpu, reason: UNDYING_WORDS }]);
    const other = await addOwner(db, scene.host);
    for (const user of [scene.owner, other, other]) {
      const id = await addTraining(db, scene.host, user, [{ steps: 5 }]);
      expect((await untilJob(db, id, isOver)).status).toBe('completed');
      expect((await leased()).get(stuck)).toBe(gpu);
    }
    const used = await db.asOwner<{ uuid: string; n: number }>(
      'SELECT d.uuid, count(*)::int AS n FROM lowrank.gpu_leases l JOIN lowrank.gpu_devices d ON d.id = l.device_id GROUP BY 1',
    );
    expect(new Map(used.map((row) => [row.uuid, row.n])).get(gpu ?? '')).toBe(1);
    expect(await scene.job(stuck)).toMatchObject({ status: 'running', attempt: 1 });
    // At last the kernel lets go of it.
    process.kill((await scene.started(stuck)).child.pid, 'SIGKILL');
    expect(await scene.until(stuck)).toMatchObject({ status: 'cancelled' });
    expect([(await leased()).size, await quarantined()]).toEqual([0, []]);
    await scene.expectOrder();
  });

  /** The process that a trainer which behaves `fork_escape` has left behind. */
  async function leftBehind(job_id: string): Promise<number> {
    const escaped = async () =>
      /escaped pid (\d+)/.exec(await readFile(scene.file(job_id, 'train.log'), 'utf8').catch(() => ''))?.[1];
    await expect.poll(escaped, { timeout: 60_000 }).toBeDefined();
    return Number(await escaped());
  }

  test('what a run left behind holds its GPU after its trainer is done: the job is not over before', async () => {
    const { PATH } = await pretendGpus(scene.host, 1);
    const worker = await scene.host.start({ PATH }, UNDYING);
    const id = await scene.add([{ behave: 'fork_escape', steps: 5 }]);
    const left = await leftBehind(id);
    const waiting = await addTraining(db, scene.host, await addOwner(db, scene.host), [{ steps: 5 }]);
    await expect.poll(() => worker.words(), { timeout: 60_000 }).toContain('the run does not die');
    expect(await scene.job(id)).toMatchObject({ status: 'running', current_stage: 'done' });
    expect(await scene.job(waiting)).toMatchObject({ status: 'queued' });
    process.kill(left, 'SIGKILL');
    for (const job of [id, waiting]) expect(await scene.until(job)).toMatchObject({ status: 'completed', attempt: 1 });
    expect(await scene.exited(id)).toMatchObject({ code: 0, orphans_killed: 1 });
    await scene.expectOrder();
  });

  test('what a run left behind holds its GPU when trainer, wrapper and worker are gone: nothing starts there', async () => {
    const { PATH } = await pretendGpus(scene.host, 1);
    const first = await scene.host.start({ PATH }, UNDYING);
    const id = await scene.add([{ ...LONG, behave: 'fork_escape' }, { steps: 5 }]);
    const left = await leftBehind(id);
    process.kill((await scene.started(id)).wrapper.pid, 'SIGKILL');
    first.child.kill('SIGKILL');
    await first.gone;
    const worker = await scene.host.start({ PATH }, UNDYING);
    const waiting = await addTraining(db, scene.host, await addOwner(db, scene.host), [{ steps: 5 }]);
    await expect.poll(() => worker.words(), { timeout: 60_000 }).toContain('the run does not die');
    expect(await scene.job(id)).toMatchObject({ status: 'running', attempt: 1, retry_count: 0 });
    expect(await scene.job(waiting)).toMatchObject({ status: 'queued' });
    expect([...(await leased()).keys()]).toEqual([id]);
    process.kill(left, 'SIGKILL');
    for (const job of [id, waiting]) expect(await scene.until(job)).toMatchObject({ status: 'completed' });
    expect(await scene.job(id)).toMatchObject({ attempt: 2, retry_count: 1 });
    await scene.expectOrder();
  });
});
