import { randomUUID } from 'node:crypto';
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { silenceJobBell } from '#/services/jobs/job-bell.ts';
import { createApiKey } from '#/services/people/api-keys.ts';
import { attemptFolder, logFile } from '#/storage/run-folder.ts';
import { addCaller, useApi } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import { addDataset, addJob } from '../../test/factories.ts';

const db = useDatabase();
const api = useApi();
let owner: Awaited<ReturnType<typeof addCaller>>;
let stranger: Awaited<ReturnType<typeof addCaller>>;
let dataset_id: string;
beforeAll(async () => {
  owner = await addCaller(db);
  stranger = await addCaller(db);
  dataset_id = await addDataset(db, owner.user_id, { name: 'Letters' });
});
afterEach(() => vi.restoreAllMocks());
afterAll(silenceJobBell);

const get = (path: string, headers: Record<string, string> = owner.headers) => api.request(path, { headers });

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
    const id = await addJob(db, owner.user_id, { dataset_id, status: 'running', attempt: 1 });
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
