import type { TestDatabase } from './database.ts';
import { addBaseModel, addJob } from './factories.ts';

/** One row of this person in every owned table: the scene of what proves that tenants are kept apart. */
export async function addTenantRows(db: TestDatabase, user_id: string): Promise<void> {
  const base_model_id = await addBaseModel(db, { created_by: user_id, hf_repo_id: `a/${user_id}`, size_bytes: 1 });
  const job = await addJob(db, user_id, { status: 'running', base_model_id });
  await addJob(db, user_id, { status: 'queued', base_model_id });
  const values = `'${job}', '${user_id}'`;
  const host = `host-${user_id}`;
  const statements = [
    `INSERT INTO lowrank.job_runs (job_id, user_id, attempt, epoch, worker_id, executor) VALUES (${values}, 1, 1, '${host}', 'process')`,
    `INSERT INTO lowrank.metrics_points (job_id, user_id, attempt, seq, step, timestamp) VALUES (${values}, 1, 1, 1, now())`,
    `INSERT INTO lowrank.model_artifacts (job_id, user_id, name, kind, storage_path, files, sha256, size) VALUES (${values}, 'a', 'adapter', 'x', '[]', 'x', 1)`,
    `INSERT INTO lowrank.dataset_images (dataset_id, user_id, n, file, width, height, bytes, repeats, is_class, sha256, thumbnail_offset, thumbnail_length)
     SELECT id, user_id, 1, 'a.jpg', 1, 1, 1, 1, false, 'x', 0, 1 FROM lowrank.datasets WHERE user_id = '${user_id}' LIMIT 1`,
    `INSERT INTO lowrank.sample_images (job_id, user_id, seq, attempt, bytes, sha256) VALUES (${values}, 2, 1, 1, 'x')`,
    `INSERT INTO lowrank.projects (user_id, name) VALUES ('${user_id}', 'p')`,
    `INSERT INTO lowrank.base_models (created_by, name, status, narrowed, project_id)
     SELECT user_id, 'n', 'ready', true, id FROM lowrank.projects WHERE user_id = '${user_id}'`,
    `INSERT INTO lowrank.recipes (user_id, name, method) VALUES ('${user_id}', 'r', 'lora')`,
    `INSERT INTO lowrank.experiments (user_id, name, recipe_id) VALUES ('${user_id}', 'e', gen_random_uuid())`,
    `INSERT INTO lowrank.activities (user_id, event_type, entity_type, entity_id, title, message)
     VALUES ('${user_id}', 'job_created', 'job', '${job}', 't', 'm')`,
    `INSERT INTO lowrank.cost_records (job_id, user_id, type, billing_period, unit_price, quantity, amount) VALUES (${values}, 'compute', '2026-03-01', 1, 1, 1)`,
    `INSERT INTO lowrank.run_observations (id, user_id, outcome, gpu, stack_version, method, formulas, feature_key, forecast, measured)
     VALUES (${values}, 'completed', 'L4', 's', 'lora', 1, 'k', '{}', '{}')`,
    `INSERT INTO lowrank.run_groups (gpu, stack_version, method, formulas, memory, time, turn) VALUES ('L4', '${user_id}', 'lora', 1, '{}', '{}', 1)`,
    `INSERT INTO lowrank.notifications (user_id, type, title, message) VALUES ('${user_id}', 'job_queued', 't', 'm')`,
    `INSERT INTO lowrank.transfers (user_id, kind, hf_repo_id, hf_requested_revision) VALUES ('${user_id}', 'dataset', 'a/b', 'main')`,
    `WITH w AS (INSERT INTO lowrank.webhooks (user_id, url) VALUES ('${user_id}', 'https://hooks.example.org') RETURNING id),
       s AS (INSERT INTO lowrank.webhook_secrets (user_id, webhook_id, sealed) SELECT '${user_id}', id, 'v1.x.y' FROM w)
     INSERT INTO lowrank.webhook_deliveries (user_id, webhook_id, event, payload) SELECT '${user_id}', id, 'job.queued', '{}' FROM w`,
    `INSERT INTO lowrank.idempotency_keys (user_id, route, key, request_hash, resource_id) VALUES ('${user_id}', 'POST /api/keys', 'k', 'h', 'r')`,
    `INSERT INTO lowrank.idempotency_keys (user_id, route, key, request_hash, resource_id) VALUES ('${user_id}', 'POST /api/jobs', 'k', 'h', 'r')`,
    `INSERT INTO lowrank.rate_limits (bucket, window_started_at, used) VALUES ('${user_id}', now(), 1)`,
    `INSERT INTO lowrank.workers (id, boot_id, pid, version) VALUES ('${host}', 'b', 1, '1')`,
    `WITH d AS (INSERT INTO lowrank.gpu_devices (worker_id, kind, uuid, name, memory_mb) VALUES ('${host}', 'cpu', 'cpu', 'CPU', 1) RETURNING id)
     INSERT INTO lowrank.gpu_leases (device_id, job_id, user_id, attempt) SELECT id, ${values}, 1 FROM d`,
    `INSERT INTO lowrank.gpu_reservations (worker_id, job_id, user_id, device_ids) VALUES ('${host}', ${values}, '{}')`,
    `INSERT INTO lowrank.gpu_catalog (type, hourly_rate, tokens_per_second) VALUES ('GPU-${user_id}', 1, 1)`,
    `INSERT INTO lowrank.training_images (created_by, name, reference) VALUES ('${user_id}', 'Image ${user_id}', 'trainer:1')`,
    `INSERT INTO identity.sessions (user_id, token, expires_at) VALUES ('${user_id}', '${user_id}', now())`,
    `INSERT INTO identity.accounts (user_id, account_id, provider_id) VALUES ('${user_id}', 'x', 'credential')`,
    `INSERT INTO identity.verifications (identifier, value, expires_at) VALUES ('x', 'x', now())`,
    `INSERT INTO identity.api_keys (user_id, name, prefix, hash, scopes) VALUES ('${user_id}', 'k', 'p', '${user_id}', '{read}')`,
    `INSERT INTO identity.invitations (email, token_hash, expires_at) VALUES ('e', '${user_id}', now())`,
  ];
  for (const statement of statements) await db.asOwner(statement);
}
