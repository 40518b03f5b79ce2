/** What starts runs is away or lacks something: jobs wait and are told why, no device is taken, and nothing is lost. */
import { expect, test } from 'vitest';
import { useDatabase } from '../../test/database.ts';
import { setScene } from '../../test/worker-scene.ts';

const db = useDatabase();
const scene = setScene(db, 'all tests');

const told = () => db.asOwner<{ fault: unknown }>(`SELECT facts -> 'executor_fault' AS fault FROM lowrank.workers`);
/** A worker whose engine is there; resolves when it has told what is wrong with it. */
async function startWithout(engine: string, state: string, reason: RegExp) {
  const worker = await scene.host.start({ LOWRANK_EXECUTOR: 'docker', DOCKER_HOST: engine });
  await expect.poll(told, { timeout: 20_000 }).toEqual([{ fault: { state, reason: expect.stringMatching(reason) } }]);
  return async () => {
    expect(worker.words()).toContain('this worker cannot start runs');
    worker.child.kill('SIGTERM');
    expect(await worker.gone).toBe(0);
  };
}
/** A job whose submission waits to hear of its launch, from now on. */
async function addAwaited(): Promise<string> {
  const id = await scene.add([{ steps: 3 }], { held_at: new Date() });
  const awaits = `jsonb_set(config, '{spec,awaits_launch}', 'true')`;
  await db.asOwner(
    `UPDATE lowrank.training_jobs SET held_at = NULL, queued_at = clock_timestamp(), config = ${awaits} WHERE id = $1`,
    [id],
  );
  return id;
}

test('jobs wait while nothing can start them, and train when something can', async () => {
  const waiting = await scene.add([{ steps: 3 }]);
  const stopAway = await startWithout('unix:///nowhere/docker.sock', 'away', /does not answer .ENOENT.: start it/);
  const first = await addAwaited();
  await stopAway();
  const without_tls = /would be spoken to without TLS: set DOCKER_CERT_PATH/;
  const stopUnfit = await startWithout('tcp://192.0.2.1:2375', 'unfit', without_tls);
  // What a person must mend is told to whoever waits to hear it.
  const second = await addAwaited();
  expect(await scene.until(second)).toMatchObject({
    ...{ status: 'failed', attempt: 0, error_code: 'launch_failed' },
    error_message: expect.stringMatching(without_tls),
  });
  await stopUnfit();
  for (const id of [waiting, first]) expect(await scene.job(id)).toMatchObject({ status: 'queued', attempt: 0 });
  expect(await db.asOwner('SELECT 1 FROM lowrank.gpu_leases UNION ALL SELECT 1 FROM lowrank.job_runs')).toEqual([]);
  await scene.host.start();
  for (const id of [waiting, first]) expect(await scene.until(id)).toMatchObject({ status: 'completed', attempt: 1 });
  await expect.poll(told, { timeout: 20_000 }).toEqual([{ fault: null }]);
  await scene.expectOrder(20_000);
});
