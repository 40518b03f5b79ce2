import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, test } from 'vitest';
import { LEGAL_TRANSFER_TRANSITIONS, TRANSFER_STATUSES } from '#/domain/transfer-state.ts';
import { useDatabase } from '../../test/database.ts';
import { addDataset, addJob, addPerson } from '../../test/factories.ts';
import { asScheduler, asUser } from './tenancy.ts';

const db = useDatabase();
const COMMIT = 'a'.repeat(40);
let owner: string;
beforeAll(async () => {
  owner = await addPerson(db);
});

async function messageOf(work: Promise<unknown>): Promise<string> {
  const texts: string[] = [];
  const error = await work.then(
    () => null,
    (caught: unknown) => caught,
  );
  for (let at: unknown = error; at instanceof Error; at = at.cause) texts.push(at.message);
  return texts.join('\n');
}

async function addTransfer(status: string, fields: Record<string, unknown> = {}): Promise<string> {
  const id = randomUUID();
  const row: Record<string, unknown> = {
    id,
    user_id: owner,
    kind: 'dataset',
    hf_repo_id: 'a/b',
    hf_requested_revision: 'main',
    hf_revision: COMMIT,
    status,
    ...(status === 'failed' && { error_code: 'internal', error_message: 'm' }),
    ...fields,
  };
  const columns = Object.keys(row);
  const places = columns.map((_, at) => `$${at + 1}`).join(', ');
  await db.asOwner(`INSERT INTO lowrank.transfers (${columns.join(', ')}) VALUES (${places})`, Object.values(row));
  return id;
}
const move = (id: string, to: string) => sql`UPDATE lowrank.transfers SET status = ${to},
  error_code = ${to === 'failed' ? 'internal' : null}, error_message = ${to === 'failed' ? 'm' : null} WHERE id = ${id}`;

describe('transfers in the database', () => {
  test('make every legal move and no other', async () => {
    for (const from of TRANSFER_STATUSES) {
      for (const to of TRANSFER_STATUSES) {
        if (from === to) continue;
        const id = await addTransfer(from);
        const legal = LEGAL_TRANSFER_TRANSITIONS.some(([a, b]) => a === from && b === to);
        const said = await messageOf(asScheduler((tx) => tx.execute(move(id, to))));
        if (legal) expect([from, to, said]).toEqual([from, to, '']);
        else expect([from, to, said]).toEqual([from, to, expect.stringContaining('illegal transfer transition')]);
      }
    }
  });

  test('are cancelled by their user, who moves and writes nothing else', async () => {
    const id = await addTransfer('running', { lease_until: new Date(), bytes_per_second: 5 });
    const asOwner = (status: string) =>
      asUser(owner, (tx) => tx.execute(sql`UPDATE lowrank.transfers SET status = ${status} WHERE id = ${id}`));
    expect(await messageOf(asOwner('completed'))).toMatch(/only the scheduler/);
    const written = asUser(owner, (tx) => tx.execute(sql`UPDATE lowrank.transfers SET bytes_done = 9 WHERE id = ${id}`));
    expect(await messageOf(written)).toMatch(/permission denied/);
    await asOwner('cancelled');
    const [row] = await db.asOwner('SELECT lease_until, bytes_per_second, completed_at FROM lowrank.transfers WHERE id = $1', [
      id,
    ]);
    expect(row).toEqual({ lease_until: null, bytes_per_second: null, completed_at: expect.any(Date) });
  });

  test('forget their token with their end', async () => {
    for (const to of ['completed', 'failed', 'cancelled']) {
      const id = await addTransfer('running', { token: 'v1.sealed' });
      expect(await messageOf(asScheduler((tx) => tx.execute(move(id, to))))).toBe('');
      expect(await db.asOwner('SELECT token FROM lowrank.transfers WHERE id = $1', [id])).toEqual([{ token: null }]);
    }
  });

  test('are made pending by their user, and nothing else', async () => {
    const make = (columns: string, values: string) =>
      asUser(owner, (tx) =>
        tx.execute(
          sql.raw(`INSERT INTO lowrank.transfers (user_id, kind, hf_repo_id, hf_requested_revision${columns})
            VALUES ('${owner}', 'dataset', 'a/b', 'main'${values})`),
        ),
      );
    expect(await messageOf(make('', ''))).toBe('');
    for (const [column, value] of [
      ['status', "'cancelled'"],
      ['bytes_done', '5'],
      ['hf_revision', `'${COMMIT}'`],
      ['claim', '1'],
      ['lease_until', 'now()'],
    ])
      expect(await messageOf(make(`, ${column}`, `, ${value}`))).toMatch(/pending and nothing else/);
  });

  test('keep their commit, their owner and their claim’s number', async () => {
    const id = await addTransfer('running', { claim: 3 });
    const other = await addPerson(db);
    for (const change of [`hf_revision = '${'b'.repeat(40)}'`, `user_id = '${other}'`, 'claim = 2', `hf_repo_id = 'x/y'`])
      expect(await messageOf(db.asOwner(`UPDATE lowrank.transfers SET ${change} WHERE id = $1`, [id]))).toMatch(/keeps|never/);
  });

  test('outlive their dataset, and cannot name another person’s', async () => {
    const dataset = await addDataset(db, owner);
    const id = await addTransfer('completed', { dataset_id: dataset });
    await db.asOwner('DELETE FROM lowrank.datasets WHERE id = $1', [dataset]);
    expect(await db.asOwner('SELECT user_id, dataset_id FROM lowrank.transfers WHERE id = $1', [id])).toEqual([
      { user_id: owner, dataset_id: null },
    ]);
    const theirs = await addDataset(db, await addPerson(db));
    expect(await messageOf(addTransfer('completed', { dataset_id: theirs }))).toMatch(/transfers_dataset_fk/);
  });

  test('take an artifact of their user’s alone to the Hub, never without a token, and outlive it', async () => {
    const artifactOf = async (user_id: string) => {
      const id = randomUUID();
      const job = await addJob(db, user_id, { status: 'completed' });
      await db.asOwner(
        `INSERT INTO lowrank.model_artifacts (id, user_id, job_id, name, kind, storage_path, files, sha256, size)
         VALUES ($1, $2, $3, 'a', 'adapter', 'x', '[]', 'x', 1)`,
        [id, user_id, job],
      );
      return id;
    };
    const push = { kind: 'artifact', direction: 'export', artifact_id: await artifactOf(owner), token: 'v1.sealed' };
    const id = await addTransfer('running', push);
    for (const [change, rule] of [
      [{ artifact_id: await artifactOf(await addPerson(db)) }, /transfers_artifact_fk/],
      [{ token: null }, /transfers_push_token_check/],
      [{ direction: 'import' }, /transfers_export_check/],
      [{ kind: 'dataset' }, /transfers_(artifact|export)_check/],
    ] as const)
      expect(await messageOf(addTransfer('pending', { ...push, ...change }))).toMatch(rule);
    await db.asOwner('DELETE FROM lowrank.model_artifacts WHERE id = $1', [push.artifact_id]);
    expect(await db.asOwner('SELECT user_id, artifact_id FROM lowrank.transfers WHERE id = $1', [id])).toEqual([
      { user_id: owner, artifact_id: null },
    ]);
  });
});
