/** A worker and a run that it has just started: for the tests of what becomes of it. */
import { randomUUID } from 'node:crypto';
import { beforeEach } from 'vitest';
import { scaledPromiseTimes } from '#/domain/constants.ts';
import { claimJob } from '#/services/jobs/claim-job.ts';
import type { RunKey } from '#/services/jobs/hold-run.ts';
import { noteStarted } from '#/services/jobs/launch-run.ts';
import { registerWorker } from '#/services/machine/register-worker.ts';
import { useDatabase } from './database.ts';
import { addJob, addPerson } from './factories.ts';

export const db = useDatabase();
export const TIMES = scaledPromiseTimes(1);

export let user_id: string;
export let worker_id: string;
export let run: RunKey;

export async function addWorker(): Promise<string> {
  const id = randomUUID();
  await registerWorker({ id, boot_id: 'boot', pid: 1, version: '0', facts: {} }, [
    { kind: 'cpu', uuid: 'cpu', name: 'CPU', memory_mb: 1 },
  ]);
  return id;
}

beforeEach(async () => {
  await db.asOwner('DELETE FROM identity.users');
  await db.asOwner('DELETE FROM lowrank.workers');
  user_id = await addPerson(db);
  worker_id = await addWorker();
  await addJob(db, user_id);
  const claimed = await claimJob(worker_id, 'process', TIMES.contact_lost_ms);
  if (claimed === null) throw new Error('the scene needs a claim');
  run = claimed;
  await noteStarted(run, {});
});

export const owner = () => ({ user_id, role: 'user' as const });
export const job = async () => {
  const [row] = await db.asOwner<Record<string, unknown>>('SELECT * FROM lowrank.training_jobs');
  if (row === undefined) throw new Error('the job is gone');
  return row;
};
export const line = (seq: number, more: Record<string, unknown>) =>
  JSON.stringify({ seq, ts: '2026-03-01T12:00:00.000Z', ...more });
export const metric = (seq: number, step: number, more: Record<string, unknown> = {}) =>
  line(seq, { type: 'metric', step, loss: 1.5, ...more });
export const batch = (from: number, to: number, lines: string[]) => ({ from, to, lines, oversized: 0 });
