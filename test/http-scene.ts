/**
 * A person who has one of everything, in each state that the API tells apart, for the tests of what others may learn of it.
 * Whatever is new among the tables and kinds of things belongs in here: the tests that use it say so.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { storage } from '#/storage/connect-storage.ts';
import { attemptFolder, logFile } from '#/storage/run-folder.ts';
import { storageKey } from '#/storage/storage.ts';
import { addBrowser } from './api.ts';
import type { TestDatabase } from './database.ts';
import { addBaseModel, addDataset, addDrawn, addImage, addJob, addPerson, addPicture, addRow } from './factories.ts';
import { addObservation } from './foretold.ts';

/** What an id can be of. */
export const KINDS = [
  'person',
  'member',
  'project',
  'dataset',
  'model',
  'narrowed_model',
  'job',
  'artifact',
  'artifact_file',
  'recipe',
  'experiment',
  'transfer',
  'activity',
  'notification',
  'api_key',
  'invitation',
  'gpu',
  'device',
  'worker',
  'training_image',
  'default_model',
  'webhook',
  'delivery',
  'cost',
  'observation',
] as const;
export type Kind = (typeof KINDS)[number];

/** A thing's id by its state, the plainest first: `job.queued`, `job.deleted`, … */
export type Things = Record<Kind, Record<string, string>>;

export interface Tenant {
  user_id: string;
  role: 'administrator' | 'user';
  headers: { cookie: string; origin: string };
  /** Stands in every text that this person has anywhere. */
  secret: string;
  things: Things;
}

/** A model of the Hub that every scene has, so that door A need not fetch one. */
export const SCENE_HUB_MODEL = 'tenancy/tiny';

/** The month in which everybody's training cost something. */
const BILLED = '2026-03';

/** Where a list of costs goes on behind what a job cost. */
export const costCursor = (job_id: string) => `${BILLED}_${job_id}`;

/** The id that a thing is asked for by, in its plainest state. */
export function plainest(things: Things, kind: Kind): string {
  const [id] = Object.values(things[kind]);
  if (id === undefined) throw new Error(`test/http-scene.ts makes no ${kind}`);
  return id;
}

/** A word for somebody's texts. */
export const newSecret = (name: string) => `canary-${name}-${randomUUID().slice(0, 8)}`;

/** Makes a person who has one of everything, signed in with a browser. */
export async function addTenant(
  db: TestDatabase,
  secret: string,
  options: { role?: 'administrator' | 'user' } = {},
): Promise<Tenant> {
  const { user_id, headers } = await addBrowser(db, options);
  const things = await addThings(db, user_id, secret);
  await addMachinery(db, user_id, things, secret);
  await writeSecret(db, user_id, secret);
  return { user_id, role: options.role ?? 'user', headers, secret, things };
}

async function addThings(db: TestDatabase, user_id: string, secret: string): Promise<Things> {
  const add = async (table: string, row: Record<string, unknown>): Promise<string> => {
    const id = randomUUID();
    await addRow(db, table, { id, user_id, ...row });
    return id;
  };
  const project = await add('lowrank.projects', { name: secret });
  const of_model = await add('lowrank.projects', { name: secret });
  const of_mine = { project_id: project, name: secret };
  const dataset = {
    ready: await addDataset(db, user_id, of_mine),
    free: await addDataset(db, user_id, of_mine),
    uploading: await addDataset(db, user_id, { ...of_mine, status: 'uploading', training_ready: false }),
    validating: await addDataset(db, user_id, { ...of_mine, status: 'validating', training_ready: false }),
    error: await addDataset(db, user_id, { ...of_mine, status: 'error', training_ready: false }),
    deleted: await addDataset(db, user_id, { ...of_mine, deleted_at: new Date() }),
  };
  for (const dataset_id of [dataset.ready, dataset.deleted])
    await addPicture(db, { dataset_id, user_id, file: secret, caption: secret });
  const hub = { hf_repo_id: SCENE_HUB_MODEL, hf_requested_revision: 'main', hf_revision: 'c'.repeat(40), vocab_size: 256 };
  const model = {
    ready: await addBaseModel(db, { created_by: user_id, ...hub, local_path: secret }),
    error: await addBaseModel(db, { created_by: user_id, status: 'error', local_path: secret }),
  };
  const hidden = { created_by: user_id, narrowed: true, project_id: of_model, name: secret, vocab_size: 256 };
  const narrowed = await addBaseModel(db, { ...hidden, local_path: secret });
  const recipe = await add('lowrank.recipes', { name: secret, method: 'lora', overrides: { rank: 8 }, project_id: project });
  const experiment = await add('lowrank.experiments', { name: secret, recipe_id: recipe, project_id: project });
  const spec = {
    name: 'Again',
    method: 'lora',
    dataset_id: dataset.ready,
    base_model_id: model.ready,
    preset_id: 'fast',
    hyperparameters: { learning_rate: 1e-4, batch_size: 8, epochs: 1, rank: 8, alpha: 16, dropout: 0.05 },
    gpu_config: { type: 'CPU', count: 1 },
    max_steps: null,
    seed: 1,
    priority: 0,
    start: true,
  };
  const named = { dataset_id: dataset.ready, base_model_id: model.ready, experiment_id: experiment, recipe_id: recipe };
  const ofJob = (fields: Record<string, unknown>) =>
    addJob(db, user_id, { ...named, name: secret, config: { spec }, error_message: secret, ...fields });
  const job = {
    completed: await ofJob({ status: 'completed', attempt: 1, completed_at: new Date() }),
    queued: await ofJob({ status: 'queued' }),
    held: await ofJob({ status: 'queued', held_at: new Date() }),
    initializing: await ofJob({ status: 'initializing', attempt: 1, slot: 1 }),
    running: await ofJob({ status: 'running', attempt: 1, slot: 2 }),
    failed: await ofJob({ status: 'failed', attempt: 1 }),
    cancelled: await ofJob({ status: 'cancelled' }),
    deleted: await ofJob({ status: 'completed', deleted_at: new Date() }),
  };
  const { artifact, file } = await addArtifacts(db, user_id, job.completed, secret);
  await addDrawn(db, { user_id, job_id: job.completed, prompt: secret });
  const asked = { kind: 'dataset', hf_repo_id: `tenancy/${secret}`, hf_requested_revision: 'main' };
  const transfer = {
    running: await add('lowrank.transfers', { ...asked, status: 'running' }),
    pending: await add('lowrank.transfers', asked),
    completed: await add('lowrank.transfers', { ...asked, status: 'completed', hf_revision: 'c'.repeat(40) }),
    failed: await add('lowrank.transfers', { ...asked, status: 'failed', error_code: 'internal', error_message: secret }),
    cancelled: await add('lowrank.transfers', { ...asked, status: 'cancelled' }),
    pushed: await add('lowrank.transfers', {
      ...asked,
      kind: 'artifact',
      direction: 'export',
      artifact_id: artifact.adapter,
      status: 'completed',
      hf_revision: 'c'.repeat(40),
    }),
  };
  const told = { event_type: 'job_created', entity_type: 'job', entity_id: job.queued, title: secret, message: secret };
  const notice = { type: 'job_queued', title: secret, message: secret };
  const receiver = { url: `https://hooks.example.org/${secret}`, description: secret };
  const webhook = {
    enabled: await add('lowrank.webhooks', receiver),
    disabled: await add('lowrank.webhooks', { ...receiver, enabled: false, disabled_reason: 'gone' }),
  };
  for (const webhook_id of Object.values(webhook)) await add('lowrank.webhook_secrets', { webhook_id, sealed: secret });
  const sent = { webhook_id: webhook.enabled, event: 'job.queued', payload: JSON.stringify({ text: secret }) };
  const key = { name: secret, prefix: 'lowrank_', scopes: '{read,write}' };
  const gpu = `GPU-${randomUUID().slice(0, 8)}`;
  await addRow(db, 'lowrank.gpu_catalog', { type: gpu, hourly_rate: 1, tokens_per_second: 1 });
  const invitation = randomUUID();
  await addRow(db, 'identity.invitations', {
    id: invitation,
    email: `${secret}@example.org`,
    token_hash: randomUUID(),
    invited_by: user_id,
    expires_at: new Date(Date.now() + 3_600_000),
  });
  const host = await addDevice(db);
  return {
    person: { self: user_id },
    member: { other: await addPerson(db) },
    project: { made: project, of_model },
    dataset,
    model,
    narrowed_model: { ready: narrowed },
    job,
    artifact,
    artifact_file: { published: file },
    recipe: { saved: recipe },
    experiment: { made: experiment },
    transfer,
    activity: {
      unread: await add('lowrank.activities', { ...told, project_id: project }),
      read: await add('lowrank.activities', { ...told, project_id: project, read: true }),
    },
    notification: {
      unread: await add('lowrank.notifications', notice),
      read: await add('lowrank.notifications', { ...notice, read: true }),
    },
    api_key: {
      live: await add('identity.api_keys', { ...key, hash: randomUUID() }),
      revoked: await add('identity.api_keys', { ...key, hash: randomUUID(), revoked_at: new Date() }),
    },
    invitation: { open: invitation },
    gpu: { added: gpu },
    device: { free: host.device_id },
    worker: { with_device: host.worker_id },
    training_image: { listed: await addImage(db) },
    default_model: { ready: model.ready },
    cost: { of_job: costCursor(job.completed) },
    observation: { of_job: await addObservation(db, user_id, job.completed) },
    webhook,
    delivery: {
      failed: await add('lowrank.webhook_deliveries', { ...sent, status: 'failed' }),
      pending: await add('lowrank.webhook_deliveries', sent),
      delivered: await add('lowrank.webhook_deliveries', { ...sent, status: 'delivered', delivered_at: new Date() }),
    },
  };
}

/** A device of a worker of its own. */
async function addDevice(db: TestDatabase): Promise<{ device_id: string; worker_id: string }> {
  const [device_id, worker_id] = [randomUUID(), randomUUID()];
  await addRow(db, 'lowrank.workers', { id: worker_id, boot_id: 'b', pid: 1, version: '1' });
  await addRow(db, 'lowrank.gpu_devices', { id: device_id, worker_id, kind: 'gpu', uuid: 'GPU-1', name: 'GPU', memory_mb: 1 });
  return { device_id, worker_id };
}

async function addArtifacts(db: TestDatabase, user_id: string, job_id: string, secret: string) {
  const source = await mkdtemp(join(tmpdir(), 'lowrank-scene-'));
  try {
    await writeFile(join(source, `${secret}.safetensors`), `${secret} weights`);
    const artifact = { adapter: randomUUID(), checkpoint: randomUUID(), deleted: randomUUID() };
    const files = await storage().publishFolder(user_id, artifact.adapter, source);
    for (const [state, id] of Object.entries(artifact))
      await addRow(db, 'lowrank.model_artifacts', {
        id,
        user_id,
        job_id,
        name: secret,
        kind: state === 'adapter' ? 'adapter' : 'checkpoint',
        storage_path: storageKey(user_id, id),
        files,
        sha256: 'a'.repeat(64),
        size: 1,
        deleted_at: state === 'deleted' ? new Date() : null,
      });
    return { artifact, file: files[0]?.id ?? '' };
  } finally {
    await rm(source, { recursive: true });
  }
}

/** What nobody asks for by an id of its own: attempts, points, logs, leases, costs, answers that are kept. */
async function addMachinery(db: TestDatabase, user_id: string, { job }: Things, secret: string): Promise<void> {
  const worker_id = randomUUID();
  await addRow(db, 'lowrank.workers', { id: worker_id, boot_id: 'b', pid: 1, version: '1' });
  const device_id = randomUUID();
  await addRow(db, 'lowrank.gpu_devices', { id: device_id, worker_id, kind: 'cpu', uuid: 'cpu', name: 'CPU', memory_mb: 1 });
  await addRow(db, 'lowrank.gpu_leases', { device_id, job_id: job.running, user_id, attempt: 1 });
  await addRow(db, 'lowrank.gpu_reservations', { worker_id, job_id: job.queued, user_id, device_ids: '{}' });
  for (const job_id of [job.running, job.completed] as string[]) {
    await addRow(db, 'lowrank.job_runs', { job_id, user_id, attempt: 1, epoch: 1, worker_id, executor: 'process' });
    await addRow(db, 'lowrank.metrics_points', { job_id, user_id, attempt: 1, seq: 1, step: 1, timestamp: new Date(), loss: 1 });
    await mkdir(attemptFolder(job_id, 1), { recursive: true });
    await writeFile(logFile(job_id, 1), `${secret} in the log\n`);
  }
  const cost = { type: 'compute', billing_period: `${BILLED}-01`, unit_price: 1, quantity: 1, amount: 1 };
  await addRow(db, 'lowrank.cost_records', { job_id: job.completed, user_id, ...cost });
  await addRow(db, 'lowrank.idempotency_keys', {
    user_id,
    route: 'POST /api/jobs',
    key: 'scene',
    request_hash: 'h',
    resource_id: job.queued,
    answer: secret,
  });
}

/** Text columns that hold one of our own words, a number in text, or what is hashed, sealed or looked up by: no person's text. */
const OUR_WORDS = new Set(
  `status type kind format modality method preset_id event_type entity_type direction invalid_rows executor storage_path sha256
   checksum received_checksum route key request_hash resource_id error_code from_status to_status event events payload sealed token hash prefix role
   hf_repo_id hf_revision hf_requested_revision priority disabled_reason scopes outcome email url files exit handle spec hyperparameters
   gpu_config current_metrics overrides tries error_message`.split(/\s+/),
);

/** Puts somebody's word into every text that is theirs, new columns included, behind all triggers. */
async function writeSecret(db: TestDatabase, user_id: string, secret: string): Promise<void> {
  const columns = await db.asOwner<{ table: string; name: string; type: string }>(`
    SELECT c.oid::regclass::text AS table, a.attname AS name, a.atttypid::regtype::text AS type
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relkind = 'r' AND c.relnamespace = 'lowrank'::regnamespace AND a.atttypid IN ('text'::regtype, 'text[]'::regtype, 'jsonb'::regtype)
      AND EXISTS (SELECT FROM pg_attribute o WHERE o.attrelid = c.oid AND o.attname = 'user_id' AND NOT o.attisdropped)`);
  const ours = columns.filter(({ name }) => !OUR_WORDS.has(name));
  const values: Record<string, (name: string) => string> = {
    text: () => `'${secret}'`,
    'text[]': () => `ARRAY['${secret}']`,
    jsonb: (name) => `CASE jsonb_typeof(${name}) WHEN 'array' THEN ${name} || '["${secret}"]' WHEN 'object'
      THEN ${name} || '{"canary": "${secret}"}' ELSE '{"canary": "${secret}"}' END`,
  };
  const updates = [...Map.groupBy(ours, ({ table }) => table)].map(
    ([table, of]) =>
      `UPDATE ${table} SET ${of.map(({ name, type }) => `"${name}" = ${values[type]?.(`"${name}"`)}`).join(', ')} WHERE user_id = '${user_id}'`,
  );
  await db.asOwner(
    `BEGIN; SET LOCAL session_replication_role = replica; ${updates.join(';')};
     UPDATE identity.users SET name = '${secret}', email = '${secret}@example.org' WHERE id = '${user_id}'; COMMIT`,
  );
}
