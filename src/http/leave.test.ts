import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { claimJob } from '#/services/jobs/claim-job.ts';
import { registerWorker } from '#/services/machine/register-worker.ts';
import { createApiKey } from '#/services/people/api-keys.ts';
import { removeDepartures } from '#/services/people/remove-departures.ts';
import { resetPassword } from '#/services/people/reset-password.ts';
import { connectStorage, storage } from '#/storage/connect-storage.ts';
import { localFolder } from '#/storage/local-folder.ts';
import { addBrowser, cookieOf, emptyHouse, json, noWaiting, OWN_ORIGIN, useApi } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import { addBaseModel, addDataset, addDrawn, addJob, addPerson } from '../../test/factories.ts';
import { addTenantRows } from '../../test/tenancy-scene.ts';

const db = useDatabase();
const api = useApi({ open_sign_up: true });
const PASSWORD = 'correct horse battery';
let folder: string;
let people = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lowrank-leave-'));
  connectStorage(localFolder(folder));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(async () => {
  await noWaiting(db);
  await emptyHouse(db);
  await db.asOwner('TRUNCATE lowrank.workers CASCADE');
});

interface Somebody {
  user_id: string;
  email: string;
  headers: Record<string, string>;
}
const signIn = (email: string) => api.post('/api/auth/sign-in', { email, password: PASSWORD }, OWN_ORIGIN);
/** Somebody with a password, signed in with a browser. */
async function addSomebody(role: 'user' | 'administrator' = 'user'): Promise<Somebody> {
  const email = `person-${++people}@example.test`;
  const user_id = await addPerson(db, { role, email });
  await resetPassword(email, PASSWORD);
  return { user_id, email, headers: { ...OWN_ORIGIN, cookie: cookieOf(await signIn(email)) } };
}
const leave = (who: { headers: Record<string, string> }, password: unknown = PASSWORD) =>
  api.request('/api/me', json({ password }, who.headers, 'DELETE'));
const codeOf = async (answer: Response) => [answer.status, (await answer.json()).code];
const isThere = async (user_id: string) => (await db.asOwner('SELECT FROM identity.users WHERE id = $1', [user_id])).length === 1;

/** The tables in which somebody still has a row. */
async function tablesOf(user_id: string): Promise<string[]> {
  const tables = await db.asOwner<{ name: string; own: string }>(`
    SELECT c.oid::regclass::text AS name, a.attname AS own FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname IN ('user_id', 'created_by', 'invited_by') AND NOT a.attisdropped
    WHERE n.nspname IN ('lowrank', 'identity') AND c.relkind = 'r'`);
  const found: string[] = [];
  for (const { name, own } of tables)
    if ((await db.asOwner(`SELECT FROM ${name} WHERE ${own} = $1 LIMIT 1`, [user_id])).length > 0) found.push(name);
  return found.sort();
}

async function* bytes(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('{}\n');
}

describe('whoever leaves', () => {
  test('types the password again, in a browser', async () => {
    const somebody = await addSomebody();
    expect(await codeOf(await leave(somebody, 'another password'))).toEqual([401, 'invalid_credentials']);
    expect((await api.request('/api/me', json({}, somebody.headers, 'DELETE'))).status).toBe(400);
    expect((await api.request('/api/me', json({ password: PASSWORD, sure: true }, somebody.headers, 'DELETE'))).status).toBe(400);
    const asked = { name: 'k', scopes: ['read', 'write'] as ('read' | 'write')[], expires_at: null };
    const { key } = await createApiKey({ user_id: somebody.user_id, role: 'user' }, asked);
    expect(await codeOf(await leave({ headers: { authorization: `Bearer ${key}` } }))).toEqual([403, 'session_required']);
    for (let i = 0; i < 4; i++) await leave(somebody, 'another password');
    expect(await codeOf(await leave(somebody))).toEqual([429, 'rate_limited']);
    expect((await api.me(somebody.headers)).status).toBe(200);
    await noWaiting(db);
    expect((await leave(somebody)).status).toBe(204);
  });

  test('says so in words where there is no password, and nobody else does', async () => {
    await addPerson(db, { role: 'administrator' });
    const says = (who: { headers: Record<string, string> }, body: object) =>
      api.request('/api/me', json(body, who.headers, 'DELETE'));
    const refusedAt = async (answer: Response) => [answer.status, (await answer.json()).details[0].path];
    const bare = await addBrowser(db, { role: 'administrator' });
    expect(await refusedAt(await leave(bare))).toEqual([400, 'confirm']);
    expect(await refusedAt(await says(bare, { confirm: 'yes' }))).toEqual([400, 'confirm']);
    const somebody = await addSomebody();
    expect(await refusedAt(await says(somebody, { confirm: 'delete my account' }))).toEqual([400, 'password']);
    expect((await says(somebody, { confirm: 'delete my account', password: PASSWORD })).status).toBe(400);
    for (const who of [bare, somebody]) expect((await api.me(who.headers)).status).toBe(200);
    expect((await says(bare, { confirm: 'delete my account' })).status).toBe(204);
    expect((await api.me(bare.headers)).status).toBe(401);
    expect((await removeDepartures()).map(({ user_id }) => user_id)).toEqual([bare.user_id]);
  });

  test('is signed out everywhere at once, and nobody signs in as them any more', async () => {
    await addPerson(db, { role: 'administrator' });
    const somebody = await addSomebody();
    const elsewhere = { ...OWN_ORIGIN, cookie: cookieOf(await signIn(somebody.email)) };
    const { key } = await createApiKey(
      { user_id: somebody.user_id, role: 'user' },
      { name: 'k', scopes: ['read'], expires_at: null },
    );
    const with_key = { authorization: `Bearer ${key}` };
    for (const headers of [somebody.headers, elsewhere, with_key]) expect((await api.me(headers)).status).toBe(200);
    const left = await leave(somebody);
    expect([left.status, left.headers.getSetCookie().join()]).toEqual([204, expect.stringMatching(/Max-Age=0/)]);
    for (const headers of [somebody.headers, elsewhere, with_key]) expect((await api.me(headers)).status).toBe(401);
    await noWaiting(db);
    expect((await signIn(somebody.email)).status).toBe(401);
    // The address is free before the rows are gone, and is somebody new.
    const again = await api.post('/api/sign-up', { email: somebody.email, password: PASSWORD }, OWN_ORIGIN);
    const { user } = (await again.json()) as { user: { id: string; email: string } };
    expect([again.status, user.email, user.id === somebody.user_id]).toEqual([201, somebody.email, false]);
  });

  test('has no job started any more, and goes with every row and file once nothing runs', async () => {
    const [somebody, other] = [await addSomebody(), await addSomebody()];
    for (const { user_id } of [somebody, other]) await addTenantRows(db, user_id);
    const kept: string[] = [];
    for (const { user_id } of [somebody, other]) {
      const id = await addDataset(db, user_id);
      await storage().receive(user_id, id, 'data', bytes(), 10);
      const job_id = await addJob(db, user_id, { status: 'completed', dataset_id: id });
      await addDrawn(db, { user_id, job_id, prompt: 'a cat' });
      kept.push(join(folder, user_id, id), join(folder, user_id, job_id));
    }
    const alone = await addBaseModel(db, { created_by: somebody.user_id });
    const shared = await addBaseModel(db, { created_by: somebody.user_id });
    await addJob(db, other.user_id, { base_model_id: shared, status: 'completed' });
    const others = await tablesOf(other.user_id);
    expect(others.length).toBeGreaterThan(15);
    expect(await tablesOf(somebody.user_id)).toEqual(others);

    expect((await leave(somebody)).status).toBe(204);
    await db.asOwner(`UPDATE lowrank.training_jobs SET held_at = now() WHERE user_id = $1 AND status = 'queued'`, [
      other.user_id,
    ]);
    await registerWorker({ id: 'w', boot_id: 'b', pid: 1, version: '0', facts: {} }, [
      { kind: 'gpu', uuid: 'G', name: 'G', memory_mb: 1 },
    ]);
    expect(await claimJob('w', 'process', 30_000)).toBeNull();
    expect(await removeDepartures()).toEqual([]);
    const [running] = await db.asOwner(
      `SELECT cancel_requested_at IS NOT NULL AS wished FROM lowrank.training_jobs WHERE user_id = $1 AND slot IS NOT NULL`,
      [somebody.user_id],
    );
    expect([running, await isThere(somebody.user_id)]).toEqual([{ wished: true }, true]);

    await db.asOwner(
      `UPDATE lowrank.training_jobs SET status = 'cancelled', slot = NULL WHERE user_id = $1 AND slot IS NOT NULL`,
      [somebody.user_id],
    );
    // Its last process may live still: the device is held.
    expect(await removeDepartures()).toEqual([]);
    await db.asOwner('UPDATE lowrank.gpu_leases SET released_at = now() WHERE user_id = $1', [somebody.user_id]);
    expect((await removeDepartures()).map(({ user_id }) => user_id)).toEqual([somebody.user_id]);
    expect([await isThere(somebody.user_id), await tablesOf(somebody.user_id)]).toEqual([false, []]);
    expect(kept.map(existsSync)).toEqual([false, false, true, true]);
    expect(await tablesOf(other.user_id)).toEqual(others);
    expect(
      await db.asOwner(
        'SELECT id, created_by, deleted_at IS NOT NULL AS deleted FROM lowrank.base_models WHERE id = ANY ($1) ORDER BY deleted_at',
        [[alone, shared]],
      ),
    ).toEqual([
      { id: alone, created_by: null, deleted: true },
      { id: shared, created_by: null, deleted: false },
    ]);
    expect(await removeDepartures()).toEqual([]);
    expect((await api.me(other.headers)).status).toBe(200);
  });

  test('takes along the file that was still arriving', async () => {
    const somebody = await addSomebody();
    const arriving = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<void>();
    async function* slowly() {
      yield Buffer.from('{"text":"first"}\n');
      arriving.resolve();
      await gone.promise;
      yield Buffer.from('{"text":"last"}\n');
    }
    const uploading = api.request('/api/datasets/upload?file_name=late.jsonl', {
      method: 'POST',
      headers: { ...somebody.headers, 'content-type': 'application/octet-stream' },
      body: Readable.toWeb(Readable.from(slowly())) as ReadableStream,
      duplex: 'half',
    } as RequestInit);
    await arriving.promise;
    expect((await leave(somebody)).status).toBe(204);
    expect((await removeDepartures()).map(({ user_id }) => user_id)).toEqual([somebody.user_id]);
    gone.resolve();
    expect(await codeOf(await uploading)).toEqual([409, 'conflict']);
    const left = existsSync(join(folder, somebody.user_id)) ? readdirSync(join(folder, somebody.user_id)) : [];
    expect(left).toEqual([]);
  });

  test('leaves an administrator behind', async () => {
    const first = await addSomebody('administrator');
    await addSomebody();
    expect(await codeOf(await leave(first))).toEqual([409, 'conflict']);
    expect((await api.me(first.headers)).status).toBe(200);
    const second = await addSomebody('administrator');
    const answers = await Promise.all([leave(first), leave(second)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 409]);
  });
});
