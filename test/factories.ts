/** Rows for tests, written as the owner with policies off: what a scene needs before the code under test speaks. */
import { createHash, randomUUID } from 'node:crypto';
import { sampleImageFile } from '#/domain/sample-images.ts';
import { imageFiles } from '#/services/datasets/dataset-row.ts';
import { storage } from '#/storage/connect-storage.ts';
import type { TestDatabase } from './database.ts';
import { smallPng } from './png.ts';

/** A person with an empty queue and the installation's number of slots. */
export async function addPerson(
  db: TestDatabase,
  fields: { role?: 'administrator' | 'user'; email?: string; is_subject?: boolean } = {},
): Promise<string> {
  const id = randomUUID();
  await db.asOwner('INSERT INTO identity.users (id, name, email, role, is_subject) VALUES ($1, $2, $3, $4, $5)', [
    id,
    'Test Person',
    fields.email ?? `${id}@example.test`,
    fields.role ?? 'user',
    fields.is_subject ?? false,
  ]);
  return id;
}

/** A dataset that is ready to train on. */
export async function addDataset(db: TestDatabase, user_id: string, fields: Record<string, unknown> = {}): Promise<string> {
  const row: Record<string, unknown> = {
    id: randomUUID(),
    user_id,
    name: 'Rows',
    file_name: 'rows.jsonl',
    file_size: 1000,
    checksum: 'a'.repeat(64),
    storage_path: `${user_id}/x`,
    status: 'ready',
    training_ready: true,
    format: 'chat',
    num_samples: 100,
    total_training_pairs: 95,
    total_validation_pairs: 5,
    ...fields,
  };
  await addRow(db, 'lowrank.datasets', row);
  return row.id as string;
}

/** The first image of a dataset with its thumbnail, four bytes that are none. */
export async function addPicture(
  db: TestDatabase,
  fields: { dataset_id: string; user_id: string; file: string; caption: string },
): Promise<void> {
  const shape = { n: 1, width: 640, height: 480, bytes: 1000, repeats: 1, is_class: false, sha256: 'b'.repeat(64) };
  const { thumbnails } = imageFiles('a'.repeat(64));
  async function* thumbnail(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('WEBP');
  }
  await storage().add(fields.user_id, fields.dataset_id, thumbnails, thumbnail(), 4);
  await addRow(db, 'lowrank.dataset_images', { ...fields, ...shape, thumbnail_offset: 0, thumbnail_length: 4 });
}

/** A picture that a job of theirs drew of a prompt, stored, as the job's next event; answers the event's number. */
export async function addDrawn(
  db: TestDatabase,
  job: { user_id: string; job_id: string; prompt: string; step?: number; attempt?: number },
  png = smallPng(3, 2),
): Promise<number> {
  const { user_id, job_id, prompt, step = 0, attempt = 1 } = job;
  const sha256 = createHash('sha256').update(png).digest('hex');
  const image = { path: 'samples/step-00000000-1.png', width: 3, height: 2, seed: 7, sha256, bytes: png.length };
  const [event] = await db.asOwner<{ seq: number }>(
    `INSERT INTO lowrank.job_events (job_id, user_id, seq, type, attempt, data)
     SELECT $1, $2, max(seq) + 1, 'sample', $3, $4 FROM lowrank.job_events WHERE job_id = $1 RETURNING seq`,
    [job_id, user_id, attempt, JSON.stringify({ step, prompt, image })],
  );
  const seq = event?.seq ?? 0;
  await db.asOwner('UPDATE lowrank.training_jobs SET event_seq = greatest(event_seq, $2) WHERE id = $1', [job_id, seq]);
  async function* file(): AsyncGenerator<Uint8Array> {
    yield png;
  }
  await storage().add(user_id, job_id, sampleImageFile(seq), file(), png.length);
  await addRow(db, 'lowrank.sample_images', { user_id, job_id, seq, attempt, status: 'kept', bytes: png.length, sha256 });
  return seq;
}

export async function addBaseModel(db: TestDatabase, fields: Record<string, unknown> = {}): Promise<string> {
  const row: Record<string, unknown> = {
    id: randomUUID(),
    name: 'tiny',
    status: 'ready',
    trainable: true,
    context_length: 512,
    params: 1_000_000,
    params_b: 0.001,
    architecture: 'LlamaForCausalLM',
    local_path: '/nowhere',
    has_chat_template: true,
    ...fields,
  };
  await addRow(db, 'lowrank.base_models', row);
  return row.id as string;
}

/** A training image, listed and not checked unless `fields` say so. */
export async function addImage(db: TestDatabase, fields: Record<string, unknown> = {}): Promise<string> {
  const row: Record<string, unknown> = { id: randomUUID(), reference: 'trainer:1', ...fields };
  await addRow(db, 'lowrank.training_images', { name: `Image ${row.id}`, ...row });
  return row.id as string;
}

/** The columns of an image whose check went well. */
export const READY_IMAGE = {
  status: 'ready',
  digest: `sha256:${'1'.repeat(64)}`,
  hello: {
    protocols: [1],
    trainer: 'ours 3',
    trains: [{ model_kind: 'causal-lm', methods: ['lora'], strategies: ['none'], devices_max: 1 }],
  },
  checked_at: new Date(0),
};

/** A job in any status; active ones get a slot, failed ones a code. */
export async function addJob(db: TestDatabase, user_id: string, fields: Record<string, unknown> = {}): Promise<string> {
  const status = (fields.status as string | undefined) ?? 'queued';
  const active = status === 'initializing' || status === 'running';
  const row: Record<string, unknown> = {
    id: randomUUID(),
    user_id,
    name: 'A run',
    type: 'lora',
    dataset_id: fields.dataset_id ?? (await addDataset(db, user_id)),
    base_model_id: fields.base_model_id ?? (await addBaseModel(db)),
    preset_id: 'fast',
    hyperparameters: { learning_rate: 1e-4, batch_size: 8, epochs: 1, rank: 8, alpha: 16, dropout: 0.05 },
    gpu_config: fields.gpu_config ?? { type: await ownType(db), count: 1 },
    config: {},
    total_epochs: 1,
    total_steps: 12,
    status,
    slot: active ? 1 : null,
    error_code: status === 'failed' ? 'internal' : null,
    ...fields,
  };
  await addRow(db, 'lowrank.training_jobs', row);
  return row.id as string;
}

/** What a submission is given that names no device. */
async function ownType(db: TestDatabase): Promise<string> {
  const [gpu] = await db.asOwner(`SELECT FROM lowrank.gpu_devices WHERE kind = 'gpu' LIMIT 1`);
  return gpu === undefined ? 'CPU' : 'Own-GPU';
}

/** Writes one row as it stands. */
export async function addRow(db: TestDatabase, table: string, row: Record<string, unknown>): Promise<void> {
  const columns = Object.keys(row);
  const values = columns.map((column) => {
    const value = row[column];
    return value !== null && typeof value === 'object' && !(value instanceof Date) ? JSON.stringify(value) : value;
  });
  await db.asOwner(
    `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map((_, at) => `$${at + 1}`).join(', ')})`,
    values,
  );
}
