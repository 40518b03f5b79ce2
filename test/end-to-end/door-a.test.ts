/** Door A from the request to the adapter: a real worker, a Hub on this machine, the stand-in trainer. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silenceJobBell } from '#/services/jobs/job-bell.ts';
import { connectStorage } from '#/storage/connect-storage.ts';
import { localFolder } from '#/storage/local-folder.ts';
import { addCaller, json, makeApi } from '../api.ts';
import { useDatabase } from '../database.ts';
import { addDataset } from '../factories.ts';
import { startHub, type TestHub } from '../hub.ts';
import { brokenInvariants } from '../invariants.ts';
import { tinyModelFiles } from '../model-folder.ts';
import { isOver, makeHost, untilJob, type WorkerHost } from '../worker-process.ts';

const db = useDatabase();
const api = makeApi();
let host: WorkerHost;
let hub: TestHub;
let caller: Awaited<ReturnType<typeof addCaller>>;
let dataset_id: string;
beforeAll(async () => {
  hub = await startHub({ 'acme/tiny': tinyModelFiles(), 'acme/gated': tinyModelFiles() }, ['acme/gated']);
  host = await makeHost(db);
  connectStorage(localFolder(join(host.data_dir, 'storage')));
  caller = await addCaller(db);
  dataset_id = await addDataset(db, caller.user_id, { format: 'prompt_completion' });
  const folder = join(host.data_dir, 'storage', caller.user_id, dataset_id);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'data'), '{"prompt":"a","completion":"b"}\n');
  await host.start({ HF_ENDPOINT: hub.url });
});
afterAll(async () => {
  await host?.end();
  hub?.close();
  await silenceJobBell();
});

async function submit(fields: Record<string, unknown>) {
  const body = { dataset_id, type: 'lora', config: { steps: 100 }, ...fields };
  const answer = await api.request('/api/training/submit', json(body, caller.headers));
  return (await answer.json()) as { job_id: string; status: string; message: string };
}
const look = async (id: string) => (await api.request(`/api/training/${id}`, { headers: caller.headers })).json();

describe('a training by the name of its model', () => {
  test('waits for the model, runs its steps and leaves an adapter; the next one runs at once', async () => {
    const first = await submit({ base_model: 'acme/tiny', trigger_words: ['fake:step_seconds=0.001'] });
    expect(first).toMatchObject({ status: 'queued', message: expect.stringContaining('acme/tiny is being fetched') });
    const job = await untilJob(db, first.job_id, isOver);
    expect(job).toMatchObject({ status: 'completed', current_step: 100, attempt: 1 });
    expect(await look(first.job_id)).toMatchObject({
      status: 'completed',
      progress: 100,
      artifact_id: expect.any(String),
      base_model: 'acme/tiny',
    });
    const config = JSON.parse(await readFile(join(host.data_dir, 'runs', first.job_id, '1/config.json'), 'utf8'));
    expect(config).toMatchObject({
      base_model: { id: 'acme/tiny', revision: hub.commit },
      training_params: { epochs: null, max_steps: 100, max_seq_length: 512, lora_dropout: 0 },
      trigger_words: ['fake:step_seconds=0.001'],
    });

    const second = await submit({ base_model: `acme/tiny@${hub.commit}`, trigger_words: ['fake:step_seconds=0.05'] });
    expect(second).toMatchObject({ status: 'running', message: expect.stringContaining('is running') });
    await api.request(`/api/jobs/${second.job_id}/cancel`, { method: 'POST', headers: caller.headers });
    await untilJob(db, second.job_id, isOver);
    expect(await brokenInvariants(db, [host.data_dir])).toEqual([]);
  });

  test.each([
    ['acme/gone', 'model_not_found'],
    ['acme/gated', 'gated_model'],
  ])('of %s fails as %s', async (base_model, code) => {
    const { job_id, status } = await submit({ base_model });
    expect(status).toBe('queued');
    expect(await untilJob(db, job_id, isOver)).toMatchObject({ status: 'failed', error_code: code, attempt: 0 });
    expect(await look(job_id)).toMatchObject({ status: 'failed', error: { code, hint: expect.stringMatching(/\.$/) } });
  });
});
