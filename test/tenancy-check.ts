/**
 * Looks for every way in which one tenant could reach another's rows, inside one transaction of a superuser who plays the
 * product's roles. `findLeaks` answers what it found; the mutation run proves that it would find something.
 */
import type pg from 'pg';
import { claimsOf, insertOf, ownedTable, Player, type Role, type Tenants } from './tenancy-player.ts';

/** Policies that are `true` for everybody on purpose: their tables hold nothing of anybody. */
const PUBLIC_ON_PURPOSE = new Set(['settings_read', 'job_transitions_read']);

/** Functions that look with their owner's eyes on purpose, and the one login that may call each. */
const LENT = new Map<string, Role | 'lowrank_scheduler,lowrank_web' | ''>([
  ['lowrank.dataset_exists(uuid)', 'lowrank_web'],
  // Triggers run it, and nobody else.
  ['lowrank.end_reservation()', ''],
  ['lowrank.installation_figures()', 'lowrank_identity'],
  ['lowrank.model_needed(uuid)', 'lowrank_identity'],
  ['lowrank.newest_migration()', 'lowrank_identity'],
  ['lowrank.own_model_needed(uuid)', 'lowrank_web'],
  ['lowrank.own_model_used_by_others(uuid)', 'lowrank_web'],
  ['lowrank.queue_outlook(integer)', 'lowrank_web'],
  ['lowrank.remove_departed(uuid)', 'lowrank_scheduler'],
  ['lowrank.starts_held(timestamp with time zone)', 'lowrank_scheduler,lowrank_web'],
]);

async function catalogue(client: pg.Client): Promise<string[]> {
  const found: string[] = [];
  const tables = await client.query<{ name: string; enabled: boolean; forced: boolean; policies: number }>(`
    SELECT c.oid::regclass::text AS name, c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced,
           (SELECT count(*)::int FROM pg_policy p WHERE p.polrelid = c.oid) AS policies
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('lowrank', 'identity') AND c.relkind IN ('r', 'p')`);
  for (const table of tables.rows) {
    if (!table.enabled || !table.forced) found.push(`${table.name}: row-level security is not enabled and forced`);
    if (table.policies === 0) found.push(`${table.name}: has no policy`);
  }
  const open = await client.query<{ policy: string; name: string }>(`
    SELECT policyname AS policy, schemaname || '.' || tablename AS name FROM pg_policies
    WHERE schemaname IN ('lowrank', 'identity') AND permissive = 'PERMISSIVE' AND (roles && ARRAY['public', 'lowrank_web']::name[])
      AND (coalesce(qual, 'true') = 'true' AND coalesce(with_check, 'true') = 'true')`);
  for (const policy of open.rows) {
    if (!PUBLIC_ON_PURPOSE.has(policy.policy)) found.push(`${policy.name}: policy ${policy.policy} lets everybody in`);
  }
  const roles = await client.query<{ rolname: string }>(`
    SELECT rolname FROM pg_roles WHERE rolname LIKE 'lowrank\\_%' AND rolname <> 'lowrank_owner' AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb)`);
  for (const role of roles.rows) found.push(`${role.rolname}: may do more than a login should`);
  const grants = await client.query<{ name: string }>(`
    SELECT DISTINCT table_schema || '.' || table_name AS name FROM information_schema.table_privileges
    WHERE table_schema IN ('lowrank', 'identity', 'lowrank_migrations') AND grantee IN ('PUBLIC', 'anon', 'authenticated', 'service_role')`);
  for (const grant of grants.rows) found.push(`${grant.name}: granted to everybody`);
  const opened = await client.query<{ name: string }>(`
    SELECT n.nspname || ' to ' || r.rolname AS name FROM pg_namespace n, pg_roles r
    WHERE n.nspname IN ('lowrank', 'identity', 'lowrank_migrations') AND r.rolname IN ('anon', 'authenticated', 'service_role')
      AND has_schema_privilege(r.oid, n.oid, 'USAGE')`);
  for (const { name } of opened.rows) found.push(`${name}: the schema is open`);
  const lent = await client.query<{ name: string; may: string[]; fixed: boolean }>(`
    SELECT p.oid::regprocedure::text AS name, coalesce('search_path=pg_catalog' = ANY (p.proconfig), false) AS fixed,
           ARRAY(SELECT DISTINCT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END
                 FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee <> p.proowner) AS may
    FROM pg_proc p WHERE p.prosecdef AND p.pronamespace IN ('lowrank'::regnamespace, 'identity'::regnamespace)`);
  for (const { name, may, fixed } of lent.rows) {
    if (!LENT.has(name)) found.push(`${name}: lends its owner's rights`);
    if (may.sort().join() !== LENT.get(name) || !fixed)
      found.push(`${name}: may be called by ${may.join()}, search path fixed: ${fixed}`);
  }
  const references = await client.query<{ name: string }>(`
    SELECT k.conrelid::regclass::text || '.' || k.conname AS name FROM pg_constraint k
    WHERE k.contype = 'f' AND k.connamespace = 'lowrank'::regnamespace
      AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = k.confrelid AND a.attname = 'user_id')
      AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = k.conrelid AND a.attname IN ('user_id', 'created_by') AND a.attnum = ANY (k.conkey))`);
  for (const reference of references.rows) found.push(`${reference.name}: refers to a tenant's table without its owner`);
  return found;
}

async function sharedTables(player: Player, { a, b }: Tenants): Promise<string[]> {
  const found: string[] = [];
  const expect = async (what: string, right: boolean) => {
    if (!right) found.push(what);
  };
  const table = 'lowrank.base_models';
  const model = (by: string) => JSON.stringify({ ...row, id: crypto.randomUUID(), created_by: by });
  const [{ row }] = (
    await player.client.query<{ row: Record<string, unknown> }>(
      `SELECT to_jsonb(t) AS row FROM ${table} t WHERE created_by = $1 AND NOT narrowed`,
      [b],
    )
  ).rows as [{ row: Record<string, unknown> }];
  await expect(
    'base_models: a user cannot read the registry',
    (await player.as('lowrank_web', claimsOf(a), `SELECT FROM ${table}`)).count > 0,
  );
  await expect(
    'base_models: nobody reads the registry',
    (await player.as('lowrank_web', null, `SELECT FROM ${table}`)).count === 0,
  );
  await expect(
    'base_models: an importer cannot add',
    (await player.as('lowrank_web', claimsOf(a), insertOf(table), [model(a)])).code === null,
  );
  await expect(
    'base_models: a model is added in another name',
    (await player.as('lowrank_web', claimsOf(a), insertOf(table), [model(b)])).code !== null,
  );
  const rename = `UPDATE ${table} SET name = name WHERE created_by = '${b}'`;
  await expect('base_models: an importer cannot change', (await player.as('lowrank_web', claimsOf(b), rename)).count > 0);
  await expect('base_models: a stranger changes a model', (await player.as('lowrank_web', claimsOf(a), rename)).count === 0);
  const give = `UPDATE ${table} SET created_by = '${a}' WHERE created_by = '${b}'`;
  await expect('base_models: a model is given away', (await player.as('lowrank_web', claimsOf(b), give)).code !== null);
  await expect('base_models: administrators cannot change', (await player.as('lowrank_identity', null, rename)).count > 0);
  const trust = `UPDATE ${table} SET trainable = true`;
  await expect('base_models: administrators rewrite its facts', (await player.as('lowrank_identity', null, trust)).code !== null);
  // One bit about trainings that the asker does not see: to a model's importer, and to whom administrators ask through.
  const { id } = row as { id: string };
  for (const [role, claims, name, told] of [
    ['lowrank_web', claimsOf(b), 'own_model_needed', true],
    ['lowrank_web', claimsOf(a), 'own_model_needed', false],
    ['lowrank_web', null, 'own_model_needed', false],
    ['lowrank_web', claimsOf(b), 'model_needed', undefined],
    ['lowrank_identity', null, 'model_needed', true],
  ] as const) {
    const answer = await player.as(role, claims, `SELECT lowrank.${name}('${id}') AS told`);
    await expect(`${name}: says ${answer.rows[0]?.told} to ${role} ${claims}`, answer.rows[0]?.told === told);
  }
  await player.client.query('SAVEPOINT chosen');
  for (const named of [false, true]) {
    for (const [role, claims, told] of [
      ['lowrank_web', claimsOf(b), named],
      ['lowrank_web', claimsOf(a), false],
      ['lowrank_web', null, false],
      ['lowrank_scheduler', null, undefined],
      ['lowrank_identity', null, undefined],
    ] as const) {
      const answer = await player.as(role, claims, `SELECT lowrank.own_model_used_by_others('${id}') AS told`);
      await expect(
        `own_model_used_by_others: says ${answer.rows[0]?.told} to ${role} ${claims}, ${named}`,
        answer.rows[0]?.told === told,
      );
    }
    await player.client.query(`UPDATE lowrank.user_queues SET default_base_model_id = '${id}' WHERE user_id = '${a}'`);
  }
  await player.client.query('ROLLBACK TO SAVEPOINT chosen');
  const narrowed = `SELECT FROM ${table} WHERE narrowed AND created_by = '${b}'`;
  for (const [role, claims, seen] of [
    ['lowrank_web', claimsOf(b), 1],
    ['lowrank_web', claimsOf(a), 0],
    ['lowrank_web', null, 0],
    ['lowrank_scheduler', null, 1],
  ] as const) {
    const { count } = await player.as(role, claims, narrowed);
    await expect(`base_models: ${role} ${claims} sees ${count} narrowed models of another`, count === seen);
  }
  // Of a project of somebody else's nothing is narrowed, and without one nothing is shared by mistake.
  const to = `UPDATE ${table} SET project_id = (SELECT id FROM lowrank.projects WHERE user_id = '${b}' LIMIT 1), narrowed = true WHERE created_by`;
  const foreign = `INSERT INTO ${table} (created_by, name, status, narrowed, project_id) VALUES ('${a}', 'x', 'ready', true, $1)`;
  const [of_b] = (await player.client.query<{ id: string }>(`SELECT id FROM lowrank.projects WHERE user_id = '${b}'`)).rows;
  await expect(
    'base_models: narrowed to a stranger’s project',
    (await player.as('lowrank_web', claimsOf(a), foreign, [of_b?.id])).code === '23503',
  );
  await expect(
    'base_models: an importer cannot narrow',
    (await player.as('lowrank_web', claimsOf(b), `${to} = '${b}'`)).count > 0,
  );
  await expect(
    'base_models: the scheduler cannot work',
    (await player.as('lowrank_scheduler', null, `SELECT FROM ${table}`)).count > 0,
  );
  for (const [role, name] of [
    ['lowrank_web', 'settings'],
    ['lowrank_identity', 'settings'],
    ['lowrank_scheduler', 'settings'],
    ['lowrank_web', 'job_transitions'],
    ['lowrank_scheduler', 'workers'],
    ['lowrank_scheduler', 'gpu_devices'],
    ['lowrank_web', 'gpu_catalog'],
    ['lowrank_identity', 'gpu_catalog'],
    ['lowrank_scheduler', 'gpu_catalog'],
    ['lowrank_web', 'training_images'],
    ['lowrank_identity', 'training_images'],
    ['lowrank_scheduler', 'training_images'],
    ['lowrank_web', 'run_groups'],
    ['lowrank_scheduler', 'run_groups'],
    ['lowrank_identity', 'workers'],
    ['lowrank_identity', 'gpu_devices'],
  ] as const) {
    await expect(
      `${name}: ${role} cannot read`,
      (await player.as(role, role === 'lowrank_web' ? claimsOf(a) : null, `SELECT FROM lowrank.${name}`)).count > 0,
    );
  }
  await expect(
    'rate_limits: the identity login cannot count',
    (await player.as('lowrank_identity', null, 'SELECT FROM lowrank.rate_limits')).count > 0,
  );
  const of_jobs = `SELECT FROM lowrank.idempotency_keys WHERE route = 'POST /api/jobs'`;
  await expect(
    'idempotency_keys: the identity login sees answers about jobs',
    (await player.as('lowrank_identity', null, of_jobs)).count === 0,
  );
  const set = `UPDATE lowrank.settings SET value = value`;
  await expect('settings: the identity login cannot write', (await player.as('lowrank_identity', null, set)).count > 0);
  await expect('settings: a user can write', (await player.as('lowrank_web', claimsOf(a), set)).code !== null);
  const price = 'UPDATE lowrank.gpu_catalog SET hourly_rate = hourly_rate';
  await expect('gpu_catalog: the identity login cannot write', (await player.as('lowrank_identity', null, price)).count > 0);
  await expect('gpu_catalog: a user can write', (await player.as('lowrank_web', claimsOf(a), price)).code === '42501');
  const image = `UPDATE lowrank.training_images SET reference = 'evil'`;
  await expect('training_images: the identity login cannot write', (await player.as('lowrank_identity', null, image)).count > 0);
  await expect('training_images: a user can write', (await player.as('lowrank_web', claimsOf(a), image)).code === '42501');
  const unlist = 'DELETE FROM lowrank.training_images';
  await expect(
    'training_images: a worker can take it away',
    (await player.as('lowrank_scheduler', null, unlist)).code === '42501',
  );
  const learnt = 'UPDATE lowrank.run_groups SET turn = turn';
  await expect('run_groups: the scheduler cannot write', (await player.as('lowrank_scheduler', null, learnt)).count > 0);
  await expect('run_groups: a user can write', (await player.as('lowrank_web', claimsOf(a), learnt)).code === '42501');
  await expect(
    'run_groups: nobody sees them',
    (await player.as('lowrank_web', null, 'SELECT FROM lowrank.run_groups')).count === 0,
  );
  const kinds = 'SELECT kind FROM lowrank.gpu_devices';
  await expect('gpu_devices: a user cannot see of what kind', (await player.as('lowrank_web', claimsOf(a), kinds)).count > 0);
  await expect('gpu_devices: nobody sees of what kind', (await player.as('lowrank_web', null, kinds)).count === 0);
  // What is foretold of a training hangs on the device's name and memory; which one it is, and of which host, is nobody's business.
  const names = await player.as('lowrank_web', claimsOf(a), 'SELECT uuid FROM lowrank.gpu_devices');
  await expect('gpu_devices: a user sees more than kind, name and memory', names.code === '42501');
  for (const name of ['users', 'sessions', 'accounts', 'verifications', 'api_keys', 'invitations']) {
    await expect(
      `${name}: the identity login cannot read`,
      (await player.as('lowrank_identity', null, `SELECT FROM identity.${name}`)).count > 0,
    );
    await expect(
      `${name}: a user can read`,
      (await player.as('lowrank_web', claimsOf(a), `SELECT FROM identity.${name}`)).code !== null,
    );
  }
  // Door A's one bit: that a dataset is there, and nothing to nobody.
  const [ofB] = (await player.client.query<{ id: string }>(`SELECT id FROM lowrank.datasets WHERE user_id = '${b}' LIMIT 1`))
    .rows;
  for (const [claims, id, told] of [
    [claimsOf(a), ofB?.id, true],
    [claimsOf(a), crypto.randomUUID(), false],
    [null, ofB?.id, false],
    ['{}', ofB?.id, false],
  ] as const) {
    const answer = await player.as('lowrank_web', claims, 'SELECT lowrank.dataset_exists($1) AS told', [id]);
    await expect(`dataset_exists: says ${answer.rows[0]?.told} to ${claims} (${answer.message})`, answer.rows[0]?.told === told);
  }
  for (const role of ['lowrank_scheduler', 'lowrank_identity', 'lowrank_delivery'] as const) {
    const answer = await player.as(role, null, 'SELECT lowrank.dataset_exists($1) AS told', [ofB?.id]);
    await expect(`dataset_exists: ${role} may call it`, answer.code === '42501');
  }
  // Counts of everybody's rows, for whom administrators ask through.
  const figures = 'SELECT lowrank.installation_figures() AS told';
  const told = JSON.stringify((await player.as('lowrank_identity', null, figures)).rows[0]?.told ?? null);
  for (const counted of [
    /"jobs": ?\{[^}]*"running": ?2/,
    /"in_line": ?2/,
    /"datasets": ?[1-9]/,
    /"artifacts": ?2/,
    /"models": ?2/,
    /"deliveries": ?\{"pending": ?2/,
    /"transfers": ?\[\{[^}]*"count": ?2/,
    /"devices": ?\[\{[^}]*"count": ?2/,
    /"state": ?"leased"/,
    /"workers": ?\[\{/,
  ])
    await expect(`installation_figures: ${counted} is not in ${told}`, counted.test(told));
  for (const role of ['lowrank_web', 'lowrank_scheduler', 'lowrank_delivery'] as const) {
    const answer = await player.as(role, role === 'lowrank_web' ? claimsOf(a) : null, figures);
    await expect(`installation_figures: ${role} may call it`, answer.code === '42501');
  }
  // What is ahead of whoever waits, and nothing to nobody.
  const outlook = 'SELECT lowrank.queue_outlook(30000) AS told';
  const ahead = await player.as('lowrank_web', claimsOf(a), outlook);
  await expect(`queue_outlook: says ${JSON.stringify(ahead.rows[0]?.told)} (${ahead.message})`, ahead.rows[0]?.told !== null);
  for (const claims of [null, '{}']) {
    const answer = await player.as('lowrank_web', claims, outlook);
    await expect(`queue_outlook: answers ${claims}`, answer.rows[0]?.told === null);
  }
  for (const role of ['lowrank_scheduler', 'lowrank_identity', 'lowrank_delivery'] as const)
    await expect(`queue_outlook: ${role} may call it`, (await player.as(role, null, outlook)).code === '42501');
  // What is kept for a job that waits ends with its wait, by the trigger alone; how many devices are kept is an administrator's to see.
  const reservations = 'SELECT worker_id FROM lowrank.gpu_reservations';
  await expect(
    'gpu_reservations: no administrator sees them',
    (await player.as('lowrank_identity', null, reservations)).count > 0,
  );
  await player.client.query('SAVEPOINT waiting');
  await player.client.query(`UPDATE lowrank.gpu_reservations r SET job_id = j.id FROM lowrank.training_jobs j
    WHERE j.user_id = r.user_id AND j.user_id = '${b}' AND j.status = 'queued'`);
  await player.client.query(`UPDATE lowrank.training_jobs SET held_at = now() WHERE user_id = '${b}' AND status = 'queued'`);
  const left = await player.client.query(`SELECT FROM lowrank.gpu_reservations WHERE user_id = '${b}'`);
  await expect('gpu_reservations: a held job keeps its devices', left.rowCount === 0);
  await player.client.query('ROLLBACK TO SAVEPOINT waiting');
  // People go by the scheduler's word where they left and nothing of theirs is left, and by no other.
  const remove = async (role: Role) =>
    player.as(role, role === 'lowrank_web' ? claimsOf(b) : null, `SELECT lowrank.remove_departed('${b}') AS done`);
  await player.client.query('SAVEPOINT leaving');
  await expect('remove_departed: removes somebody who stays', (await remove('lowrank_scheduler')).rows[0]?.done === false);
  const leaves = `UPDATE lowrank.user_queues SET leaving_at = now() WHERE user_id = '${b}'`;
  await player.client.query(
    `UPDATE lowrank.training_jobs SET status = 'cancelled', slot = NULL WHERE user_id = '${b}' AND slot IS NOT NULL`,
  );
  await player.client.query(leaves);
  await expect('remove_departed: removes whose device is held', (await remove('lowrank_scheduler')).rows[0]?.done === false);
  await player.client.query(`UPDATE lowrank.gpu_leases SET released_at = now() WHERE user_id = '${b}'`);
  const removed = await remove('lowrank_scheduler');
  await expect(`remove_departed: does not remove somebody who left (${removed.message})`, removed.rows[0]?.done === true);
  for (const role of ['lowrank_web', 'lowrank_identity', 'lowrank_delivery'] as const)
    await expect(`remove_departed: ${role} may call it`, (await remove(role)).code === '42501');
  await player.client.query('ROLLBACK TO SAVEPOINT leaving');
  // Events are put into the outbox by whoever makes them happen; secrets open to the sender alone.
  const [delivery] = (
    await player.client.query<{ row: Record<string, unknown> }>(
      `SELECT to_jsonb(d) || jsonb_build_object('id', gen_random_uuid()) AS row FROM lowrank.webhook_deliveries d WHERE user_id = '${b}'`,
    )
  ).rows;
  const queued = await player.as('lowrank_scheduler', null, insertOf('lowrank.webhook_deliveries'), [
    JSON.stringify(delivery?.row),
  ]);
  await expect(`webhook_deliveries: the scheduler cannot queue (${queued.message})`, queued.code === null);
  for (const role of ['lowrank_web', 'lowrank_scheduler', 'lowrank_identity', 'lowrank_delivery'] as const) {
    const opened = await player.as(
      role,
      role === 'lowrank_web' ? claimsOf(a) : null,
      'SELECT sealed FROM lowrank.webhook_secrets',
    );
    await expect(
      `webhook_secrets: ${role} reads ${opened.count} (${opened.message})`,
      opened.count > 0 === (role === 'lowrank_delivery'),
    );
  }
  // What an administrator does to a device is put into their feed, nothing else is, and the feed is not read so.
  for (const entity of ['device', 'job']) {
    const told = await player.as(
      'lowrank_identity',
      null,
      `INSERT INTO lowrank.activities (user_id, event_type, entity_type, entity_id, title, message)
       VALUES ('${a}', 'device_released', '${entity}', gen_random_uuid(), 'x', 'x')`,
    );
    await expect(
      `activities: of a ${entity} the identity login is told ${told.code}`,
      (told.code === null) === (entity === 'device'),
    );
  }
  // The triggers that work in a user's name need their own doors.
  const cancel = `UPDATE lowrank.training_jobs SET status = 'cancelled' WHERE status = 'queued' AND user_id = '${a}'`;
  const cancelled = await player.as('lowrank_web', claimsOf(a), cancel);
  await expect(`training_jobs: an own queued job cannot be cancelled (${cancelled.message})`, cancelled.count > 0);
  return found;
}

/**
 * Everything found, empty when all is well. Leaves no trace: the caller's transaction is rolled back to where it was. With `only`, of
 * the owned tables that one alone is looked at, and everything that is not of one table.
 */
export async function findLeaks(client: pg.Client, tenants: Tenants, only?: string): Promise<string[]> {
  const player = new Player(client);
  const owned = await client.query<{ name: string }>(`
    SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'user_id' AND NOT a.attisdropped
    WHERE n.nspname = 'lowrank' AND c.relkind IN ('r', 'p') ORDER BY 1`);
  const found = await catalogue(client);
  for (const { name } of owned.rows.filter((row) => only === undefined || row.name === only))
    found.push(...(await ownedTable(player, name, tenants)));
  found.push(...(await sharedTables(player, tenants)));
  return found;
}
