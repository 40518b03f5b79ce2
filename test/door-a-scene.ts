/** Door A from the request to the adapter: a real worker, a Hub on this machine, the stand-in trainer, whatever its runs live in. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { QueuedJob } from '#/contract/queue.ts';
import type { SubmittedTraining, Training } from '#/contract/training.ts';
import { silenceJobBell } from '#/services/jobs/job-bell.ts';
import { connectStorage } from '#/storage/connect-storage.ts';
import { localFolder } from '#/storage/local-folder.ts';
import { addCaller, json, useApi } from './api.ts';
import { type TestDatabase, useDatabase } from './database.ts';
import { addDataset } from './factories.ts';
import { startHub, type TestHub } from './hub.ts';
import type { Files } from './hub-writes.ts';
import { brokenInvariants } from './invariants.ts';
import { tinyModelFiles } from './model-folder.ts';
import { isOver, type JobRow, makeHost, readJob, untilJob, type WorkerHost, type WorkerProcess } from './worker-process.ts';

/** What the executor under the door is like. */
export interface DoorAExecutor {
  /** What makes a worker use it. */
  variables: Record<string, string>;
  /** The jobs that something runs for now, whoever looks after it. */
  alive(): Promise<string[]>;
  /** Looks at a run that lives. */
  inspect(job_id: string, house: DoorAHouse): Promise<void>;
}

export interface DoorAHouse {
  readonly db: TestDatabase;
  readonly host: WorkerHost;
  readonly hub: TestHub;
  readonly dataset_id: string;
  /** Asks the API as the dataset's owner; answers the body, whatever the status. */
  call<T>(path: string, init?: RequestInit): Promise<T>;
  /** A LoRA of 100 steps on `acme/tiny`, at a pace that its trigger words tell the stand-in. */
  submit(seconds_a_step: number, fields?: Record<string, unknown>): Promise<SubmittedTraining>;
  look(job_id: string): Promise<Training>;
  until(job_id: string, holds?: (job: JobRow) => boolean): Promise<JobRow>;
  configOf(job_id: string): Promise<Record<string, unknown>>;
  /** Kills the worker, and answers when that is done. */
  killWorker(): Promise<void>;
  startWorker(): Promise<void>;
}

const STEPS = 100;

/** Registers hooks that make the house of a file's tests and clear it away; `models` is what its Hub has besides. */
export function setDoorA(
  { variables }: Pick<DoorAExecutor, 'variables'>,
  models: () => Promise<Record<string, Files>> = async () => ({}),
): DoorAHouse {
  const db = useDatabase();
  const api = useApi();
  let made: { host: WorkerHost; hub: TestHub; dataset_id: string; headers: { authorization: string } };
  let worker: WorkerProcess;

  beforeAll(async () => {
    const tiny = { 'acme/tiny': tinyModelFiles(), 'acme/gated': tinyModelFiles() };
    const hub = await startHub({ ...tiny, ...(await models()) }, ['acme/gated']);
    const host = await makeHost(db);
    connectStorage(localFolder(join(host.data_dir, 'storage')));
    const { user_id, headers } = await addCaller(db);
    const dataset_id = await addDataset(db, user_id, { format: 'prompt_completion' });
    made = { host, hub, dataset_id, headers };
    const folder = join(host.data_dir, 'storage', user_id, dataset_id);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'data'), '{"prompt":"a","completion":"b"}\n');
    await house.startWorker();
  });
  afterAll(async () => {
    await made?.host.end();
    made?.hub.close();
    await silenceJobBell();
  });

  const house: DoorAHouse = {
    db,
    get host() {
      return made.host;
    },
    get hub() {
      return made.hub;
    },
    get dataset_id() {
      return made.dataset_id;
    },
    async call<T>(path: string, init: RequestInit = {}): Promise<T> {
      const headers = { ...made.headers, ...(init.headers as Record<string, string>) };
      return (await (await api.request(path, { ...init, headers })).json()) as T;
    },
    submit(seconds_a_step, fields = {}) {
      const trigger_words = [`fake:step_seconds=${seconds_a_step}`];
      const body = {
        dataset_id: made.dataset_id,
        type: 'lora',
        base_model: 'acme/tiny',
        config: { steps: STEPS },
        trigger_words,
      };
      return house.call('/api/training/submit', json({ ...body, ...fields }));
    },
    look: (job_id) => house.call(`/api/training/${job_id}`),
    until: (job_id, holds = isOver) => untilJob(db, job_id, holds),
    configOf: async (job_id) => JSON.parse(await readFile(join(made.host.data_dir, 'runs', job_id, '1/config.json'), 'utf8')),
    async killWorker() {
      worker.child.kill('SIGKILL');
      await worker.gone;
    },
    async startWorker() {
      worker = await made.host.start({ HF_ENDPOINT: made.hub.url, LOWRANK_CPU_SLOTS: '2', ...variables });
    },
  };
  return house;
}

/** Registers what a submission at door A comes to, over any executor. */
export function doorAWalks(house: DoorAHouse, { alive, inspect }: DoorAExecutor): void {
  const living = async (of: string[]) => (await alive()).filter((id) => of.includes(id)).sort();

  describe('a training by the name of its model', () => {
    test('waits for the model, runs its steps and leaves an adapter', async () => {
      const asked = await house.submit(0.001);
      expect(asked).toMatchObject({ status: 'queued', message: expect.stringContaining('acme/tiny is being fetched') });
      expect(await house.until(asked.job_id)).toMatchObject({ status: 'completed', current_step: STEPS, attempt: 1 });
      expect(await house.look(asked.job_id)).toMatchObject({
        status: 'completed',
        progress: 100,
        artifact_id: expect.any(String),
        base_model: 'acme/tiny',
      });
      expect(await house.configOf(asked.job_id)).toMatchObject({
        base_model: { id: 'acme/tiny', revision: house.hub.commit },
        training_params: { epochs: null, max_steps: STEPS, max_seq_length: 512, lora_dropout: 0 },
        trigger_words: ['fake:step_seconds=0.001'],
      });
    });

    test('runs beside one other; a third waits, says why, and starts by itself, though their worker is killed', async () => {
      const base_model = `acme/tiny@${house.hub.commit}`;
      const ends = await house.submit(0.08, { base_model });
      const cancelled = await house.submit(0.5, { base_model });
      const third = await house.submit(0.001, { base_model });
      const running = { status: 'running', message: expect.stringContaining('is running') };
      expect([ends, cancelled]).toMatchObject([running, running]);
      expect(third).toMatchObject({ status: 'queued', message: expect.stringContaining('it starts by itself') });
      expect(await house.look(third.job_id)).toMatchObject({ status: 'queued', progress: 0, started_at: null });
      const { queue } = await house.call<{ queue: QueuedJob[] }>('/api/queue');
      expect(queue).toMatchObject([{ job_id: third.job_id, position: 1, reason: 'active_limit' }]);
      const ids = [ends.job_id, cancelled.job_id, third.job_id];
      expect(await living(ids)).toEqual([ends.job_id, cancelled.job_id].sort());
      await inspect(ends.job_id, house);

      await house.killWorker();
      expect(await living(ids)).toContain(cancelled.job_id);
      const { current_step } = await readJob(house.db, cancelled.job_id);
      await house.startWorker();
      await house.until(cancelled.job_id, (job) => job.current_step > current_step);
      await house.call(`/api/jobs/${cancelled.job_id}/cancel`, { method: 'POST' });
      expect(await house.until(cancelled.job_id)).toMatchObject({ status: 'cancelled', attempt: 1 });
      for (const { job_id } of [third, ends])
        expect(await house.until(job_id)).toMatchObject({ status: 'completed', attempt: 1, current_step: STEPS });
      await expect.poll(() => living(ids), { timeout: 20_000 }).toEqual([]);
      await expect.poll(() => brokenInvariants(house.db, [house.host.data_dir]), { timeout: 10_000 }).toEqual([]);
    });
  });
}
