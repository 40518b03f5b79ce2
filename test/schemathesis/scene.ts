/** Who asks and what is there while Schemathesis runs: each operation has people and rows of its own, and one stranger has the same. */
import { createHmac, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateJobBody } from '#/contract/jobs.ts';
import { specOfDoorB } from '#/http/job-door-b.ts';
import type { KnownRoute } from '#/http/route-table.ts';
import { createJob } from '#/services/jobs/create-job.ts';
import { createApiKey } from '#/services/people/api-keys.ts';
import { openSession } from '#/services/people/open-session.ts';
import { createWebhook } from '#/services/webhooks/create-webhook.ts';
import type { Storage } from '#/storage/storage.ts';
import { storageKey } from '#/storage/storage.ts';
import { TEST_OPTIONS } from '../api.ts';
import type { TestDatabase } from '../database.ts';
import { addBaseModel, addDataset, addDrawn, addJob, addPerson, addPicture } from '../factories.ts';
import { addObservation } from '../foretold.ts';

/** Ids by the collection that they lie in: the segment of the path before them. */
type Pools = Record<string, string[]>;

/** What the hooks know of one operation. */
export interface Caller {
  /** As headers say them: a key where one is taken, otherwise a session. Taken in turn: the rows are the first person's. */
  credentials: Record<string, string>[];
  pools: Pools;
}

/** Sessions of an operation that ends its own. */
const SESSIONS = 40;
/** How often whoever has the rows asks before somebody asks who has none. */
const TURNS = 3;

const returningId = async (db: TestDatabase, text: string, values: unknown[]): Promise<string> => {
  const [row] = await db.asOwner<{ id: string }>(`${text} RETURNING id`, values);
  return row?.id ?? '';
};

/** A host with a device; answers the device's id. */
async function addWorker(db: TestDatabase, host: string): Promise<string> {
  await db.asOwner(`INSERT INTO lowrank.workers (id, boot_id, pid, version) VALUES ($1, 'b', 1, '1')`, [host]);
  return returningId(
    db,
    `INSERT INTO lowrank.gpu_devices (worker_id, kind, uuid, name, memory_mb) VALUES ($1, 'cpu', 'cpu', 'CPU', 1)`,
    [host],
  );
}

/** Some rows of every kind that a path or a body can name. A new collection wants its rows here. */
async function addRows(db: TestDatabase, storage: Storage, folder: string, user_id: string): Promise<Pools> {
  const base_model_id = await addBaseModel(db, { created_by: user_id, name: 'a model' });
  const models = [base_model_id, await addBaseModel(db, { created_by: user_id, status: 'fetching' })];
  const datasets = [
    await addDataset(db, user_id, { name: 'Questions' }),
    await addDataset(db, user_id, { status: 'validating', training_ready: false }),
    await addDataset(db, user_id, { deleted_at: new Date() }),
    await addDataset(db, user_id, { name: 'Nobody needs it' }),
  ];
  for (const dataset_id of datasets) await addPicture(db, { dataset_id, user_id, file: 'a.png', caption: 'A cup' });
  // The others are as this one was planned.
  const spec = specOfDoorB(CreateJobBody.parse({ dataset_id: datasets[0], base_model_id }), new Date());
  const {
    job: { id: queued, config },
  } = await createJob({ user_id, role: 'user' }, spec);
  const of = { dataset_id: datasets[0], base_model_id, config };
  const over = { started_at: new Date(), completed_at: new Date() };
  const jobs = [
    queued,
    await addJob(db, user_id, { ...of, status: 'running', started_at: new Date() }),
    await addJob(db, user_id, { ...of, ...over, status: 'completed', progress: 100 }),
    await addJob(db, user_id, { ...of, ...over, status: 'failed' }),
    await addJob(db, user_id, { ...of, ...over, status: 'cancelled' }),
    await addJob(db, user_id, { ...of, held_at: new Date() }),
  ];
  for (const [at, job] of jobs.entries())
    await db.asOwner(
      `INSERT INTO lowrank.metrics_points (job_id, user_id, attempt, seq, step, timestamp, loss) VALUES ($1, $2, 1, $3, $3, now(), 1.5)`,
      [job, user_id, at + 1],
    );
  for (const job_id of jobs) await addDrawn(db, { user_id, job_id: job_id as string, prompt: 'a cup' });
  for (const job of jobs.slice(2, 5)) await addObservation(db, user_id, job as string);
  const source = mkdtempSync(join(folder, 'adapter-'));
  mkdirSync(join(source, 'sub'));
  writeFileSync(join(source, 'adapter_model.safetensors'), 'weights');
  const artifacts: string[] = [];
  const files: string[] = [];
  for (const job of [jobs[2], jobs[3], jobs[4]]) {
    const id = randomUUID();
    const published = await storage.publishFolder(user_id, id, source);
    files.push(...published.map((file) => file.id));
    const values = [id, user_id, job, 'An adapter', storageKey(user_id, id), JSON.stringify(published), 'a'.repeat(64)];
    await db.asOwner(
      `INSERT INTO lowrank.model_artifacts (id, user_id, job_id, name, kind, storage_path, files, sha256, size)
       VALUES ($1, $2, $3, $4, 'adapter', $5, $6, $7, 7)`,
      values,
    );
    artifacts.push(id);
  }
  await db.asOwner('UPDATE lowrank.model_artifacts SET deleted_at = now() WHERE id = $1', [artifacts.at(-1)]);
  const device = await addWorker(db, `host-${user_id}`);
  const project = await returningId(db, 'INSERT INTO lowrank.projects (user_id, name) VALUES ($1, $2)', [user_id, 'A project']);
  const own = (table: string, columns: string, values: unknown[]) =>
    returningId(
      db,
      `INSERT INTO lowrank.${table} (user_id, ${columns}) VALUES ($1, ${values.map((_, at) => `$${at + 2}`).join(', ')})`,
      [user_id, ...values],
    );
  const asked = { url: 'https://8.8.8.8/hook', description: '', events: [], enabled: true };
  const webhook = (await createWebhook({ user_id, role: 'user' }, asked)).webhook.id;
  const delivery = await own('webhook_deliveries', 'webhook_id, event, payload, status', [webhook, 'job.failed', '{}', 'failed']);
  const recipe = await own('recipes', 'name, method', ['A template', 'lora']);
  return {
    jobs,
    training: jobs,
    datasets,
    'base-models': models,
    artifacts,
    projects: [project, await own('projects', 'name', ['Another'])],
    recipes: [recipe, await own('recipes', 'name, method', ['Another', 'lora'])],
    experiments: [await own('experiments', 'name, recipe_id', ['An experiment', recipe])],
    activity: [
      await own('activities', 'event_type, entity_type, entity_id, title, message', ['job_created', 'job', jobs[0], 't', 'm']),
    ],
    notifications: [await own('notifications', 'type, title, message', ['job_queued', 't', 'm'])],
    transfers: [
      await own('transfers', 'kind, hf_repo_id, hf_requested_revision', ['dataset', 'a/b', 'main']),
      await own('transfers', 'kind, hf_repo_id, hf_requested_revision', ['dataset', 'a/c', 'main']),
    ],
    webhooks: [webhook],
    gpus: [device],
    users: [await addPerson(db)],
    deliveries: [delivery],
    files,
  };
}

/** Makes everybody and everything: the answer is written as it is for the hooks. */
export async function makeScene(
  db: TestDatabase,
  storage: Storage,
  folder: string,
  routes: KnownRoute[],
  own_origin: string,
): Promise<Record<string, Caller>> {
  const stranger = await addPerson(db);
  const model = await addBaseModel(db);
  await db.asOwner(`INSERT INTO lowrank.settings (key, value) VALUES ('default_base_model_id', to_jsonb($1::text))`, [model]);
  // The one that the document's examples name.
  await addWorker(db, 'gpu-box-7c1f');
  const theirs = await addRows(db, storage, folder, stranger);
  const scene: Record<string, Caller> = {};
  for (const route of routes) {
    const credentials: Caller['credentials'] = [];
    let pools: Pools = {};
    for (const role of ['administrator', 'user'] as const) {
      const user_id = await addPerson(db, { role });
      // With no slot at all nothing is launched, and a submission is answered at once.
      await db.asOwner('UPDATE lowrank.user_queues SET active_max = 0 WHERE user_id = $1', [user_id]);
      if (role === 'administrator') pools = await addRows(db, storage, folder, user_id);
      const ctx = { user_id, role };
      const asked = { name: 'Key', scopes: ['read' as const, 'write' as const], expires_at: null };
      const { key, id } = await createApiKey(ctx, asked);
      pools.keys = [...(pools.keys ?? []), id];
      const turns = role === 'administrator' ? TURNS : 1;
      for (let i = 0; i < turns && !route.session_only; i++) credentials.push({ Authorization: `Bearer ${key}` });
      const sessions = route.template.endsWith('/sign-out') ? SESSIONS : turns;
      for (let i = 0; i < sessions && route.session_only; i++) {
        const { token } = await openSession(user_id);
        const signature = createHmac('sha256', TEST_OPTIONS.auth_secret).update(token).digest('base64url');
        credentials.push({ cookie: `lowrank.session=${token}.${signature}`, Origin: own_origin });
      }
    }
    for (const [name, [id = '']] of Object.entries(theirs)) pools[name] = [...(pools[name] ?? []), id];
    scene[`${route.method} ${route.template}`] = { credentials, pools };
  }
  return scene;
}
