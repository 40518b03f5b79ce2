/** Between any two steps of a run's life the worker is killed, or a step fails: what must hold afterwards holds. */
import { describe, expect, test } from 'vitest';
import { useDatabase } from '../../test/database.ts';
import { setScene } from '../../test/worker-scene.ts';
import { FAILPOINTS, WRAPPER_FAILPOINTS } from './failpoint.ts';

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

  /** Attempts that a job takes whose wrapper dies there, and how many of its restarts for our faults that costs. */
  const AFTER_A_WRAPPER: Record<(typeof WRAPPER_FAILPOINTS)[number], { attempt: number; retry_count: number }> = {
    // Proved not to have begun: it waits again.
    wrapper_before_started: { attempt: 2, retry_count: 0 },
    wrapper_after_started: { attempt: 2, retry_count: 1 },
    // How its trainer ended nobody can tell any more.
    wrapper_before_exit: { attempt: 2, retry_count: 1 },
    wrapper_after_exit: { attempt: 1, retry_count: 0 },
  };

  test.each(WRAPPER_FAILPOINTS)('a wrapper that is killed at %s costs at most a restart', async (name) => {
    await scene.host.start({ LOWRANK_FAILPOINTS: `${name}:kill` });
    const id = await addOk();
    expect(await scene.until(id)).toMatchObject({ status: 'completed', current_step: 3, ...AFTER_A_WRAPPER[name] });
    // It came that far and no further.
    const [first] = await db.asOwner<{ started: boolean; exited: boolean }>(
      'SELECT handle IS NOT NULL AS started, exit IS NOT NULL AS exited FROM lowrank.job_runs WHERE job_id = $1 AND attempt = 1',
      [id],
    );
    expect(first).toEqual({ started: name !== 'wrapper_before_started', exited: name === 'wrapper_after_exit' });
    await scene.expectOrder(20_000);
  });
});
