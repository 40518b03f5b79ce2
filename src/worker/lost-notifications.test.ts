/** A notification is a hint: with every one of them lost, polling finds what is to do within a sweep. */
import { setTimeout as pause } from 'node:timers/promises';
import { beforeEach, expect, test } from 'vitest';
import { CANCELLED_WITHIN_MS, scaledPromiseTimes } from '#/domain/constants.ts';
import { cancelJob } from '#/services/jobs/cancel-job.ts';
import { useDatabase } from '../../test/database.ts';
import { DIVISOR } from '../../test/worker-process.ts';
import { keptWithin, setScene } from '../../test/worker-scene.ts';

const db = useDatabase();
const scene = setScene(db, 'each test');
const { sweep_ms } = scaledPromiseTimes(DIVISOR);

beforeEach(async () => {
  await scene.host.start();
  const listens = () =>
    db.asOwner(
      "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN lowrank_work' AND state = 'idle'",
    );
  await expect.poll(async () => (await listens()).length, { timeout: 20_000 }).toBe(1);
  // Who begins to listen looks once: that look is over by then.
  await pause(2 * sweep_ms);
  await db.asOwner('ALTER TABLE lowrank.training_jobs DISABLE TRIGGER tell_job');
});

test('a job that nobody told of is claimed within a sweep', async () => {
  const id = await scene.add([{ steps: 3 }]);
  await keptWithin(sweep_ms, () => scene.until(id, (job) => job.status !== 'queued'));
  expect(await scene.until(id)).toMatchObject({ status: 'completed', attempt: 1 });
  await scene.expectOrder(20_000);
});

test('a wish to cancel that nobody told of is followed in the promised time', async () => {
  // It says nothing more, so that its own lines cannot bring the wish to its worker either.
  const id = await scene.add([{ behave: 'hang' }]);
  await scene.until(id, (job) => job.current_step > 0);
  await cancelJob({ user_id: scene.owner.user_id, role: 'user' }, id);
  await keptWithin(CANCELLED_WITHIN_MS / DIVISOR, () => scene.until(id));
  expect(await scene.job(id)).toMatchObject({ status: 'cancelled' });
  await scene.expectOrder(20_000);
});
