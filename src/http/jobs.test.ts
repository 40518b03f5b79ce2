import { randomUUID } from 'node:crypto';
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { TrainingJob } from '#/contract/jobs.ts';
import { ProbeFigures } from '#/domain/probe-figures.ts';
import { silenceJobBell } from '#/services/jobs/job-bell.ts';
import { createApiKey } from '#/services/people/api-keys.ts';
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
afterEach(() => vi.restoreAllMocks());
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

describe('the live stream of a job', () => {
  beforeEach(() => db.asOwner('DELETE FROM lowrank.training_jobs'));
  interface Message {
    event: string;
    id: string | undefined;
    data: string;
  }
  /** Opens a stream and reads it until it has said what is asked for. */
  async function open(id: string, headers: Record<string, string> = owner.headers) {
    const answer = await get(`/api/jobs/${id}/stream`, headers);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    const reader = answer.body?.getReader();
    const decoder = new TextDecoder();
    let said = '';
    const messages = (): Message[] =>
      said
        .split('\n\n')
        .slice(0, -1)
        .filter((block) => !block.startsWith(':'))
        .map((block) => {
          const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
          return { event: field('event') ?? '', id: field('id'), data: field('data') ?? '' };
        });
    return {
      said: () => said,
      messages,
      /** Reads on until `enough`; answers if the stream is over. */
      async until(enough: () => boolean): Promise<boolean> {
        while (!enough()) {
          const next = await reader?.read();
          if (next === undefined || next.done) return true;
          said += decoder.decode(next.value, { stream: true });
        }
        return false;
      },
      stepsSeen: () =>
        messages().flatMap((message) =>
          message.event === 'metrics' ? JSON.parse(message.data).points.map((point: { step: number }) => point.step) : [],
        ),
      close: () => reader?.cancel(),
    };
  }
  const addPoints = (id: string, from: number, to: number) =>
    db.asOwner(
      `WITH points AS (INSERT INTO lowrank.metrics_points (job_id, user_id, attempt, seq, step, timestamp, loss)
         SELECT $1::uuid, $2::uuid, 1, i, i, now(), i FROM generate_series($3::int, $4::int) i)
       UPDATE lowrank.training_jobs SET current_step = $4 WHERE id = $1`,
      [id, owner.user_id, from, to],
    );
  const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at);
  const running = async () => {
    const id = await aJob({ status: 'running', attempt: 1 });
    await mkdir(attemptFolder(id, 1), { recursive: true });
    await writeFile(logFile(id, 1), 'hello from the trainer\n');
    return id;
  };

  test('says hello, then the job, its points and its log, each with an id; Last-Event-ID goes on from there', async () => {
    const id = await running();
    await addPoints(id, 1, 5);
    const first = await open(id);
    await first.until(() => first.messages().some((message) => message.event === 'log'));
    await first.close();
    const told = first.messages();
    expect(told.map((message) => message.event)).toEqual(['hello', 'job', 'metrics', 'log']);
    expect(told[0]?.id).toBeUndefined();
    expect(told.slice(1).every((message) => /^\d+\.\d+\.\d+\.-?\d+$/.test(message.id ?? ''))).toBe(true);
    expect(JSON.parse(told[1]?.data ?? '')).toMatchObject({ id, status: 'running', dataset: { name: 'Letters' } });
    expect(first.stepsSeen()).toEqual(range(1, 5));
    expect(JSON.parse(told[3]?.data ?? '')).toEqual({ attempt: 1, offset: 0, text: 'hello from the trainer\n' });

    await addPoints(id, 6, 8);
    await appendFile(logFile(id, 1), 'and again\n');
    const second = await open(id, { ...owner.headers, 'last-event-id': told.at(-1)?.id ?? '' });
    await second.until(() => second.messages().some((message) => message.event === 'log'));
    await second.close();
    expect(second.stepsSeen()).toEqual(range(6, 8));
    const logs = second.messages().filter((message) => message.event === 'log');
    expect(logs.map((message) => JSON.parse(message.data).text)).toEqual(['and again\n']);
  });

  test('pings when it has been silent for 15 s', async () => {
    const stream = await open(await running());
    await stream.until(() => stream.messages().some((message) => message.event === 'log'));
    // The server notes when it wrote after we have read it.
    await setImmediate();
    expect(stream.said()).not.toContain(': ping');
    const clock = performance.now.bind(performance);
    vi.spyOn(performance, 'now').mockImplementation(() => clock() + 15_000);
    expect(await stream.until(() => stream.said().includes(': ping\n\n'))).toBe(false);
    await stream.close();
  });

  test('of a key that was revoked says gone and ends, within 30 s; another key of the same person hears on', async () => {
    const id = await running();
    const [mine] = await db.asOwner<{ id: string }>(
      'SELECT id FROM identity.api_keys WHERE user_id = $1 AND revoked_at IS NULL',
      [owner.user_id],
    );
    const asked = { name: 'Soon revoked', scopes: ['read' as const], expires_at: null };
    const { key } = await createApiKey({ user_id: owner.user_id, role: 'user' }, asked);
    const [revoked, kept] = [await open(id, { authorization: `Bearer ${key}` }), await open(id)];
    for (const stream of [revoked, kept]) await stream.until(() => stream.messages().some((message) => message.event === 'log'));
    // By another process: nothing in this one hears of it.
    await db.asOwner('UPDATE identity.api_keys SET revoked_at = now() WHERE user_id = $1 AND id <> $2', [
      owner.user_id,
      mine?.id,
    ]);
    const clock = performance.now.bind(performance);
    vi.spyOn(performance, 'now').mockImplementation(() => clock() + 30_000);
    await addPoints(id, 1, 3);
    expect(await revoked.until(() => false)).toBe(true);
    expect(revoked.messages().at(-1)).toMatchObject({ event: 'gone', data: '{"reason":"signed_out"}' });
    expect(revoked.stepsSeen()).toEqual([]);
    await kept.until(() => kept.stepsSeen().length === 3);
    await kept.close();
  });

  test('of a deleted job says gone and ends', async () => {
    const id = await running();
    const stream = await open(id);
    await stream.until(() => stream.messages().some((message) => message.event === 'log'));
    await db.asOwner("UPDATE lowrank.training_jobs SET status = 'failed', slot = NULL, error_code = 'internal' WHERE id = $1", [
      id,
    ]);
    await db.asOwner('UPDATE lowrank.training_jobs SET deleted_at = now() WHERE id = $1', [id]);
    expect(await stream.until(() => false)).toBe(true);
    expect(stream.messages().at(-1)?.event).toBe('gone');
  });

  test('does not start from an id that it never sent', async () => {
    const answer = await get(`/api/jobs/${await running()}/stream`, { ...owner.headers, 'last-event-id': '5' });
    expect([answer.status, await answer.json()]).toEqual([
      400,
      expect.objectContaining({ violations: [expect.objectContaining({ path: 'last-event-id', code: 'invalid_cursor' })] }),
    ]);
  });

  test('of a stranger’s job, and of none, is a plain 404 before any byte of it', async () => {
    const id = await running();
    for (const [path, headers] of [
      [id, stranger.headers],
      [randomUUID(), owner.headers],
    ] as const) {
      const answer = await get(`/api/jobs/${path}/stream`, headers);
      expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
      const told = await answer.text();
      expect([answer.status, JSON.parse(told).code, told.includes('event:')]).toEqual([404, 'not_found', false]);
    }
  });
});
