import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Transfer } from '#/contract/transfers.ts';
import { addCaller, noWaiting, useApi } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import { addJob } from '../../test/factories.ts';

const db = useDatabase();
const api = useApi();
const TOKEN = 'hf_canaryCanary1234';
const WISH = { hf_repo_id: 'ada/support-lora', token: TOKEN };
let owner: Awaited<ReturnType<typeof addCaller>>;
let stranger: Awaited<ReturnType<typeof addCaller>>;
let artifact_id: string;

beforeEach(async () => {
  await db.asOwner('TRUNCATE identity.users CASCADE');
  await noWaiting(db);
  owner = await addCaller(db);
  stranger = await addCaller(db);
  artifact_id = randomUUID();
  const job_id = await addJob(db, owner.user_id, { status: 'completed' });
  await db.asOwner(
    `INSERT INTO lowrank.model_artifacts (id, user_id, job_id, name, kind, storage_path, files, sha256, size)
     VALUES ($1, $2, $3, 'Mine', 'adapter', 'x', '[]', 'x', 1)`,
    [artifact_id, owner.user_id, job_id],
  );
});

const push = (body: unknown, headers: Record<string, string> = owner.headers, id = artifact_id) =>
  api.post(`/api/artifacts/${id}/push`, body, headers);
const list = async (query = '', headers = owner.headers) =>
  (await (await api.request(`/api/transfers?${query}`, { headers })).json()) as { transfers: Transfer[]; total: number };

describe('a push', () => {
  test('waits for a worker as a transfer, private and to main unless said otherwise', async () => {
    const answer = await push(WISH);
    expect(answer.status).toBe(201);
    const transfer = (await answer.json()) as Transfer;
    expect(transfer).toMatchObject({
      kind: 'artifact',
      direction: 'export',
      artifact_id,
      hf_repo_id: 'ada/support-lora',
      revision: 'main',
      commit: null,
      status: 'pending',
      bytes_total: null,
      dataset_id: null,
      base_model_id: null,
    });
    expect(await list('kind=artifact')).toMatchObject({ total: 1, transfers: [transfer] });
    expect(await list('kind=model')).toMatchObject({ total: 0 });
    await push({ ...WISH, private: false, revision: 'v2', message: 'Second' });
    expect(await db.asOwner('SELECT options, hf_requested_revision FROM lowrank.transfers ORDER BY created_at')).toEqual([
      { options: { private: true }, hf_requested_revision: 'main' },
      { options: { private: false, message: 'Second' }, hf_requested_revision: 'v2' },
    ]);
    const cancelled = await api.request(`/api/transfers/${transfer.id}/cancel`, { method: 'POST', headers: owner.headers });
    expect(await cancelled.json()).toMatchObject({ status: 'cancelled', artifact_id });
  });

  test('seals its token, and answers nothing of it', async () => {
    expect(await (await push(WISH)).text()).not.toContain('canary');
    expect(JSON.stringify(await list())).not.toMatch(/canary|"token"/);
    const [row] = await db.asOwner<{ token: string }>('SELECT * FROM lowrank.transfers');
    expect(row?.token).toMatch(/^v1\.[0-9a-f]{8}\./);
    expect(JSON.stringify(row)).not.toContain('canary');
    const refused = await push({ ...WISH, token: 'hf canary' });
    expect([refused.status, await refused.text()]).toEqual([400, expect.not.stringContaining('canary')]);
  });

  test('without a token of its owner is refused with the way out', async () => {
    const answer = await push({ hf_repo_id: 'ada/support-lora' });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      code: 'invalid_request',
      details: [{ path: 'token', code: 'required', message: expect.stringContaining('huggingface.co/settings/tokens') }],
    });
    expect((await list()).total).toBe(0);
  });

  test('of another’s artifact, a deleted one or none is not found', async () => {
    expect((await push(WISH, stranger.headers)).status).toBe(404);
    expect((await push(WISH, owner.headers, randomUUID())).status).toBe(404);
    await api.request(`/api/artifacts/${artifact_id}`, { method: 'DELETE', headers: owner.headers });
    expect((await push(WISH)).status).toBe(404);
    expect((await list('', stranger.headers)).total + (await list()).total).toBe(0);
  });

  test('under the same key is one, and another under it is refused', async () => {
    const keyed = { ...owner.headers, 'idempotency-key': 'once' };
    const first = await push(WISH, keyed);
    const again = await push(WISH, keyed);
    expect([again.status, again.headers.get('idempotent-replayed'), await again.json()]).toEqual([
      201,
      'true',
      await first.json(),
    ]);
    const other = await push({ ...WISH, message: 'Else' }, keyed);
    expect([other.status, await other.json()]).toEqual([409, expect.objectContaining({ code: 'idempotency_key_reused' })]);
    expect((await list()).total).toBe(1);
  });

  test('counts with the uploads of its user', async () => {
    expect((await push(WISH)).headers.get('ratelimit-remaining')).toBe('19');
    const dataset = { kind: 'dataset', hf_repo_id: 'acme/rows' };
    expect((await api.post('/api/transfers', dataset, owner.headers)).headers.get('ratelimit-remaining')).toBe('18');
  });

  test.each<[Record<string, unknown>, string]>([
    [{ hf_repo_id: undefined }, 'hf_repo_id'],
    [{ hf_repo_id: '../b' }, 'hf_repo_id'],
    [{ hf_repo_id: 'https://huggingface.co/a/b' }, 'hf_repo_id'],
    [{ revision: '../main' }, 'revision'],
    [{ revision: 'c'.repeat(40) }, 'revision'],
    [{ private: 'yes' }, 'private'],
    [{ message: '' }, 'message'],
    [{ message: 'two\nlines' }, 'message'],
    [{ message: 'x'.repeat(201) }, 'message'],
    [{ token: 5 }, 'token'],
    [{ force: true }, 'force'],
  ])('of %j is refused by name', async (change, path) => {
    const answer = await push({ ...WISH, ...change });
    expect(answer.status).toBe(400);
    const { details } = (await answer.json()) as { details: { path: string }[] };
    expect([...new Set(details.map((row) => row.path))]).toEqual([path]);
    expect((await list()).total).toBe(0);
  });
});
