/** What promises.md says of one run and its end, each by a test that can fail. Times are the promised ones divided by DIVISOR. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { scaledPromiseTimes } from '#/domain/constants.ts';
import { cancelJob } from '#/services/jobs/cancel-job.ts';
import { useDatabase } from '../../test/database.ts';
import { DIVISOR, isOver, makeHost } from '../../test/worker-process.ts';
import { attemptsAlive, isRunning, keptWithin, LONG, setScene } from '../../test/worker-scene.ts';

const db = useDatabase();
const TIMES = scaledPromiseTimes(DIVISOR);
/** A job whose process died is not called running for longer than this. */
const DEAD_WITHIN_MS = 35_000 / DIVISOR;

/** Without a restart of the worker: one is enough for all. */
describe('with one worker:', () => {
  const scene = setScene(db, 'all tests');
  beforeAll(async () => {
    await scene.host.start();
  });

  test('4 · a stopped wrapper is not taken for a dead one, and its run goes on when it wakes', async () => {
    const id = await scene.add([LONG]);
    await scene.until(id, isRunning);
    const before = await scene.started(id);
    process.kill(before.wrapper.pid, 'SIGSTOP');
    await pause(TIMES.contact_lost_ms * 2);
    expect((await scene.job(id)).status).toBe('running');
    process.kill(before.wrapper.pid, 'SIGCONT');
    const { current_step } = await scene.job(id);
    await scene.until(id, (job) => job.current_step > current_step);
    await cancelJob({ user_id: scene.owner.user_id, role: 'user' }, id);
    expect(await scene.until(id)).toMatchObject({ status: 'cancelled', attempt: 1 });
    expect(await scene.started(id)).toEqual(before);
    await scene.expectOrder();
  });

  test.each(['ok', 'ignore_term', 'fork_escape', 'hang'])(
    '6 · cancel is final for a trainer that behaves %s, in time, with its whole tree',
    async (behave) => {
      const id = await scene.add([{ ...LONG, behave }]);
      await scene.until(id, (job) => job.status === 'running' && job.current_step >= 2);
      const took = await keptWithin(30_000 / DIVISOR, async () => {
        await cancelJob({ user_id: scene.owner.user_id, role: 'user' }, id);
        await scene.until(id);
      });
      expect(await scene.job(id)).toMatchObject({ status: 'cancelled' });
      expect((await attemptsAlive()).has(id)).toBe(false);
      if (behave === 'ignore_term') expect(took).toBeGreaterThan(TIMES.grace_ms);
      await scene.expectOrder();
    },
  );

  test('8 · its trainer was killed: failed, and why', async () => {
    const id = await scene.add([LONG]);
    await scene.until(id, isRunning);
    process.kill((await scene.started(id)).child.pid, 'SIGKILL');
    await keptWithin(DEAD_WITHIN_MS, () => scene.until(id));
    expect(await scene.job(id)).toMatchObject({ status: 'failed', error_code: 'killed' });
    await scene.expectOrder();
  });

  test('8 · its wrapper was killed: it goes on from its last checkpoint by itself', async () => {
    const id = await scene.add([LONG, { steps: 200, step_seconds: 0.005 }]);
    await scene.until(id, (job) => job.status === 'running' && job.current_step >= 12);
    process.kill((await scene.started(id)).wrapper.pid, 'SIGKILL');
    await keptWithin(DEAD_WITHIN_MS, () => scene.until(id, (job) => job.retry_count === 1));
    expect(await scene.until(id)).toMatchObject({ status: 'completed', attempt: 2, current_step: 200 });
    const runs = await db.asOwner<{ resumed_from_step: number | null }>(
      'SELECT resumed_from_step FROM lowrank.job_runs WHERE job_id = $1 ORDER BY attempt',
      [id],
    );
    expect(runs[0]?.resumed_from_step).toBeNull();
    expect(runs[1]?.resumed_from_step).toBeGreaterThanOrEqual(10);
    await scene.expectOrder();
  });

  test('8 · its trainer was killed under a wrapper that does not move: known after the time of a lost contact', async () => {
    const id = await scene.add([LONG, { steps: 200, step_seconds: 0.005 }]);
    await scene.until(id, isRunning);
    const { wrapper, child } = await scene.started(id);
    process.kill(wrapper.pid, 'SIGSTOP');
    process.kill(child.pid, 'SIGKILL');
    await keptWithin(DEAD_WITHIN_MS, () => scene.until(id, (job) => job.retry_count === 1));
    expect(await scene.until(id)).toMatchObject({ status: 'completed', attempt: 2 });
    await scene.expectOrder();
  });

  test('12 · nobody reads, and the run is not slower for it: its output never waits', async () => {
    const id = await scene.add([{ behave: 'flood', flood_mb: 100, steps: 5 }]);
    expect((await scene.until(id)).status).toBe('completed');
    const log = await readFile(scene.file(id, 'train.log'));
    expect((await scene.exited(id)).log_bytes_dropped).toBeGreaterThan(30 * 1024 ** 2);
    expect(log.length).toBeLessThan(65 * 1024 ** 2);
  });
});

describe('6 · cancel is final', () => {
  const scene = setScene(db, 'each test');
  const cancel = (id: string) => cancelJob({ user_id: scene.owner.user_id, role: 'user' }, id);

  test('a job that waits is cancelled at once, and one that a dead worker claimed when it is back', async () => {
    const waiting = await scene.add();
    await keptWithin(1_000, () => cancel(waiting));
    expect((await scene.job(waiting)).status).toBe('cancelled');
    const worker = await scene.host.start({ LOWRANK_FAILPOINTS: 'after_claim_commit:kill' });
    const claimed = await scene.add();
    await worker.gone;
    await cancel(claimed);
    await scene.host.start();
    expect((await scene.until(claimed)).status).toBe('cancelled');
    expect(await readdir(join(scene.host.data_dir, 'runs', claimed, '1'))).not.toContain('started.json');
    await scene.expectOrder();
  });

  test('while the adapter is being checked it still wins, and nothing is left in storage', async () => {
    await scene.host.start({ LOWRANK_FAILPOINTS: 'after_publish:sleep=5000' });
    const id = await scene.add([{ steps: 3 }]);
    await scene.until(id, (job) => job.current_stage === 'publishing');
    await cancel(id);
    expect((await scene.until(id)).status).toBe('cancelled');
    await scene.expectOrder(20_000);
  });
});

describe('7 · a restart of the worker stops no training', () => {
  const scene = setScene(db, 'each test');

  test('killed while a trainer runs: the same process goes on and its end is told as it was', async () => {
    const worker = await scene.host.start();
    const id = await scene.add([{ steps: 70, step_seconds: 0.05 }]);
    await scene.until(id, isRunning);
    const before = await scene.started(id);
    worker.child.kill('SIGKILL');
    await worker.gone;
    await pause(TIMES.contact_lost_ms);
    await scene.host.start();
    await keptWithin(10_000 / DIVISOR, () =>
      scene.until(id, (job) => isOver(job) || (job.current_step > 40 && job.contact_lost_at === null)),
    );
    expect(await scene.until(id)).toMatchObject({ status: 'completed', attempt: 1, current_step: 70 });
    expect(await scene.started(id)).toEqual(before);
    await scene.expectOrder();
  });

  test('killed and back: its run costs the time that it took, once', async () => {
    const worker = await scene.host.start();
    // A cent is ten milliseconds.
    const id = await scene.add([{ steps: 60, step_seconds: 0.05 }], { hourly_rate: 3600 });
    const cost = async () => Number((await scene.job(id)).current_cost);
    await expect.poll(cost, { timeout: 30_000, interval: 20 }).toBeGreaterThan(0);
    worker.child.kill('SIGKILL');
    await worker.gone;
    await pause(TIMES.contact_lost_ms);
    await scene.host.start();
    expect(await scene.until(id)).toMatchObject({ status: 'completed', attempt: 1 });
    const { ran_ms } = await scene.exited(id);
    const records = await db.asOwner<{ quantity: string; amount: string }>(
      `SELECT quantity, amount FROM lowrank.cost_records WHERE job_id = $1 AND type = 'compute'`,
      [id],
    );
    expect(records.reduce((sum, { quantity }) => sum + Number(quantity), 0)).toBeCloseTo(Number(ran_ms) / 3_600_000, 5);
    const paid = records.reduce((sum, { amount }) => sum + Number(amount), 0);
    expect(Math.abs(paid - Number(ran_ms) / 1000)).toBeLessThan(0.02);
    expect(Number((await scene.job(id)).final_cost)).toBeCloseTo(paid, 5);
    await scene.expectOrder();
  });

  test.each([
    ['exit1', 'internal'],
    ['segv', 'internal'],
    ['ok', null],
  ])('killed before a trainer ends by %s: the true end is told when the next one is there', async (behave, code) => {
    const worker = await scene.host.start();
    const id = await scene.add([{ behave, steps: 4, step_seconds: 0.1 }]);
    await scene.until(id, (job) => job.status === 'running');
    worker.child.kill('SIGKILL');
    await scene.exited(id);
    await scene.host.start();
    const job = await scene.until(id);
    expect(job).toMatchObject({ status: code === null ? 'completed' : 'failed', error_code: code, attempt: 1, retry_count: 0 });
    await scene.expectOrder();
  });
});

describe('8 · a dead run is not called running', () => {
  const scene = setScene(db, 'each test');

  test('its host was restarted: settled as soon as the worker is back', async () => {
    const worker = await scene.host.start();
    const id = await scene.add([LONG]);
    await scene.until(id, isRunning);
    worker.child.kill('SIGKILL');
    await worker.gone;
    // What a reboot leaves: no process, and records of another boot.
    const record = await scene.started(id);
    process.kill(record.wrapper.pid, 'SIGKILL');
    await writeFile(scene.file(id, 'started.json'), JSON.stringify({ ...record, boot_id: 'the boot before' }));
    await scene.host.start();
    await keptWithin(DEAD_WITHIN_MS, () => scene.until(id, (job) => job.retry_count === 1));
    await scene.until(id, (job) => job.status === 'running' && job.attempt === 2);
  });

  test('a vanished host shows at the time of a lost contact, and not before', async () => {
    const worker = await scene.host.start();
    const id = await scene.add([LONG]);
    await scene.until(id, isRunning);
    const second = await makeHost(db);
    try {
      await second.start();
      worker.child.kill('SIGKILL');
      await worker.gone;
      await keptWithin(TIMES.contact_lost_ms + TIMES.sweep_ms, () => scene.until(id, (job) => job.contact_lost_at !== null));
      // By the one clock that counts.
      const [seen] = await db.asOwner<{ silent_ms: number }>(
        `SELECT extract(epoch FROM j.contact_lost_at - w.heartbeat_at)::float * 1000 AS silent_ms
         FROM lowrank.training_jobs j JOIN lowrank.workers w ON w.id = j.worker_id WHERE j.id = $1`,
        [id],
      );
      expect(seen?.silent_ms).toBeGreaterThan(TIMES.contact_lost_ms);
      expect((await scene.job(id)).status).toBe('running');
    } finally {
      await second.end();
    }
  });
});
