// What the doctor says of a Supabase project's storage.
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { judgeBuckets } from '#/cli/doctor/supabase.ts';
import { isSupabase, readStorageFacts, setUpStorage } from '#/db/supabase-storage.ts';
import { type FreshProject, makeFreshProject } from './fresh-project.ts';

let project: FreshProject;
let client: pg.Client;
beforeAll(async () => {
  project = await makeFreshProject();
  client = new pg.Client({ connectionString: project.owner });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await project.remove();
});
const look = async () => judgeBuckets(await readStorageFacts(client));

test('it is a project, and says nothing of buckets elsewhere', async () => {
  expect(await isSupabase(client)).toBe(true);
  expect(judgeBuckets(null)).toEqual([]);
});

test('buckets and policies that are missing have their cure, and after it all is well', async () => {
  const cure = expect.stringContaining('npm run lowrank -- supabase');
  expect(await look()).toEqual([{ topic: 'buckets', level: 'problem', found: expect.stringContaining('lora-datasets'), cure }]);
  await setUpStorage(client);
  expect(await look()).toEqual([{ topic: 'buckets', level: 'ok', found: 'both private, with their policies' }]);
});

test.each([
  [`UPDATE storage.buckets SET public = true WHERE id = 'lora-models'`, 'the bucket lora-models private'],
  [`UPDATE storage.buckets SET file_size_limit = 1 WHERE id = 'lora-datasets'`, 'the bucket lora-datasets private'],
  ['DROP POLICY lowrank_select_own ON storage.objects', 'the policy lowrank_select_own'],
  ['ALTER POLICY lowrank_insert_own ON storage.objects WITH CHECK (true)', 'the policy lowrank_insert_own'],
  ['ALTER POLICY lowrank_nothing_of_others ON storage.objects TO service_role', 'the policy lowrank_nothing_of_others'],
])('%s is found, and mended', async (change, told) => {
  await client.query(change);
  expect(await look()).toEqual([
    { topic: 'buckets', level: 'problem', found: expect.stringContaining(told), cure: expect.any(String) },
  ]);
  expect((await setUpStorage(client)).map(({ what }) => what)).toEqual([expect.stringContaining(told)]);
  expect((await look())[0]?.level).toBe('ok');
});

test('a storage without row-level security is the worst of all', async () => {
  await client.query('ALTER TABLE storage.objects DISABLE ROW LEVEL SECURITY');
  expect(await look()).toEqual([
    {
      topic: 'buckets',
      level: 'problem',
      found: expect.stringContaining('everybody reaches'),
      cure: expect.stringContaining('ENABLE ROW LEVEL SECURITY'),
    },
  ]);
  await client.query('ALTER TABLE storage.objects ENABLE ROW LEVEL SECURITY');
});
