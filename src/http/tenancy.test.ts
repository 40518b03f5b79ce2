import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { silenceJobBell } from '#/services/jobs/job-bell.ts';
import { createApiKey, type KeyScope } from '#/services/people/api-keys.ts';
import { connectStorage } from '#/storage/connect-storage.ts';
import { localFolder } from '#/storage/local-folder.ts';
import { jobFolder } from '#/storage/run-folder.ts';
import { makeApi, noWaiting } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import { type IdInput, idInputsOf, type Operation, operationsOf, requestOf } from '../../test/http-inputs.ts';
import {
  addCrowd,
  canariesIn,
  digest,
  diskDigest,
  findForeignLeaks,
  findOverheardLeaks,
  findUnableOwner,
  findUndone,
  listsOf,
  masked,
  OF_ADMINISTRATORS,
  send,
  thingsOf,
} from '../../test/http-matrix.ts';
import { addTenant, newSecret, plainest, type Tenant } from '../../test/http-scene.ts';
import type { Api } from './api-env.ts';

const db = useDatabase();
const folder = mkdtempSync(join(tmpdir(), 'lowrank-tenancy-'));
const WORDS = [newSecret('owner'), newSecret('bystander'), '%', 'nobody'] as const;

let api: Api;
let operations: Operation[];
let inputs: IdInput[];
let owner: Tenant;
let stranger: Tenant;
let administrator: Tenant;
/** Somebody who does nothing, and what their lists said before anybody else was there. */
let bystander: Tenant;
let alone: Map<string, string>;
let alone_by_id: Map<string, string>;
let untouched: string;

beforeAll(async () => {
  connectStorage(localFolder(join(folder, 'storage')));
  api = makeApi();
  operations = operationsOf(api);
  inputs = idInputsOf(operations);
  bystander = await addTenant(db, WORDS[1]);
  alone = await listsOf(api, operations, bystander, [...WORDS]);
  alone_by_id = await thingsOf(api, operations, bystander);
  owner = await addTenant(db, WORDS[0]);
  stranger = await addTenant(db, newSecret('stranger'));
  administrator = await addTenant(db, newSecret('administrator'), { role: 'administrator' });
  await addCrowd(db, owner.user_id);
  untouched = (await digest(db, bystander.user_id)).theirs;
}, 120_000);
beforeEach(() => noWaiting(db));
afterAll(async () => {
  await silenceJobBell();
  rmSync(folder, { recursive: true, force: true });
});

const changes = ({ method }: Operation) => method !== 'GET';
const own = (operation: Operation, who: Tenant) => requestOf(operation, who.things);
const fresh = (operation: Operation) =>
  addTenant(db, newSecret('fresh'), { role: operation.template.match(FOR_ADMINISTRATORS) ? 'administrator' : 'user' });
const FOR_ADMINISTRATORS = /^\/(metrics|api\/(users|invitations|gpu-catalog|gpus|training-images|settings))/;
/** By a password that the scene has not, or the end of the session that asks. */
const ABOUT_ONESELF = /^(POST \/api\/auth\/|DELETE \/api\/me$)/;
const keyOf = async (who: Tenant, scopes: KeyScope[]) => {
  const { key } = await createApiKey({ user_id: who.user_id, role: 'user' }, { name: 'Scoped', scopes, expires_at: null });
  return { authorization: `Bearer ${key}` };
};
const codeOf = ({ body }: { body: string }): unknown => (body.startsWith('{') ? JSON.parse(body).code : undefined);

/** Everything that a caller without rights to the owner's things is told of them. */
async function findLeaks(of: Tenant, caller: Tenant): Promise<string[]> {
  const folders = [folder, ...Object.values(of.things.job).map(jobFolder)];
  const disk = await diskDigest(folders);
  const stage = { api, db, stranger: caller, owner: of };
  const found: string[] = [];
  for (const input of inputs) {
    if (caller.role === 'administrator' && OF_ADMINISTRATORS.has(input.kind)) continue;
    for await (const leak of findForeignLeaks(stage, input)) found.push(leak);
  }
  for (const operation of operations) for await (const leak of findOverheardLeaks(stage, operation)) found.push(leak);
  if ((await diskDigest(folders)) !== disk) found.push('files were changed');
  return found;
}

describe('every place that takes an id', () => {
  test('tells a stranger of another’s thing what it tells of none, changes nothing, and names nothing of theirs', async () => {
    expect(inputs.length).toBeGreaterThan(80);
    expect(await findLeaks(owner, stranger)).toEqual([]);
  }, 300_000);

  test('is no other to an administrator, but for what administrators keep', async () => {
    expect(await findLeaks(owner, administrator)).toEqual([]);
  }, 300_000);

  test('does for whoever has the thing what it is there for', async () => {
    const found: string[] = [];
    for (const input of inputs) {
      const role = OF_ADMINISTRATORS.has(input.kind) ? 'administrator' : 'user';
      const anew = changes(input.operation) || role === 'administrator';
      const whose = anew ? await addTenant(db, newSecret('fresh'), { role }) : owner;
      found.push(...(await findUnableOwner(api, db, whose, input)));
    }
    const without = operations.filter((one) => !one.is_public && !one.is_stream && idInputsOf([one]).length === 0);
    for (const operation of without.filter(({ name }) => !ABOUT_ONESELF.test(name)))
      found.push(...(await findUndone(api, db, await fresh(operation), operation)));
    expect(found).toEqual([]);
  }, 300_000);
});

describe('lists', () => {
  test('say the same however much others have: rows, totals, cursors, filters and searches', async () => {
    const now = await listsOf(api, operations, bystander, [...WORDS]);
    expect([...now]).toEqual([...alone]);
    expect(now.size).toBeGreaterThan(80);
    const found = [...now].filter(([path, said]) => path.includes(`=${WORDS[1]}`) && said.includes('"total":0'));
    expect(found).toEqual([]);
  });

  test('and so does everything of one’s own that is asked for by its id', async () => {
    const now = await thingsOf(api, operations, bystander);
    expect([...now]).toEqual([...alone_by_id]);
    expect([...now.values()].filter((said) => !said.startsWith('200 '))).toEqual([]);
    expect(now.size).toBeGreaterThan(14);
  });

  test('show administrators people and invitations, and of everything else their own', async () => {
    const seen: string[] = [];
    for (const operation of operations.filter((one) => one.is_list)) {
      const answer = await send(api, administrator.headers, { path: `${operation.template}?limit=500`, init: {} });
      expect([operation.name, answer.status]).toEqual([operation.name, 200]);
      if (canariesIn(answer, owner, '').length > 0) seen.push(operation.name);
    }
    expect(seen).toEqual(['GET /api/invitations', 'GET /api/users']);
    const { body } = await send(api, administrator.headers, { path: '/api/users?limit=1', init: {} });
    expect(Object.keys(JSON.parse(body).users[0]).sort()).toEqual([
      'active_jobs_max',
      'created_at',
      'disabled_at',
      'email',
      'id',
      'name',
      'role',
    ]);
  });
});

describe('nobody', () => {
  test('is refused before anything else is looked at, wherever contracts.md does not say otherwise', async () => {
    const disguises: Record<string, string>[] = [
      {},
      { authorization: 'Bearer nonsense' },
      { authorization: `Bearer lowrank_${'a'.repeat(50)}` },
      { cookie: owner.headers.cookie.slice(0, -4), origin: owner.headers.origin },
      { authorization: 'Basic YTpi' },
    ];
    const before = await digest(db, owner.user_id);
    const open: string[] = [];
    for (const operation of operations) {
      if (operation.is_public) {
        open.push(operation.name);
        continue;
      }
      const whole = own(operation, owner);
      const [path = ''] = whole.path.split('?');
      const asked = [
        whole,
        { path: `${path}?nonsense=1`, init: whole.init },
        { path: path.replace(/[0-9a-f-]{36}/g, 'nonsense'), init: { method: operation.method } },
        ...(changes(operation)
          ? [{ path, init: { method: operation.method, headers: { 'content-type': 'application/json' }, body: '{' } }]
          : []),
      ];
      for (const who of disguises) {
        const told = new Set<string>();
        for (const request of asked) {
          const answer = await send(api, who, request);
          expect([operation.name, request.path, answer.status]).toEqual([operation.name, request.path, 401]);
          expect(answer.headers['www-authenticate']).toBe('Bearer realm="lowrank"');
          // Door B's envelope has its details as one string, whatever is refused.
          told.add(masked(answer, ''));
        }
        expect([operation.name, [...told]]).toEqual([operation.name, [expect.any(String)]]);
      }
    }
    expect((await digest(db, owner.user_id)).all).toBe(before.all);
    // contracts.md: health, ready, sign-in, first run; signed downloads. Joining by invitation or link is a way to sign in.
    expect(open.sort()).toEqual([
      'GET /api/downloads/{token}',
      'GET /api/first-run',
      'GET /api/health',
      'GET /api/ready',
      'POST /api/auth/sign-in',
      'POST /api/first-run',
      'POST /api/sign-in-link',
      'POST /api/sign-up',
    ]);
  }, 120_000);
});

describe('a key', () => {
  test('that may only read changes nothing, and one that may only write reads nothing', async () => {
    const reader = await keyOf(owner, ['read']);
    const writer = await keyOf(owner, ['write']);
    const before = await digest(db, owner.user_id);
    for (const operation of operations.filter((one) => !one.is_public)) {
      const answer = await send(api, changes(operation) ? reader : writer, own(operation, owner));
      expect([operation.name, answer.status, codeOf(answer)]).toEqual([
        operation.name,
        403,
        expect.stringMatching(/^(insufficient_scope|session_required)$/),
      ]);
      expect(canariesIn(answer, owner, plainest(owner.things, 'person'))).toEqual([]);
    }
    expect((await digest(db, owner.user_id)).all).toBe(before.all);
  });

  test('that may do both is stopped by its scope nowhere, and by its kind where only a person may', async () => {
    const kinds: string[] = [];
    for (const operation of operations.filter((one) => !one.is_public && !one.is_stream)) {
      const who = changes(operation) ? await fresh(operation) : owner;
      const answer = await send(api, await keyOf(who, ['read', 'write']), own(operation, who));
      await noWaiting(db);
      expect([operation.name, codeOf(answer)]).not.toEqual([operation.name, 'insufficient_scope']);
      if (codeOf(answer) === 'session_required') kinds.push(operation.name);
    }
    expect(kinds).toEqual(expect.arrayContaining(['GET /api/keys', 'POST /api/keys', 'DELETE /api/keys/{id}']));
  }, 120_000);
});

describe('an Idempotency-Key', () => {
  test('of one person tells another nothing, and makes theirs anew', async () => {
    const taking = operations.filter(({ parameters }) => parameters.some(({ name }) => name === 'Idempotency-Key'));
    expect(taking.length).toBeGreaterThan(12);
    // It takes a hundred.
    await db.asOwner('DELETE FROM lowrank.gpu_catalog');
    await db.asOwner('DELETE FROM lowrank.training_images');
    for (const operation of taking) {
      const [first, second] = [await fresh(operation), await fresh(operation)];
      const ask = (who: Tenant, of: Tenant, key = operation.name.replace(/\W+/g, '-')) => {
        const { path, init } = own(operation, of);
        return send(api, who.headers, {
          path,
          init: { ...init, headers: { ...(init.headers as object), 'idempotency-key': key } },
        });
      };
      const made = await ask(first, first);
      expect([operation.name, made.status, made.body]).toEqual([operation.name, expect.toSatisfy((s) => s < 300), made.body]);
      const again = await ask(first, first);
      expect([operation.name, again.status, again.headers['idempotent-replayed']]).toEqual([operation.name, made.status, 'true']);
      const theirs = await ask(second, second);
      expect([operation.name, theirs.headers['idempotent-replayed']]).toEqual([operation.name, undefined]);
      expect([operation.name, canariesIn(theirs, first, '')]).toEqual([operation.name, []]);
      expect([operation.name, theirs.status]).toEqual([operation.name, made.status]);
      const third = operation.template.match(FOR_ADMINISTRATORS) ? administrator : stranger;
      const [anew, overheard] = [await ask(third, first, `another-${first.user_id}`), await ask(third, first)];
      expect([operation.name, overheard.status, overheard.headers['idempotent-replayed']]).toEqual([
        operation.name,
        anew.status,
        undefined,
      ]);
      const { path, init } = own(operation, first);
      const told = canariesIn(overheard, first, '').filter((word) => !`${path} ${String(init.body)}`.includes(word));
      expect([operation.name, told]).toEqual([operation.name, []]);
      await noWaiting(db);
    }
  }, 120_000);
});

describe('a bucket of requests', () => {
  test('that one person has emptied refuses them, and nobody else', async () => {
    const asked = operations.filter((one) => !one.is_public && one.raw_type === null);
    // A body that is packed is refused once it is counted, and changes nothing.
    const ask = (operation: Operation, who: Tenant) => {
      const { path, init } = own(operation, who);
      const headers = { ...(init.headers as object), 'content-encoding': 'gzip' };
      return api.request(path, { ...init, headers: { ...headers, ...who.headers } });
    };
    const counted: Operation[] = [];
    for (const operation of asked) {
      const answer = await ask(operation, owner);
      await answer.body?.cancel();
      if (answer.headers.has('ratelimit-limit')) counted.push(operation);
    }
    expect(counted.length).toBeGreaterThan(30);
    const emptied = await db.asOwner<{ bucket: string }>(`SELECT bucket FROM lowrank.rate_limits WHERE bucket LIKE '%' || $1`, [
      owner.user_id,
    ]);
    await noWaiting(db);
    for (const { bucket } of emptied)
      await db.asOwner('INSERT INTO lowrank.rate_limits (bucket, window_started_at, used) VALUES ($1, now(), 1000000)', [bucket]);
    for (const operation of counted) {
      const [mine, theirs] = [await ask(operation, owner), await ask(operation, stranger)];
      await theirs.body?.cancel();
      expect([operation.name, mine.status, theirs.status]).toEqual([operation.name, 429, expect.toSatisfy((s) => s !== 429)]);
    }
  }, 60_000);
});

describe('a signed link', () => {
  const link = async (who: Tenant, file: string | null) => {
    const query = file === null ? '' : `?file=${file}`;
    const answer = await api.request(`/api/artifacts/${who.things.artifact.adapter}/download${query}`, { headers: who.headers });
    expect(answer.status).toBe(303);
    return answer.headers.get('location')?.replace('/api/downloads/', '') ?? '';
  };
  const MAC = 43;

  test('is its own: no other content under its signature, no other signature over its content, whole or in part', async () => {
    const [ofOwner, ofStranger] = [
      await link(owner, plainest(owner.things, 'artifact_file')),
      await link(stranger, plainest(stranger.things, 'artifact_file')),
    ];
    const all = await link(owner, null);
    const good = await api.request(`/api/downloads/${ofOwner}`);
    expect([good.status, await good.text()]).toEqual([200, `${owner.secret} weights`]);
    const rewritten = (change: Record<string, unknown>) => {
      const grant = JSON.parse(Buffer.from(ofStranger.slice(0, -MAC), 'base64url').toString()) as object;
      return Buffer.from(JSON.stringify({ ...grant, ...change })).toString('base64url') + ofStranger.slice(-MAC);
    };
    const forged = [
      ofOwner.slice(0, -MAC) + ofStranger.slice(-MAC),
      ofOwner.slice(0, -MAC) + all.slice(-MAC),
      ofOwner.slice(0, -MAC),
      rewritten({ user_id: owner.user_id }),
      rewritten({ artifact_id: owner.things.artifact.adapter }),
      rewritten({ user_id: owner.user_id, artifact_id: owner.things.artifact.adapter, file_id: null }),
      rewritten({ file_id: plainest(owner.things, 'artifact_file') }),
      rewritten({ file_id: null }),
      rewritten({ expires_at: Date.now() + 10 * 365 * 24 * 3_600_000 }),
    ];
    const none = await send(api, {}, { path: '/api/downloads/nonsense', init: {} });
    const asked: Record<string, string>[] = [{}, stranger.headers, { range: 'bytes=0-3' }, { 'if-none-match': '*' }];
    for (const token of forged)
      for (const headers of asked) {
        const answer = await send(api, headers, { path: `/api/downloads/${token}`, init: {} });
        expect([answer.status, masked(answer, '')]).toEqual([404, masked(none, '')]);
      }
    const part = await api.request(`/api/downloads/${ofOwner}`, { headers: { range: 'bytes=0-5' } });
    expect([part.status, await part.text()]).toEqual([206, 'canary']);
  });
});

describe('the live stream', () => {
  test('of one’s own job, resumed from another’s place in theirs, tells nothing of them', async () => {
    const read = async (who: Tenant, job: string, resume?: string) => {
      const headers = { ...who.headers, ...(resume !== undefined && { 'last-event-id': resume }) };
      const answer = await api.request(`/api/jobs/${job}/stream`, { headers });
      const reader = answer.body?.getReader();
      let said = '';
      while (!said.includes('event: job\n') || !said.endsWith('\n\n')) {
        const next = await reader?.read();
        if (next === undefined || next.done) break;
        said += Buffer.from(next.value).toString();
      }
      await reader?.cancel();
      return { status: answer.status, headers: {}, body: said };
    };
    const theirs = await read(owner, plainest(owner.things, 'job'));
    const [id] = /(?<=^id: ).*$/m.exec(theirs.body) ?? [];
    expect(id).toBeDefined();
    expect(canariesIn(theirs, owner, '').length).toBeGreaterThan(0);
    const mine = await read(stranger, plainest(stranger.things, 'job'), id);
    expect([mine.status, canariesIn(mine, owner, '')]).toEqual([200, []]);
    const refused = await read(stranger, plainest(owner.things, 'job'), id);
    expect([refused.status, canariesIn(refused, owner, ''), refused.body.includes('event:')]).toEqual([404, [], false]);
  });
});

test('whoever did nothing has, after all of this, what they had: no notice, no delivery, no cost of what others did', async () => {
  const delivered = async () =>
    (
      await db.asOwner<{ n: number }>('SELECT count(*)::integer AS n FROM lowrank.webhook_deliveries WHERE user_id = $1', [
        stranger.user_id,
      ])
    )[0]?.n ?? 0;
  const before = await delivered();
  const submission = operations.find(({ name }) => name === 'POST /api/jobs CreateJob');
  if (submission === undefined) throw new Error('there is no submission of door B');
  expect((await send(api, stranger.headers, own(submission, stranger))).status).toBe(201);
  expect(await delivered()).toBe(before + 1);
  // How many of their jobs may run at once is the installation's to say, and an administrator has said it.
  const theirs = (rows: string) => rows.split(' ').filter((table) => !/^lowrank\.(job_slots|user_queues)=/.test(table));
  expect(theirs((await digest(db, bystander.user_id)).theirs)).toEqual(theirs(untouched));
});
