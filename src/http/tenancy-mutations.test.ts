/** Whether the matrix over HTTP would notice: each policy is dropped, and widened, and it must turn red. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { silenceJobBell } from '#/services/jobs/job-bell.ts';
import { connectStorage } from '#/storage/connect-storage.ts';
import { localFolder } from '#/storage/local-folder.ts';
import { makeApi, noWaiting } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import { type IdInput, idInputsOf, type Operation, operationsOf } from '../../test/http-inputs.ts';
import {
  findForeignLeaks,
  findUnableOwner,
  findUndone,
  listsOf,
  OF_ADMINISTRATORS,
  readOf,
  thingsOf,
} from '../../test/http-matrix.ts';
import { addTenant, newSecret, type Tenant } from '../../test/http-scene.ts';
import type { Api } from './api-env.ts';

const db = useDatabase();
const folder = mkdtempSync(join(tmpdir(), 'lowrank-mutations-'));
let api: Api;
let operations: Operation[];
let inputs: IdInput[];
/** Of people, without an id. */
let creations: Operation[];

beforeAll(() => {
  connectStorage(localFolder(join(folder, 'storage')));
  api = makeApi();
  operations = operationsOf(api);
  // What is quickest to tell comes first.
  const first = ({ operation, field }: IdInput) => (field === 'after' ? 0 : operation.method === 'GET' ? 1 : 2);
  inputs = idInputsOf(operations)
    .filter(({ kind }) => !OF_ADMINISTRATORS.has(kind))
    .sort((one, other) => first(one) - first(other));
  creations = operations.filter(
    (one) => one.method === 'POST' && !one.is_public && !OF_THE_HOUSE.test(one.template) && idInputsOf([one]).length === 0,
  );
});
afterAll(async () => {
  await silenceJobBell();
  rmSync(folder, { recursive: true, force: true });
});

/** Of administrators, or about who somebody is. */
const OF_THE_HOUSE = /^\/api\/(auth|invitations|gpu-catalog|training-images)/;

interface Scene {
  owner: Tenant;
  stranger: Tenant;
  /** Somebody who does nothing, and what they were told of their own before the others were there. */
  bystander: Tenant;
  alone: Map<string, string>;
}
async function makeScene(): Promise<Scene> {
  const words = [newSecret('owner'), newSecret('bystander')] as const;
  const bystander = await addTenant(db, words[1]);
  const lists = await listsOf(api, operations, bystander, [...words]);
  const alone = new Map([...lists, ...(await thingsOf(api, operations, bystander))]);
  return { bystander, alone, stranger: await addTenant(db, newSecret('stranger')), owner: await addTenant(db, words[0]) };
}

type Change = 'dropped' | 'widened';

/**
 * The first thing that is wrong, looked for over HTTP alone; null when nothing is. Without a policy people cannot do what is
 * theirs to do; with one that lets everybody in they learn of others.
 */
async function firstWrong({ owner, stranger, bystander, alone }: Scene, change: Change): Promise<string | null> {
  await noWaiting(db);
  for (const [path, said] of alone)
    if ((await readOf(api, bystander, path)) !== said) return `GET ${path} says something else than before`;
  const stage = { api, db, stranger, owner, only_plainest: true };
  for (const input of inputs) {
    if (change === 'widened') for await (const leak of findForeignLeaks(stage, input)) return leak;
    if (change === 'widened') continue;
    const who = input.operation.method === 'GET' ? owner : await addTenant(db, newSecret('fresh'));
    const [unable] = await findUnableOwner(api, db, who, input);
    if (unable !== undefined) return unable;
  }
  if (change === 'widened') return null;
  for (const operation of creations) {
    const [undone] = await findUndone(api, db, await addTenant(db, newSecret('fresh')), operation);
    if (undone !== undefined) return undone;
  }
  return null;
}

interface Policy {
  table: string;
  name: string;
  permissive: string;
  cmd: string;
  roles: string;
  qual: string | null;
  with_check: string | null;
}

const FILTERED = 'its verbs look for the caller’s own by themselves, too';
const BEHIND_JOB = 'its rows are asked for by a job, which is looked for first';
const KEPT_BY_VERB = 'the verb looks at who brought a model before it writes, as whom it writes';
const NOBODYS = 'nobody’s rows, which every person may read';
const SLOTS = 'read by the triggers and the worker, by no verb of people';

/** What HTTP alone cannot tell, and why. All of it turns the matrices over the tables red (src/db/tenancy.test.ts, test/supabase). */
const NOT_OVER_HTTP: Record<string, string> = {
  'base_models_import widened': KEPT_BY_VERB,
  'base_models_importer_update widened': KEPT_BY_VERB,
  'cost_records_own widened': FILTERED,
  'dataset_images_own widened': 'its rows are asked for by a dataset, which is looked for first',
  'gpu_catalog_read dropped': 'the catalogue of the domain is answered without what was added',
  'gpu_catalog_read widened': NOBODYS,
  'gpu_devices_read dropped': 'a submission that names a device does not look for one',
  'gpu_devices_read widened': NOBODYS,
  'idempotency_keys_own widened': FILTERED,
  'job_events_by_trigger widened': 'no verb writes an event by itself',
  'job_events_own_read widened': BEHIND_JOB,
  'job_runs_own dropped': SLOTS,
  'job_runs_own widened': BEHIND_JOB,
  'job_slots_own dropped': SLOTS,
  'job_slots_own widened': SLOTS,
  'job_transitions_read widened': NOBODYS,
  'metrics_points_own widened': BEHIND_JOB,
  'model_artifacts_own widened': FILTERED,
  'run_groups_read dropped': 'an installation in which nothing ran foretells by its formulas',
  'run_groups_read widened': NOBODYS,
  'run_observations_own widened': FILTERED,
  'sample_images_own widened': FILTERED,
  'settings_read dropped': 'an installation that has set nothing goes by its defaults',
  'settings_read widened': NOBODYS,
  'training_images_read dropped': 'an installation that lists none has none to name',
  'training_images_read widened': NOBODYS,
  'user_queues_by_trigger dropped': 'no verb of people writes their queue by itself',
  'user_queues_by_trigger widened': 'no verb of people writes their queue by itself',
  'user_queues_own dropped': 'its triggers then change nothing, and the worker sees it',
  'user_queues_own widened': FILTERED,
  'webhook_deliveries_own widened': FILTERED,
  'webhook_secrets_own widened': FILTERED,
};

test('each policy that stands between people, dropped or widened, is noticed over HTTP alone', async () => {
  let scene = await makeScene();
  expect(await firstWrong(scene, 'dropped')).toBeNull();
  expect(await firstWrong(scene, 'widened')).toBeNull();
  const policies = await db.asOwner<Policy>(`
    SELECT schemaname || '.' || tablename AS table, policyname AS name, permissive, cmd, array_to_string(roles, ', ') AS roles, qual, with_check
    FROM pg_policies WHERE schemaname = 'lowrank' AND roles && ARRAY['public', 'lowrank_web']::name[] ORDER BY 1, 2`);
  const unnoticed: string[] = [];
  let noticed = 0;
  for (const { table, name, permissive, cmd, roles, qual, with_check } of policies) {
    const using = cmd === 'INSERT' ? '' : 'USING (true)';
    const check = cmd === 'SELECT' || cmd === 'DELETE' || permissive === 'RESTRICTIVE' ? '' : 'WITH CHECK (true)';
    const drop = `DROP POLICY IF EXISTS ${name} ON ${table}`;
    const restore = `${drop}; CREATE POLICY ${name} ON ${table} AS ${permissive} FOR ${cmd} TO ${roles}
      ${qual === null ? '' : `USING (${qual})`} ${with_check === null ? '' : `WITH CHECK (${with_check})`}`;
    const mutations: Record<Change, string> = {
      dropped: drop,
      widened: `ALTER POLICY ${name} ON ${table} TO PUBLIC ${using} ${check}`,
    };
    for (const change of ['dropped', 'widened'] as const) {
      if (NOT_OVER_HTTP[`${name} ${change}`] !== undefined) continue;
      await db.asOwner(mutations[change]);
      const wrong = await firstWrong(scene, change);
      await db.asOwner(restore);
      if (wrong === null) unnoticed.push(`${name} ${change}`);
      else noticed++;
      if (wrong !== null && change === 'widened') scene = await makeScene();
    }
  }
  expect(unnoticed).toEqual([]);
  expect(noticed).toBeGreaterThan(28);
}, 600_000);
