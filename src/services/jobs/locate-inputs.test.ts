import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectStorage } from '#/storage/connect-storage.ts';
import { localFolder } from '#/storage/local-folder.ts';
import { useDatabase } from '../../../test/database.ts';
import { addJob, addPerson } from '../../../test/factories.ts';
import { locateAdapters } from './locate-inputs.ts';
import type { HeldRun } from './read-run.ts';

const db = useDatabase();
const folder = mkdtempSync(join(tmpdir(), 'lowrank-adapters-'));
const SUM = 'b'.repeat(64);
let owner: string;
let stranger: string;
beforeAll(async () => {
  connectStorage(localFolder(folder));
  owner = await addPerson(db);
  stranger = await addPerson(db);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const runOf = (user_id: string) => ({ user_id }) as HeldRun;

async function addAdapter(fields: { purged_at?: Date } = {}): Promise<string> {
  const id = randomUUID();
  const job = await addJob(db, owner, { status: 'completed' });
  await db.asOwner(
    `INSERT INTO lowrank.model_artifacts (id, job_id, user_id, name, kind, storage_path, files, sha256, size, purged_at)
     VALUES ($1, $2, $3, 'First', 'adapter', 'x', '[]', $4, 1, $5)`,
    [id, job, owner, SUM, fields.purged_at ?? null],
  );
  return id;
}

test('a run that goes on from an adapter is told where it lies and what its weights sum to', async () => {
  const id = await addAdapter();
  expect(await locateAdapters(runOf(owner), [id])).toEqual([{ path: expect.stringContaining(join(owner, id)), sha256: SUM }]);
  expect(await locateAdapters(runOf(owner), [])).toEqual([]);
});

test('an adapter that is gone, or that is somebody else’s, fails the run with its reason', async () => {
  const [mine, gone] = [await addAdapter(), await addAdapter({ purged_at: new Date() })];
  const failure = { code: 'bad_config', message: expect.stringMatching(/starts from is gone/) };
  expect(await locateAdapters(runOf(owner), [gone])).toMatchObject(failure);
  expect(await locateAdapters(runOf(stranger), [mine])).toMatchObject(failure);
});
