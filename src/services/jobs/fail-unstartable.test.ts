import { beforeEach, expect, test } from 'vitest';
import { useDatabase } from '../../../test/database.ts';
import { addJob, addPerson } from '../../../test/factories.ts';
import { registerWorker } from '../machine/register-worker.ts';
import { failUnstartable } from './fail-unstartable.ts';

const db = useDatabase();
const SILENT_MS = 30_000;
const awaited = { spec: { awaits_launch: true } };
let user_id: string;
beforeEach(async () => {
  await db.asOwner('TRUNCATE identity.users, lowrank.workers CASCADE');
  await addWorker('me');
  user_id = await addPerson(db);
});

const addWorker = (id: string, facts: Record<string, unknown> = {}) =>
  registerWorker({ id, boot_id: 'boot', pid: 1, version: '0', facts }, []);
const setFacts = (id: string, facts: object) =>
  db.asOwner('UPDATE lowrank.workers SET facts = $2 WHERE id = $1', [id, JSON.stringify(facts)]);
const fail = () => failUnstartable('me', 'there is no image in /srv/lowrank/images', SILENT_MS);

test('a job whose submission waits for its launch fails with the reason, and was never given a device', async () => {
  const id = await addJob(db, user_id, { config: awaited });
  expect(await fail()).toEqual([id]);
  const [job] = await db.asOwner('SELECT * FROM lowrank.training_jobs');
  expect(job).toMatchObject({
    ...{ status: 'failed', attempt: 0, error_code: 'launch_failed', error_hint: expect.stringContaining('lowrank doctor') },
    error_message: expect.stringMatching(/could not be started: there is no image in (?!\/srv)/),
  });
  expect(await db.asOwner('SELECT 1 FROM lowrank.job_runs UNION ALL SELECT 1 FROM lowrank.gpu_leases')).toEqual([]);
  expect(await fail()).toEqual([]);
});

test('all others wait until it is mended', async () => {
  await addJob(db, user_id);
  await addJob(db, user_id, { config: awaited, queued_at: new Date(Date.now() - 60_000) });
  await addJob(db, user_id, { config: awaited, held_at: new Date() });
  await addJob(db, user_id, { config: awaited, current_stage: 'fetching_model' });
  const busy = await addPerson(db);
  for (const slot of [1, 2]) await addJob(db, busy, { status: 'running', slot });
  await addJob(db, busy, { config: awaited });
  expect(await fail()).toEqual([]);
});

test('nothing fails while another worker could start it, or an administrator has nothing started', async () => {
  await addWorker('other');
  const id = await addJob(db, user_id, { config: awaited });
  // Not heard yet of its engine, one that comes back by itself, and none at all.
  for (const facts of [{}, { executor_fault: { state: 'away', reason: '' } }, { executor_fault: null }]) {
    await setFacts('other', facts);
    expect(await fail()).toEqual([]);
  }
  await setFacts('other', { executor_fault: { state: 'unfit', reason: '' } });
  await db.asOwner("INSERT INTO lowrank.settings (key, value) VALUES ('draining', 'true')");
  expect(await fail()).toEqual([]);
  await db.asOwner('DELETE FROM lowrank.settings');
  expect(await fail()).toEqual([id]);
});
