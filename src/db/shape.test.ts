// The recorded shape is what the migrations make, and the doctor who goes by it finds and mends what is broken.
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useDatabase } from '../../test/database.ts';
import { examineShape } from '../cli/doctor/database.ts';
import type { Finding } from '../cli/doctor/finding.ts';
import { mendOf } from '../cli/doctor/shape.ts';
import { compareShapes, expectedShape, readShape } from './shape.ts';

const db = useDatabase();
let client: pg.Client;
let owner: string;

beforeAll(async () => {
  client = new pg.Client({ connectionString: db.superuser_url });
  await client.connect();
  owner = new URL(db.owner_url).username;
});
afterAll(() => client.end());

const differences = async () => compareShapes(await expectedShape(), await readShape(client));
// A Supabase project's buckets are another test's.
const wrong = (findings: Finding[]) => findings.filter(({ topic, level }) => level !== 'ok' && topic !== 'buckets');

/** What the doctor finds after `change`, and again after what it proposes was run; undone. */
async function examined(change: string): Promise<{ before: Finding[]; after: Finding[] }> {
  await client.query('BEGIN');
  try {
    await client.query(change);
    const before = wrong(await examineShape(client));
    for (const difference of await differences()) {
      const mend = mendOf(difference, await expectedShape(), owner);
      if (mend !== null) await client.query(mend);
    }
    return { before, after: wrong(await examineShape(client)) };
  } finally {
    await client.query('ROLLBACK');
  }
}

test('shape.json is what the migrations make: scripts/make-database-shape.ts writes it', async () => {
  const found = await readShape(client);
  expect(await expectedShape()).toEqual(found);
  for (const kind of ['table', 'index', 'policy', 'key', 'trigger', 'function', 'grant'])
    expect([kind, found.filter((item) => item.kind === kind).length > 5]).toEqual([kind, true]);
});

test('the owner, who is no superuser, sees the same', async () => {
  const as_owner = new pg.Client({ connectionString: db.owner_url });
  await as_owner.connect();
  try {
    const topics = (await examineShape(as_owner)).filter(({ topic }) => topic !== 'buckets');
    expect(topics.map(({ topic, level }) => `${topic} ${level}`)).toEqual(
      ['tables', 'indexes', 'policies', 'keys', 'triggers'].map((topic) => `${topic} ok`),
    );
  } finally {
    await as_owner.end();
  }
});

test.each([
  ['an index that was dropped', 'indexes', 'DROP INDEX lowrank.training_jobs_queue', /CREATE INDEX training_jobs_queue/],
  [
    'an index of other columns',
    'indexes',
    'DROP INDEX lowrank.training_jobs_dataset; CREATE INDEX training_jobs_dataset ON lowrank.training_jobs (name)',
    /DROP INDEX lowrank.training_jobs_dataset; CREATE INDEX/,
  ],
  [
    'an index that was left half made',
    'indexes',
    `UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'lowrank.datasets_user_created'::regclass`,
    /DROP INDEX lowrank.datasets_user_created/,
  ],
  ['a unique index', 'indexes', 'DROP INDEX lowrank.training_jobs_slot_key', /CREATE UNIQUE INDEX/],
  ['a policy that was dropped', 'policies', 'DROP POLICY datasets_own ON lowrank.datasets', /CREATE POLICY datasets_own/],
  [
    'a policy that was widened',
    'policies',
    'ALTER POLICY datasets_own ON lowrank.datasets USING (true)',
    /DROP POLICY datasets_own ON lowrank.datasets; CREATE/,
  ],
  ['a restrictive policy', 'policies', 'DROP POLICY user_queues_by_trigger ON lowrank.user_queues', /AS RESTRICTIVE/],
  [
    'the policy of the owner’s function',
    'policies',
    'DROP POLICY datasets_existence ON lowrank.datasets',
    /CREATE POLICY datasets_existence .* TO (lowrank_owner|postgres) /,
  ],
  [
    'a policy that somebody added',
    'policies',
    'CREATE POLICY "all of it" ON lowrank.datasets USING (true)',
    /DROP POLICY "all of it"/,
  ],
  [
    'a right that was taken',
    'policies',
    'REVOKE SELECT ON lowrank.training_jobs FROM lowrank_web',
    /GRANT .*SELECT.* ON lowrank.training_jobs TO lowrank_web/,
  ],
  [
    'a right of a column that was taken',
    'policies',
    'REVOKE UPDATE (read) ON lowrank.notifications FROM lowrank_web',
    /GRANT UPDATE \(read\)/,
  ],
  [
    'a right that nobody should have',
    'policies',
    'GRANT DELETE ON lowrank.cost_records TO lowrank_web',
    /REVOKE ALL ON lowrank.cost_records FROM lowrank_web; GRANT SELECT/,
  ],
  [
    'a foreign key',
    'keys',
    'ALTER TABLE lowrank.training_jobs DROP CONSTRAINT training_jobs_dataset_fk',
    /ADD CONSTRAINT training_jobs_dataset_fk FOREIGN KEY \(dataset_id, user_id\)/,
  ],
  [
    'a check',
    'keys',
    'ALTER TABLE lowrank.training_jobs DROP CONSTRAINT training_jobs_status_check',
    /ADD CONSTRAINT training_jobs_status_check CHECK/,
  ],
  [
    'a foreign key that cascades otherwise',
    'keys',
    `ALTER TABLE lowrank.datasets DROP CONSTRAINT datasets_user_id_users_id_fk,
       ADD CONSTRAINT datasets_user_id_users_id_fk FOREIGN KEY (user_id) REFERENCES identity.users (id)`,
    /DROP CONSTRAINT datasets_user_id_users_id_fk; ALTER TABLE .* ON DELETE CASCADE/,
  ],
  ['a trigger', 'triggers', 'DROP TRIGGER check_job_move ON lowrank.training_jobs', /CREATE TRIGGER check_job_move/],
  [
    'a trigger that was disabled',
    'triggers',
    'ALTER TABLE lowrank.training_jobs DISABLE TRIGGER count_job',
    /DROP TRIGGER count_job/,
  ],
])('%s is found, and the cure mends it', async (_, topic, change, cure) => {
  const { before, after } = await examined(change);
  expect(before).toEqual([{ topic, level: 'problem', found: expect.any(String), cure: expect.stringMatching(cure) }]);
  expect(after).toEqual([]);
});

test.each([
  ['a column', 'tables', 'ALTER TABLE lowrank.notifications DROP COLUMN action_url', /Restore a backup/],
  ['a table, told once', 'tables', 'DROP TABLE lowrank.metrics_points', /Restore a backup/],
  [
    'the text of a function',
    'triggers',
    `CREATE OR REPLACE FUNCTION lowrank.check_new_job() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS 'BEGIN RETURN NEW; END'`,
    /grep -n 'FUNCTION lowrank.check_new_job\('/,
  ],
])('%s that is gone is found, and what is left to do is said', async (_, topic, change, cure) => {
  const { before } = await examined(change);
  expect(before).toEqual([{ topic, level: 'problem', found: expect.any(String), cure: expect.stringMatching(cure) }]);
});
