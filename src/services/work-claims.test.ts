import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { useDatabase } from '../../test/database.ts';
import { addBaseModel, addDataset, addPerson } from '../../test/factories.ts';
import { claimDatasetCheck } from './datasets/check-claim.ts';
import { claimModelFetch } from './models/fetch-claim.ts';
import { importClaims } from './transfers/import-claim.ts';
import { pushClaims } from './transfers/push-claim.ts';

const db = useDatabase();
beforeEach(() => db.asOwner('TRUNCATE identity.users, lowrank.base_models CASCADE'));

async function addTransfer(user_id: string, kind: 'dataset' | 'artifact'): Promise<string> {
  const id = randomUUID();
  await db.asOwner(
    `INSERT INTO lowrank.transfers (id, user_id, kind, direction, hf_repo_id, hf_requested_revision, token)
       VALUES ($1, $2, $3, $4, 'acme/x', 'main', 'sealed')`,
    [id, user_id, kind, kind === 'dataset' ? 'import' : 'export'],
  );
  return id;
}

const taken = (row: { id: string } | null | undefined) => row?.id ?? null;

/** How a kind of work is asked for and taken, and how a row of it is over. */
const KINDS = {
  checks: {
    add: (user_id: string) => addDataset(db, user_id, { status: 'validating' }),
    take: async () => taken((await claimDatasetCheck())?.dataset),
    end: (id: string) => db.asOwner(`UPDATE lowrank.datasets SET status = 'ready', lease_until = NULL WHERE id = $1`, [id]),
  },
  'model fetches': {
    add: (user_id: string) =>
      addBaseModel(db, { status: 'fetching', created_by: user_id, local_path: `/models/${randomUUID()}` }),
    take: async () => taken((await claimModelFetch())?.model),
    end: (id: string) => db.asOwner(`UPDATE lowrank.base_models SET status = 'ready', lease_until = NULL WHERE id = $1`, [id]),
  },
  imports: {
    add: (user_id: string) => addTransfer(user_id, 'dataset'),
    take: async () => taken(await importClaims.claim()),
    end: (id: string) => endTransfer(id),
  },
  pushes: {
    add: (user_id: string) => addTransfer(user_id, 'artifact'),
    take: async () => taken(await pushClaims.claim()),
    end: (id: string) => endTransfer(id),
  },
};

function endTransfer(id: string): Promise<unknown> {
  const over = `status = 'cancelled', lease_until = NULL, token = NULL, completed_at = now()`;
  return db.asOwner(`UPDATE lowrank.transfers SET ${over} WHERE id = $1`, [id]);
}

describe.each(Object.entries(KINDS))('%s', (_, { add, take, end }) => {
  test('go by turns of their owners: who comes last waits for one of each, not for all that others have', async () => {
    const [ann, eve, bob] = [await addPerson(db), await addPerson(db), await addPerson(db)];
    const [a1, a2, e1, e2] = [await add(ann), await add(ann), await add(eve), await add(eve)];
    expect([await take(), await take()]).toEqual([a1, e1]);
    const b1 = await add(bob);
    const b2 = await add(bob);
    await end(a1);
    expect(await take()).toBe(b1);
    await end(b1);
    expect(await take()).toBe(a2);
    await end(a2);
    await end(e1);
    expect(await take()).toBe(e2);
    expect(await take()).toBe(b2);
    expect(await take()).toBeNull();
  });
});

test('a model whose importer has left is fetched beside those of others', async () => {
  const { add, take } = KINDS['model fetches'];
  const held = await add(await addPerson(db));
  expect(await take()).toBe(held);
  const left = await addBaseModel(db, { status: 'fetching', created_by: null });
  expect(await take()).toBe(left);
});

test('a turn of one kind costs none of another', async () => {
  const [ann, bob] = [await addPerson(db), await addPerson(db)];
  await addTransfer(bob, 'dataset');
  expect(await KINDS.imports.take()).not.toBeNull();
  const first = await addTransfer(bob, 'artifact');
  await addTransfer(ann, 'artifact');
  expect(await KINDS.pushes.take()).toBe(first);
});
