/** A real worker process on a data directory of its own, trainings for it with the stand-in trainer, and looks at what became of them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { planTraining } from '#/domain/planner.ts';
import { NO_WISHES } from '#/domain/training-spec.ts';
import { env } from '#/env.ts';
import { findMarked, signalProcess } from '#/worker/process-identity.ts';
import type { TestDatabase } from './database.ts';
import { addBaseModel, addDataset, addJob, addPerson } from './factories.ts';

/** Promised times are divided by this in the fault tests. */
export const DIVISOR = 20;

/** What the stand-in trainer is told; see trainer/fake_trainer.py. */
export interface Behaviour {
  behave?: string;
  /** Asked for at the submission. */
  probe_only?: boolean;
  steps?: number;
  step_seconds?: number;
  save_seconds?: number;
  flood_mb?: number;
  /** What `oom_host` takes at most. */
  memory_mb?: number;
  /** How far off its wall clock is. */
  clock_seconds?: number;
  /** Steps between two checkpoints, 5 unless said; part of the plan, not of the behaviour. */
  checkpoint_interval?: number;
}

export interface JobRow {
  id: string;
  status: string;
  current_stage: string | null;
  attempt: number;
  epoch: number;
  retry_count: number;
  error_code: string | null;
  error_message: string | null;
  error_hint: string | null;
  error_stack: string | null;
  current_step: number;
  progress: number;
  contact_lost_at: Date | null;
  artifact_id: string | null;
  current_cost: string;
  final_cost: string | null;
}

export interface WorkerProcess {
  child: ChildProcess;
  pid: number;
  /** Resolves when it watches. */
  ready: Promise<void>;
  /** Resolves with its exit code or signal. */
  gone: Promise<number | string>;
  /** The last lines that it logged. */
  words(): string;
}

export interface WorkerHost {
  data_dir: string;
  /** How this process reaches the data directory; another path where the worker has mounts of its own. */
  seen_at: string;
  /** Starts a worker here and waits until it watches. `through` is a command that ends by becoming the one behind it. */
  start(variables?: Record<string, string>, through?: string[]): Promise<WorkerProcess>;
  /** Starts one without waiting. */
  launch(variables?: Record<string, string>, through?: string[]): WorkerProcess;
  /** Ends every worker and everything that carries the marker of one of this host's jobs, and removes the folder. */
  end(): Promise<void>;
}

/** A host for workers: a fresh data directory. */
export async function makeHost(db: TestDatabase): Promise<WorkerHost> {
  const data_dir = await mkdtemp(join(tmpdir(), 'lowrank-host-'));
  const started: WorkerProcess[] = [];
  const launch = (variables: Record<string, string> = {}, through: string[] = []): WorkerProcess => {
    const [program = '', ...args] = [...through, process.execPath, join(env.repo, 'src/worker.ts')];
    const child = spawn(program, args, {
      cwd: env.repo,
      env: {
        ...process.env,
        LOWRANK_DATA_DIR: data_dir,
        LOWRANK_SCHEDULER_URL: db.loginUrl('scheduler'),
        LOWRANK_DELIVERY_URL: db.loginUrl('delivery'),
        LOWRANK_TRAINER: join(env.repo, 'trainer/fake_trainer.py'),
        LOWRANK_TIME_DIVISOR: String(DIVISOR),
        LOWRANK_DISK_RESERVE_GB: '0.001',
        LOWRANK_FAILPOINTS: '',
        LOG_LEVEL: 'info',
        NODE_COMPILE_CACHE: join(tmpdir(), 'lowrank-test-compile-cache'),
        ...variables,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let words = '';
    const ready = Promise.withResolvers<void>();
    child.stdout.on('data', (chunk: Buffer) => {
      if (chunk.includes('"ready":true')) ready.resolve();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      words = (words + chunk.toString('utf8')).slice(-20_000);
    });
    const gone = new Promise<number | string>((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code ?? -1)));
    void gone.then((how) => ready.reject(new Error(`the worker ended with ${how}:\n${words}`)));
    ready.promise.catch(() => undefined);
    const worker = { child, pid: child.pid ?? 0, ready: ready.promise, gone, words: () => words };
    started.push(worker);
    return worker;
  };
  return {
    data_dir,
    seen_at: data_dir,
    launch,
    async start(variables, through) {
      const worker = launch(variables, through);
      await worker.ready;
      return worker;
    },
    async end() {
      for (const worker of started) {
        worker.child.kill('SIGCONT');
        worker.child.kill('SIGKILL');
        await worker.gone;
      }
      while ((await killMarked(data_dir)) > 0) await pause(10);
      await rm(data_dir, { recursive: true, force: true });
    },
  };
}

/** Kills what carries the marker of a job with a folder on this host; answers how many there were. */
async function killMarked(data_dir: string): Promise<number> {
  let killed = 0;
  for (const [marker, identities] of await findMarked()) {
    if (!existsSync(join(data_dir, 'runs', marker.split(':')[0] ?? ''))) continue;
    for (const identity of identities) await signalProcess(identity, 'SIGKILL');
    killed += identities.length;
  }
  return killed;
}

/** Removes every person, job and worker, so that a test sees its own alone. */
export async function forgetEverything(db: TestDatabase): Promise<void> {
  await db.asOwner('DELETE FROM identity.users');
  await db.asOwner('DELETE FROM lowrank.workers');
}

export interface Owner {
  user_id: string;
  dataset_id: string;
  base_model_id: string;
}

/** A person with a dataset and a base model whose files lie on this host. */
export async function addOwner(db: TestDatabase, host: WorkerHost): Promise<Owner> {
  const user_id = await addPerson(db);
  const dataset_id = await addDataset(db, user_id, { format: 'prompt_completion' });
  await mkdir(join(host.data_dir, 'storage', user_id, dataset_id), { recursive: true });
  await writeFile(join(host.data_dir, 'storage', user_id, dataset_id, 'data'), '{"prompt":"a","completion":"b"}\n');
  const model = join(host.data_dir, 'model');
  await mkdir(model, { recursive: true });
  await writeFile(join(model, 'config.json'), '{}');
  return { user_id, dataset_id, base_model_id: await addBaseModel(db, { local_path: model }) };
}

/** Queues a training whose attempts behave as told, the last one for all that follow. */
export async function addTraining(
  db: TestDatabase,
  host: WorkerHost,
  owner: Owner,
  behaviours: Behaviour[] = [{}],
  fields: Record<string, unknown> = {},
): Promise<string> {
  const id = randomUUID();
  const hyperparameters = { learning_rate: 1e-4, batch_size: 8, epochs: 1, rank: 8, alpha: 16, dropout: 0.05 };
  const spec = {
    hyperparameters,
    max_steps: behaviours[0]?.steps ?? 12,
    seed: 7,
    run: NO_WISHES,
    probe_only: behaviours[0]?.probe_only,
  };
  const plan = planTraining(
    { ...spec, hyperparameters } as Parameters<typeof planTraining>[0],
    { training_pairs: 95, validation_pairs: 5 },
    { context_length: 512 },
  );
  await addJob(db, owner.user_id, {
    id,
    dataset_id: owner.dataset_id,
    base_model_id: owner.base_model_id,
    total_steps: spec.max_steps,
    config: {
      spec,
      plan: { ...plan, checkpoint_interval: behaviours[0]?.checkpoint_interval ?? 5 },
      dataset: { format: 'prompt_completion', mapping: {}, invalid_rows: 'refuse', file_name: 'rows.jsonl' },
      base_model: { name: 'tiny', hf_repo_id: null, revision: null },
    },
    // Not to be claimed before its files lie there; a folder before its row would be taken for a deleted job's.
    held_at: new Date(),
    ...fields,
  });
  for (let attempt = 1; attempt <= 6; attempt++) {
    const folder = join(host.seen_at, 'runs', id, String(attempt));
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(join(folder, 'behave.json'), JSON.stringify(behaviours[attempt - 1] ?? behaviours.at(-1) ?? {}));
  }
  if (fields.held_at === undefined) await db.asOwner('UPDATE lowrank.training_jobs SET held_at = NULL WHERE id = $1', [id]);
  return id;
}

export async function readJob(db: TestDatabase, id: string): Promise<JobRow> {
  const [row] = await db.asOwner<JobRow & { [key: string]: unknown }>('SELECT * FROM lowrank.training_jobs WHERE id = $1', [id]);
  if (row === undefined) throw new Error(`job ${id} is gone`);
  return row;
}

/** Waits until something holds of the job's row; fails with what it is instead. A wait, not a promise: busy machines take long. */
export async function untilJob(
  db: TestDatabase,
  id: string,
  holds: (job: JobRow) => boolean,
  within_ms = 60_000,
): Promise<JobRow> {
  const until = performance.now() + within_ms;
  for (;;) {
    const job = await readJob(db, id);
    if (holds(job)) return job;
    if (performance.now() > until) {
      throw new Error(
        `not within ${within_ms} ms: ${JSON.stringify(job, ['status', 'current_stage', 'attempt', 'current_step', 'error_code', 'error_message', 'contact_lost_at'])}`,
      );
    }
    await pause(10);
  }
}

export const isOver = (job: JobRow) => ['completed', 'failed', 'cancelled'].includes(job.status);
