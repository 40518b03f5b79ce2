/** A pause: what is freed, what is kept, and that what goes on is what would have been. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { scaledPromiseTimes } from '#/domain/constants.ts';
import { cancelJob } from '#/services/jobs/cancel-job.ts';
import { pauseJob } from '#/services/jobs/pause-job.ts';
import { startJob } from '#/services/jobs/start-job.ts';
import { useDatabase } from '../../test/database.ts';
import { DIVISOR } from '../../test/worker-process.ts';
import { isRunning, keptWithin, LONG, setScene } from '../../test/worker-scene.ts';

const db = useDatabase();
const TIMES = scaledPromiseTimes(DIVISOR);

describe('a paused training', () => {
  const scene = setScene(db, 'each test');
  const ctx = () => ({ user_id: scene.owner.user_id, role: 'user' as const });
  const isPaused = (job: { status: string }) => job.status === 'queued';
  const resumedFrom = async (id: string) =>
    (
      await db.asOwner<{ step: number }>(
        'SELECT resumed_from_step AS step FROM lowrank.job_runs WHERE job_id = $1 AND attempt = 2',
        [id],
      )
    )[0]?.step;

  test('leaves its place to the next, and goes on from the step at which it stopped', async () => {
    await scene.host.start();
    const id = await scene.add([LONG, { steps: 60, step_seconds: 0.005 }]);
    await scene.until(id, isRunning);
    const next = await scene.add([{ steps: 3 }]);
    expect((await scene.job(next)).status).toBe('queued');
    await pauseJob(ctx(), id);
    const paused = await scene.until(id, isPaused);
    expect(paused).toMatchObject({ attempt: 1, retry_count: 0, error_code: null });
    expect(await scene.exited(id)).toMatchObject({ code: 143, stop_requested: 'pause' });
    expect(await scene.until(next)).toMatchObject({ status: 'completed' });
    await scene.expectOrder();
    expect((await scene.job(id)).status).toBe('queued');
    await startJob(ctx(), id);
    expect(await scene.until(id)).toMatchObject({ status: 'completed', attempt: 2, retry_count: 0, current_step: 60 });
    expect(await resumedFrom(id)).toBe(paused.current_step);
    await scene.expectOrder();
  });

  test('that does not obey is ended after its grace, and goes on from its last checkpoint', async () => {
    await scene.host.start();
    const id = await scene.add([
      { ...LONG, behave: 'ignore_term' },
      { steps: 60, step_seconds: 0.005 },
    ]);
    await scene.until(id, (job) => job.status === 'running' && job.current_step > 5);
    await keptWithin(TIMES.grace_ms + 2 * TIMES.sweep_ms, async () => {
      await pauseJob(ctx(), id);
      await scene.until(id, isPaused);
    });
    await startJob(ctx(), id);
    expect(await scene.until(id)).toMatchObject({ status: 'completed', attempt: 2 });
    expect(await resumedFrom(id)).toBeGreaterThanOrEqual(5);
    await scene.expectOrder();
  });

  test('is paused by the next worker when its own was killed over it', async () => {
    const worker = await scene.host.start({ LOWRANK_FAILPOINTS: 'after_exit_seen:kill' });
    const id = await scene.add([LONG, { steps: 60, step_seconds: 0.005 }]);
    await scene.until(id, isRunning);
    await pauseJob(ctx(), id);
    await worker.gone;
    await scene.host.start();
    expect(await scene.until(id, isPaused)).toMatchObject({ attempt: 1, retry_count: 0 });
    await scene.expectOrder();
  });

  test.each([
    ['kept', undefined, 1],
    ['discarded', true, 0],
  ])('that is cancelled has its last checkpoint %s', async (_, discard, left) => {
    await scene.host.start();
    const id = await scene.add([LONG]);
    await scene.until(id, isRunning);
    await cancelJob(ctx(), id, { discard });
    expect(await scene.until(id)).toMatchObject({ status: 'cancelled' });
    const folder = join(scene.host.data_dir, 'runs', id, '1/outputs/checkpoints');
    await expect.poll(async () => (await readdir(folder)).length, { timeout: 60_000 }).toBe(left);
    await scene.expectOrder();
  });
});
