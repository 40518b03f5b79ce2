/** Between any two steps of a run's life the worker is killed, or a step fails: what must hold afterwards holds. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { useDatabase } from '../../test/database.ts';
import { brokenInvariants } from '../../test/invariants.ts';
import {
  addOwner,
  addTraining,
  forgetEverything,
  isOver,
  makeHost,
  type Owner,
  untilJob,
  type WorkerHost,
} from '../../test/worker-process.ts';
import { FAILPOINTS } from './failpoint.ts';

const db = useDatabase();
let host: WorkerHost;
let owner: Owner;
beforeEach(async () => {
  await forgetEverything(db);
  host = await makeHost(db);
  owner = await addOwner(db, host);
});
afterEach(() => host.end());

/** The points that only a run comes through that fails. */
const OF_FAILURES: string[] = ['before_settle', 'after_settle_commit'];
const addOk = () => addTraining(db, host, owner, [{ steps: 3 }]);
const addFailing = () => addTraining(db, host, owner, [{ behave: 'exit1', steps: 4 }]);

describe('at every failpoint', () => {
  test('a worker that is killed there leaves what the next one brings to a good end', async () => {
    const jobs: string[] = [];
    const reached: string[] = [];
    // Each worker has the runs of the killed ones to bring to an end as well, and may be killed at that.
    for (const name of FAILPOINTS) {
      jobs.push(await (OF_FAILURES.includes(name) ? addFailing() : addOk()));
      const worker = host.launch({ LOWRANK_FAILPOINTS: `${name}:kill` });
      if ((await worker.gone) === 'SIGKILL') reached.push(name);
    }
    expect(reached).toEqual([...FAILPOINTS]);
    await host.start();
    for (const [at, id] of jobs.entries()) {
      const job = await untilJob(db, id, isOver, 60_000);
      const failing = OF_FAILURES.includes(FAILPOINTS[at] ?? '');
      expect([job.status, job.error_code]).toEqual(failing ? ['failed', 'internal'] : ['completed', null]);
      // None of it was the run's fault, and no run was lost: it was found, or proved not to have begun.
      expect(job.retry_count).toBe(0);
    }
    expect(await brokenInvariants(db, [host.data_dir])).toEqual([]);
  }, 240_000);

  test('a step that fails unexpectedly is done again', async () => {
    const jobs = [await addOk(), await addFailing()];
    const worker = await host.start({ LOWRANK_FAILPOINTS: FAILPOINTS.map((name) => `${name}:throw`).join(',') });
    const ends = [];
    for (const id of jobs) ends.push((await untilJob(db, id, isOver)).status);
    expect(ends).toEqual(['completed', 'failed']);
    await expect.poll(() => brokenInvariants(db, [host.data_dir]), { timeout: 5_000 }).toEqual([]);
    for (const name of FAILPOINTS) expect(worker.words()).toContain(`failpoint ${name}`);
  });
});
