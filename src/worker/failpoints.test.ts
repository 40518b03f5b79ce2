/** Between any two steps of a run's life the worker is killed, or a step fails: what must hold afterwards holds. */
import { describe, expect, test } from 'vitest';
import { useDatabase } from '../../test/database.ts';
import { setScene } from '../../test/worker-scene.ts';
import { FAILPOINTS } from './failpoint.ts';

const db = useDatabase();

/** The points that only a run comes through that fails. */
const OF_FAILURES: string[] = ['before_settle', 'after_settle_commit'];

describe('at every failpoint', () => {
  const scene = setScene(db, 'each test');
  const addOk = () => scene.add([{ steps: 3 }]);
  const addFailing = () => scene.add([{ behave: 'exit1', steps: 4 }]);

  test('a worker that is killed there leaves what the next one brings to a good end', async () => {
    const jobs: string[] = [];
    const reached: string[] = [];
    // Each worker has the runs of the killed ones to bring to an end as well, and may be killed at that.
    for (const name of FAILPOINTS) {
      jobs.push(await (OF_FAILURES.includes(name) ? addFailing() : addOk()));
      const worker = scene.host.launch({ LOWRANK_FAILPOINTS: `${name}:kill` });
      if ((await worker.gone) === 'SIGKILL') reached.push(name);
    }
    expect(reached).toEqual([...FAILPOINTS]);
    await scene.host.start();
    for (const [at, id] of jobs.entries()) {
      const job = await scene.until(id);
      const failing = OF_FAILURES.includes(FAILPOINTS[at] ?? '');
      expect([job.status, job.error_code]).toEqual(failing ? ['failed', 'internal'] : ['completed', null]);
      // None of it was the run's fault, and no run was lost: it was found, or proved not to have begun.
      expect(job.retry_count).toBe(0);
    }
    await scene.expectOrder();
  }, 480_000);

  test('a step that fails unexpectedly is done again', async () => {
    const jobs = [await addOk(), await addFailing()];
    const worker = await scene.host.start({ LOWRANK_FAILPOINTS: FAILPOINTS.map((name) => `${name}:throw`).join(',') });
    const ends = [];
    for (const id of jobs) ends.push((await scene.until(id)).status);
    expect(ends).toEqual(['completed', 'failed']);
    await scene.expectOrder(20_000);
    for (const name of FAILPOINTS) expect(worker.words()).toContain(`failpoint ${name}`);
  });
});
