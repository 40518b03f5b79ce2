import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { ensureServer } from '#/db/embedded/ensure-server.ts';
import { loginUrl, makePasswords, migrate } from '#/db/migrate.ts';
import { connectDatabase, disconnectDatabase, LOGINS, type Login } from '#/db/pools.ts';

export interface BenchDatabase {
  logins: Record<Login, string>;
  /** The superuser's address: for what is compared with the product. */
  superuser_url: string;
  /** The postmaster. */
  pid: number;
  /** Runs one statement behind all policies. */
  run(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

/** A real database of its own, with fsync on: what is measured is what a user gets. */
export async function openBenchDatabase(connections_max = 20): Promise<BenchDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'lowrank-bench-'));
  const server = await ensureServer({ data_dir: folder, outlives_us: false, log: () => undefined });
  const passwords = makePasswords();
  await migrate(server.url, passwords);
  const logins = Object.fromEntries(LOGINS.map((login) => [login, loginUrl(server.url, login, passwords)])) as Record<
    Login,
    string
  >;
  connectDatabase(logins, { connections_max });
  const client = new pg.Client({ connectionString: server.superuser_url });
  await client.connect();
  return {
    logins,
    superuser_url: server.superuser_url,
    pid: server.pid,
    run: async (text, values = []) => (await client.query<Record<string, unknown>>(text, values)).rows,
    async close() {
      await disconnectDatabase();
      await client.end();
      await server.stop('immediate');
      await rm(server.home, { recursive: true, force: true });
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** People `from`…`to`, numbered, each with a dataset that is ready; one base model for all. */
export async function seedPeople(database: BenchDatabase, people: number): Promise<void> {
  await database.run(
    `INSERT INTO identity.users (id, name, email) SELECT bench_id(1, i), 'Person', i || '@example.test' FROM generate_series(1, $1::int) i`,
    [people],
  );
  await database.run(
    `INSERT INTO lowrank.datasets (id, user_id, name, file_name, file_size, checksum, storage_path, status, training_ready, format, total_training_pairs, total_validation_pairs)
     SELECT bench_id(2, i), bench_id(1, i), 'Rows', 'rows.jsonl', 1000, repeat('a', 64), 'x', 'ready', true, 'chat', 950, 50 FROM generate_series(1, $1::int) i`,
    [people],
  );
  await database.run(
    `INSERT INTO lowrank.base_models (id, name, status, trainable, context_length) VALUES (bench_id(3, 1), 'tiny', 'ready', true, 512)`,
  );
}

/** A function that makes readable, stable ids: kind and number. */
export async function addIds(database: BenchDatabase): Promise<void> {
  await database.run(`CREATE FUNCTION public.bench_id(kind int, n int) RETURNS uuid LANGUAGE sql IMMUTABLE AS
    $$ SELECT (lpad(to_hex(kind), 8, '0') || '-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$`);
}

/** The same in TypeScript. */
export function benchId(kind: number, n: number): string {
  return `${kind.toString(16).padStart(8, '0')}-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
}

/** Queued jobs of some people, `jobs` each, submitted a second apart: rows as the triggers would have left them, without their cost a row. */
export async function seedJobs(database: BenchDatabase, first_person: number, last_person: number, jobs: number): Promise<void> {
  const people = [first_person, last_person];
  await database.run('BEGIN');
  await database.run('SET LOCAL session_replication_role = replica');
  await database.run(
    `WITH made AS (
       INSERT INTO lowrank.training_jobs (user_id, name, type, dataset_id, base_model_id, preset_id, hyperparameters, gpu_config, config, total_epochs, total_steps, created_at)
       SELECT bench_id(1, p), 'Run ' || i, 'lora', bench_id(2, p), bench_id(3, 1), 'fast', '{}', '{"type": "Own-GPU", "count": 1}', '{}', 1, 100, now() - i * interval '1 second'
       FROM generate_series($1::int, $2::int) p, generate_series(1, $3::int) i RETURNING id, user_id)
     INSERT INTO lowrank.job_events (job_id, user_id, seq, type, to_status, attempt) SELECT id, user_id, 1, 'state', 'queued', 0 FROM made`,
    [...people, jobs],
  );
  await database.run(
    'UPDATE lowrank.user_queues q SET queued = queued + $3, waiting = waiting + $3 FROM generate_series($1::int, $2::int) p WHERE q.user_id = bench_id(1, p)',
    [...people, jobs],
  );
  await database.run('COMMIT');
}
