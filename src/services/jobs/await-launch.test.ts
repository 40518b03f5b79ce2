import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Context } from '#/services/context.ts';
import { useDatabase } from '../../../test/database.ts';
import { addJob, addPerson } from '../../../test/factories.ts';
import { awaitLaunch } from './await-launch.ts';
import { silenceJobBell } from './job-bell.ts';

const db = useDatabase();
const LONG = { claim: 60_000, start: 60_000, nothing: 0 };
let owner: Context;
beforeAll(async () => {
  owner = { user_id: await addPerson(db), role: 'user' };
});
beforeEach(() => db.asOwner('DELETE FROM lowrank.training_jobs'));
afterAll(silenceJobBell);

const move = (id: string, set: string) => db.asOwner(`UPDATE lowrank.training_jobs SET ${set} WHERE id = $1`, [id]);
const wait = (id: string, patience = LONG, signal = new AbortController().signal) =>
  awaitLaunch(owner, id, signal, patience).then(({ job }) => job.status);

/** Until the wait is between two looks: its notification is listened for, and nothing is asked. */
async function untilWaiting(): Promise<void> {
  for (;;) {
    const rows = await db.asOwner<{ state: string; name: string }>(
      "SELECT state, application_name AS name FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'lowrank-web%'",
    );
    const listens = rows.some((row) => row.name.endsWith('listen') && row.state === 'idle');
    if (listens && rows.length > 1 && rows.every((row) => row.state === 'idle')) return;
  }
}

describe('awaiting a launch', () => {
  test('follows it through its steps to its end, with no transaction open meanwhile', async () => {
    const id = await addJob(db, owner.user_id);
    const status = wait(id);
    await untilWaiting();
    await move(id, "status = 'initializing', slot = 1");
    await untilWaiting();
    await move(id, "status = 'running', started_at = now()");
    expect(await status).toBe('running');
  });

  test('ends when the launch fails, is put off, or is cancelled', async () => {
    for (const [set, status] of [
      ["status = 'failed', error_code = 'launch_failed'", 'failed'],
      ["status = 'queued', attempt = 1", 'queued'],
      ["status = 'cancelled'", 'cancelled'],
    ] as const) {
      const id = await addJob(db, owner.user_id, { status: 'initializing', slot: 1 });
      const waited = wait(id);
      await untilWaiting();
      await move(id, set);
      expect(await waited).toBe(status);
    }
  });

  test('ends with what is true when its time is over, or nobody wants the answer any more', async () => {
    const starting = await addJob(db, owner.user_id, { status: 'initializing', slot: 1 });
    expect(await wait(starting, { claim: 0, start: 100, nothing: 0 })).toBe('initializing');
    const gone = new AbortController();
    const waited = wait(starting, LONG, gone.signal);
    await untilWaiting();
    gone.abort();
    expect(await waited).toBe('initializing');
  });

  test('does not wait where nothing is under way', async () => {
    const held = await addJob(db, owner.user_id, { held_at: new Date() });
    const fetching = await addJob(db, owner.user_id, { current_stage: 'fetching_model' });
    expect([await wait(held), await wait(fetching)]).toEqual(['queued', 'queued']);
    await addJob(db, owner.user_id, { status: 'running', slot: 1 });
    await addJob(db, owner.user_id, { status: 'running', slot: 2 });
    expect(await wait(await addJob(db, owner.user_id))).toBe('queued');
  });

  test('answers nothing of a stranger’s job', async () => {
    const stranger: Context = { user_id: await addPerson(db), role: 'user' };
    const id = await addJob(db, owner.user_id);
    await expect(awaitLaunch(stranger, id, AbortSignal.abort())).rejects.toMatchObject({ code: 'not_found' });
  });
});
