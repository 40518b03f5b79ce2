import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TrainingJob } from '#/contract/jobs.ts';
import { ProbeFigures } from '#/domain/probe-figures.ts';
import { silenceJobBell } from '#/services/jobs/job-bell.ts';
import { attemptFolder, logFile } from '#/storage/run-folder.ts';
import { addCaller, noWaiting, useApi } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import { addBaseModel, addDataset, addJob } from '../../test/factories.ts';
import { someForecast } from '../../test/foretold.ts';
import { storedShapeOf } from '../../test/stored-shape.ts';

const db = useDatabase();
const api = useApi();
const NO_ID = '00000000-0000-4000-8000-000000000000';
let owner: Awaited<ReturnType<typeof addCaller>>;
let stranger: Awaited<ReturnType<typeof addCaller>>;
let dataset_id: string;
let base_model_id: string;
beforeAll(async () => {
  owner = await addCaller(db);
  stranger = await addCaller(db);
  dataset_id = await addDataset(db, owner.user_id, { name: 'Letters', file_name: 'letters.jsonl', total_training_pairs: 77 });
  base_model_id = await addBaseModel(db, { name: 'acme/tiny' });
});
beforeEach(() => noWaiting(db));
afterAll(silenceJobBell);

const aJob = (fields: Record<string, unknown> = {}) => addJob(db, owner.user_id, { dataset_id, base_model_id, ...fields });
const get = (path: string, headers: Record<string, string> = owner.headers) => api.request(path, { headers });
const codeOf = async (answer: Response) => [answer.status, (await answer.json()).code];
const dataOf = async <T = TrainingJob>(answer: Response, status = 200): Promise<T> => {
  const told = await answer.json();
  expect([answer.status, told.success]).toEqual([status, true]);
  return told.data;
};
interface Listed {
  jobs: TrainingJob[];
  pagination: { page: number; limit: number; total: number; totalPages: number };
}
const list = async (query = '', headers = owner.headers) => dataOf<Listed>(await get(`/api/jobs${query}`, headers));

describe('the list of jobs', () => {
  let ids: string[];
  beforeAll(async () => {
    ids = [];
    for (const [at, status] of (['completed', 'queued', 'failed', 'queued', 'cancelled'] as const).entries())
      ids.push(await aJob({ status, created_at: new Date(Date.UTC(2026, 0, 1 + at)) }));
  });
  afterAll(() => db.asOwner('DELETE FROM lowrank.training_jobs'));

  test('is newest first, page by page, and counts the pages', async () => {
    const first = await list('?limit=2');
    expect(first.jobs.map((job) => job.id)).toEqual([ids[4], ids[3]]);
    expect(first.pagination).toEqual({
      page: 1,
      limit: 2,
      total: 5,
      total_is_estimate: false,
      totalPages: 3,
      next_cursor: ids[3],
    });
    const last = await list('?limit=2&page=3');
    expect(last.jobs.map((job) => job.id)).toEqual([ids[0]]);
    expect(last.pagination).toMatchObject({ page: 3, limit: 2, total: 5, totalPages: 3, next_cursor: null });
    expect((await list('?limit=2&page=4')).jobs).toEqual([]);
    expect((await list()).pagination).toMatchObject({ page: 1, limit: 50, total: 5, totalPages: 1 });
  });

  test('has each job with its dataset and base model joined in', async () => {
    const { jobs } = await list();
    for (const job of jobs) {
      expect(job.dataset).toEqual({ id: dataset_id, name: 'Letters', file_name: 'letters.jsonl', total_training_pairs: 77 });
      expect(job.base_model).toMatchObject({ id: base_model_id, name: 'acme/tiny' });
    }
  });

  test('of one status has those alone, counted alone', async () => {
    const queued = await list('?status=queued&limit=1');
    expect(queued.jobs.map((job) => [job.id, job.status])).toEqual([[ids[3], 'queued']]);
    expect(queued.pagination).toMatchObject({ page: 1, limit: 1, total: 2, totalPages: 2 });
    expect((await list('?status=running')).pagination).toMatchObject({ page: 1, limit: 50, total: 0, totalPages: 0 });
  });

  test('leaves out a deleted job, and is empty for a stranger', async () => {
    const gone = await aJob({ deleted_at: new Date() });
    expect((await list()).jobs.map((job) => job.id)).not.toContain(gone);
    expect((await list('', stranger.headers)).pagination.total).toBe(0);
  });

  test.each(['status=lost', 'limit=0', 'limit=501', 'page=0', 'page=x', 'sort=name'])('refuses ?%s by name', async (query) => {
    const answer = await get(`/api/jobs?${query}`);
    const told = await answer.json();
    expect([answer.status, told.violations.map((row: { path: string }) => row.path)]).toEqual([400, [query.split('=')[0]]]);
  });
});

describe('what was foretold of a job', () => {
  test('is told with it, its features aside; null where nothing was', async () => {
    const { features: _, ...told } = someForecast();
    const foretold = await aJob({ config: { forecast: someForecast() } });
    expect((await dataOf(await get(`/api/jobs/${foretold}`))).forecast).toEqual(told);
    expect((await dataOf(await get(`/api/jobs/${await aJob()}`))).forecast).toBeNull();
  });
});

describe('a submission of a model whose shape is known', () => {
  const knownModel = (name: string) =>
    addBaseModel(db, { shape: JSON.stringify(storedShapeOf(name)), context_length: 8192, name });
  const submit = (model_id: string, fields: object = {}) =>
    api.post('/api/jobs', { dataset_id, base_model_id: model_id, preset_id: 'fast', ...fields }, owner.headers);

  test('keeps its forecast and the passes that fit, and the batch that was asked for', async () => {
    const gpu_config = { type: 'L40S', count: 1 };
    const job = await dataOf(await submit(await knownModel('Llama-3.1-8B'), { gpu_config, max_seq_length: 1024 }), 201);
    expect(job.forecast).toMatchObject({ gpu: 'L40S', device_bytes: { runs: 0 }, cost: { figure: job.estimated_total_cost } });
    const [stored] = await db.asOwner<{ config: { plan: Record<string, number>; forecast: unknown } }>(
      'SELECT config FROM lowrank.training_jobs WHERE id = $1',
      [job.id],
    );
    const { micro_batch = 0, grad_accum = 0, gradient_checkpointing, max_seq_length } = stored?.config.plan ?? {};
    expect(micro_batch * grad_accum).toBe(8);
    expect(micro_batch < 8 || gradient_checkpointing).toBe(true);
    expect(max_seq_length).toBe(1024);
    expect(job.total_steps).toBe(10);
    expect(job.hyperparameters.batch_size).toBe(8);
  });

  test('that fits in no way is refused with what would make it fit; its first steps alone are tried', async () => {
    const large = await knownModel('Llama-3.1-70B');
    const gpu_config = { type: 'A100-80GB', count: 1 };
    const answer = await submit(large, { gpu_config });
    const told = await answer.json();
    expect([answer.status, told.code]).toEqual([422, 'not_trainable']);
    expect(told.error).toMatch(
      /^This training does not fit: .* on each A100-80GB, which has 85\.0 GB\. .*GB more to fill.* probe_only: true tries/,
    );
    expect(told.violations).toEqual([{ path: 'gpu_config', code: 'will_not_fit', message: told.error }]);
    expect((await submit(large, { gpu_config, probe_only: true })).status).toBe(201);
    expect((await submit(large, { gpu_config: { type: 'MI300X', count: 1 } })).status).toBe(201);
  });

  test('of more steps than a run can have is refused by name, and taken with max_steps', async () => {
    const planted = await addDataset(db, owner.user_id, { total_training_pairs: 2_000_000_000 });
    const endless = { dataset_id: planted, preset_id: 'custom', hyperparameters: { batch_size: 1, epochs: 3 } };
    const known = await knownModel('Llama-3.2-1B');
    const answer = await submit(known, endless);
    const told = await answer.json();
    expect([answer.status, told.code, told.violations?.[0]?.path]).toEqual([422, 'not_trainable', 'max_steps']);
    expect((await submit(known, { ...endless, max_steps: 100 })).status).toBe(201);
  });
});

describe('what the first steps of a job measured', () => {
  test('is told with it in the words of either door; null before', async () => {
    const samples = await readFile(new URL('../../trainer/schema/samples/events.jsonl', import.meta.url), 'utf8');
    const probe = samples.split('\n').find((line) => line.includes('"probe"')) ?? '';
    const measured = ProbeFigures.parse({ attempt: 1, ...JSON.parse(probe) });
    const id = await aJob({ measured });
    expect((await dataOf(await get(`/api/jobs/${id}`))).measured).toEqual(measured);
    expect((await (await get(`/api/jobs/${id}?view=wizard`)).json()).measured).toEqual(measured);
    expect((await dataOf(await get(`/api/jobs/${await aJob()}`))).measured).toBeNull();
  });
});

describe('cancelling a job', () => {
  const cancel = (id: string, headers = owner.headers) => api.post(`/api/jobs/${id}/cancel`, {}, headers);

  test('that waits is over at once, and again gets the same answer', async () => {
    const id = await aJob();
    const cancelled = await dataOf(await cancel(id));
    expect(cancelled).toMatchObject({ id, status: 'cancelled', completed_at: expect.any(String) });
    expect(await dataOf(await cancel(id))).toEqual(cancelled);
  });

  test('that runs notes the wish once; it runs until its whole tree is gone', async () => {
    const id = await aJob({ status: 'running', attempt: 1 });
    const wished = await dataOf(await cancel(id));
    expect(wished).toMatchObject({ id, status: 'running', cancel_requested_at: expect.any(String) });
    expect((await dataOf(await cancel(id))).cancel_requested_at).toBe(wished.cancel_requested_at);
  });

  test('that has ended is a conflict; a stranger’s is not found and untouched', async () => {
    expect(await codeOf(await cancel(await aJob({ status: 'completed' })))).toEqual([409, 'job_already_final']);
    const id = await aJob();
    expect(await codeOf(await cancel(id, stranger.headers))).toEqual([404, 'not_found']);
    expect(await codeOf(await cancel(NO_ID))).toEqual([404, 'not_found']);
    expect((await dataOf(await get(`/api/jobs/${id}`))).status).toBe('queued');
  });
});

describe('trying a job again', () => {
  const retry = (id: string, headers: Record<string, string> = {}) =>
    api.request(`/api/jobs/${id}/retry`, { method: 'POST', headers: { ...owner.headers, ...headers } });
  /** A job as door B makes it, ended. */
  const ended = async (): Promise<string> => {
    const asked = { dataset_id, base_model_id, preset_id: 'fast', hyperparameters: { epochs: 2 }, max_steps: 9, priority: 4 };
    const { id } = await dataOf(await api.post('/api/jobs', asked, owner.headers), 201);
    await dataOf(await api.post(`/api/jobs/${id}/cancel`, {}, owner.headers));
    return id;
  };

  test('makes a new job of the same spec that remembers its origin; the old one stays as it ended', async () => {
    const id = await ended();
    const before = await dataOf(await get(`/api/jobs/${id}`));
    const again = await dataOf(await retry(id), 201);
    expect(again.id).not.toBe(id);
    expect(again).toMatchObject({ status: 'queued', retried_from: id, attempt: 0, retry_count: 0, progress: 0 });
    for (const same of [
      'name',
      'dataset_id',
      'base_model_id',
      'preset_id',
      'hyperparameters',
      'total_steps',
      'priority',
    ] as const)
      expect([same, again[same]]).toEqual([same, before[same]]);
    expect(await dataOf(await get(`/api/jobs/${id}`))).toEqual(before);
  });

  test('with one Idempotency-Key makes one job', async () => {
    const id = await ended();
    const first = await retry(id, { 'idempotency-key': 'again' });
    const second = await retry(id, { 'idempotency-key': 'again' });
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    expect((await dataOf(second, 201)).id).toBe((await dataOf(first, 201)).id);
  });

  test('is refused while it has not ended, and to a stranger', async () => {
    expect(await codeOf(await retry(await aJob()))).toEqual([409, 'job_not_final']);
    expect(await codeOf(await retry(await ended(), stranger.headers))).toEqual([404, 'not_found']);
  });
});

describe('the log of a job', () => {
  beforeEach(() => db.asOwner('DELETE FROM lowrank.training_jobs'));
  interface Chunk {
    attempt: number;
    text: string;
    next: number;
    size: number;
  }
  const read = async (id: string, query = '') => dataOf<Chunk>(await get(`/api/jobs/${id}/logs${query}`));
  /** A job whose attempts printed these texts. */
  async function printed(status: string, ...texts: string[]): Promise<string> {
    const id = await aJob({ status, attempt: texts.length });
    for (const [at, text] of texts.entries()) {
      await mkdir(attemptFolder(id, at + 1), { recursive: true });
      await writeFile(logFile(id, at + 1), text);
    }
    return id;
  }

  test('is read on from the byte where the last answer ended, whole lines alone while the run goes on', async () => {
    const id = await printed('running', 'thrée\ntwo\nhalf a li');
    const first = await read(id);
    expect(first).toEqual({ attempt: 1, text: 'thrée\ntwo\n', next: 11, size: 20 });
    expect(await read(id, `?after=${first.next}`)).toEqual({ attempt: 1, text: '', next: 11, size: 20 });
    await appendFile(logFile(id, 1), 'ne\n');
    expect(await read(id, '?after=11')).toEqual({ attempt: 1, text: 'half a line\n', next: 23, size: 23 });
  });

  test('of what is over has its unfinished last line, too: the job, or an attempt before the last', async () => {
    expect(await read(await printed('failed', 'one\nkilled he'))).toMatchObject({ text: 'one\nkilled he', next: 13 });
    const resumed = await printed('running', 'one\nkilled he', 'second\nhal');
    expect(await read(resumed, '?attempt=1')).toMatchObject({ attempt: 1, text: 'one\nkilled he', next: 13 });
    expect(await read(resumed)).toMatchObject({ attempt: 2, text: 'second\n', next: 7 });
    expect(await read(resumed, '?attempt=2')).toMatchObject({ attempt: 2, text: 'second\n' });
  });

  test('past its end is empty and names the end; one that is not there yet is empty', async () => {
    const id = await printed('running', 'one\n');
    expect(await read(id, '?after=999999')).toEqual({ attempt: 1, text: '', next: 4, size: 4 });
    expect(await read(await aJob())).toEqual({ attempt: 1, text: '', next: 0, size: 0 });
  });

  test('comes in pieces of at most 256 KB that make the whole', async () => {
    const whole = Array.from({ length: 40_000 }, (_, at) => `line ${at}\n`).join('');
    const id = await printed('completed', whole);
    let text = '';
    for (let after = 0; after < whole.length; ) {
      const chunk = await read(id, `?after=${after}`);
      expect(chunk.text.length).toBeLessThanOrEqual(256 * 1024);
      expect(chunk.text.endsWith('\n')).toBe(true);
      text += chunk.text;
      after = chunk.next;
    }
    expect(text).toBe(whole);
  });

  test('of an attempt that was not, and to a stranger, is not found', async () => {
    const id = await printed('completed', 'secret\n');
    expect(await codeOf(await get(`/api/jobs/${id}/logs?attempt=2`))).toEqual([404, 'not_found']);
    expect(await read(id.toUpperCase()), 'by its id in capitals').toEqual(await read(id));
    const refused = await get(`/api/jobs/${id}/logs`, stranger.headers);
    const told = await refused.text();
    expect([refused.status, JSON.parse(told).code, told.includes('secret')]).toEqual([404, 'not_found', false]);
  });

  test.each(['after=-1', 'after=1.5', 'attempt=0', 'from=3'])('refuses ?%s by name', async (query) => {
    const answer = await get(`/api/jobs/${await aJob()}/logs?${query}`);
    expect([answer.status, (await answer.json()).violations[0].path]).toEqual([400, query.split('=')[0]]);
  });
});
