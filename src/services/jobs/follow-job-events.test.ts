import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { AppError } from '#/domain/app-error.ts';
import type { Context } from '#/services/context.ts';
import { attemptFolder, logFile } from '#/storage/run-folder.ts';
import { useDatabase } from '../../../test/database.ts';
import { addJob, addPerson } from '../../../test/factories.ts';
import { type FollowedEvent, followJobEvents } from './follow-job-events.ts';
import { silenceJobBell } from './job-bell.ts';
import { type JobCursor, readCursor, START, writeCursor } from './job-cursor.ts';

const db = useDatabase();
let owner: Context;
let ending = new AbortController();

beforeAll(async () => {
  owner = { user_id: await addPerson(db), role: 'user' };
});
afterEach(() => {
  ending.abort();
  ending = new AbortController();
});
afterAll(silenceJobBell);

async function addRun(job: string, attempt: number, resumed_from: number | null): Promise<void> {
  await db.asOwner(
    'INSERT INTO lowrank.job_runs (job_id, user_id, attempt, epoch, worker_id, executor, resumed_from_step) VALUES ($1, $2, $3, 1, $4, $5, $6)',
    [job, owner.user_id, attempt, 'host', 'process', resumed_from],
  );
  await db.asOwner('UPDATE lowrank.training_jobs SET attempt = $2 WHERE id = $1', [job, attempt]);
  await mkdir(attemptFolder(job, attempt), { recursive: true });
  await writeFile(logFile(job, attempt), '');
}

/** Stores points and touches the job's row, as ingestion does in one transaction. */
async function addPoints(job: string, attempt: number, from: number, to: number): Promise<void> {
  await db.asOwner(
    `WITH points AS (INSERT INTO lowrank.metrics_points (job_id, user_id, attempt, seq, step, timestamp, loss)
       SELECT $1::uuid, $2::uuid, $3::smallint, i, i, now(), i FROM generate_series($4::int, $5::int) i)
     UPDATE lowrank.training_jobs SET current_step = $5 WHERE id = $1`,
    [job, owner.user_id, attempt, from, to],
  );
}

/** Follows until `enough` says so, and answers what was told. */
async function follow(job: string, from: JobCursor, enough: (told: FollowedEvent[]) => boolean): Promise<FollowedEvent[]> {
  const told: FollowedEvent[] = [];
  const stop = new AbortController();
  for await (const event of followJobEvents(owner, job, from, AbortSignal.any([stop.signal, ending.signal]))) {
    if (event.type !== 'idle') told.push(event);
    if (enough(told)) break;
  }
  stop.abort();
  return told;
}

const stepsOf = (told: FollowedEvent[]) =>
  told.flatMap((event) => (event.type === 'metrics' ? event.points.map((p) => `${p.attempt}.${p.step}`) : []));
const logOf = (told: FollowedEvent[]) => told.map((event) => (event.type === 'log' ? event.text : '')).join('');
const range = (attempt: number, from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => `${attempt}.${from + at}`);

describe('following a job', () => {
  test('tells every point once and in order, while they are being written', async () => {
    const job = await addJob(db, owner.user_id, { status: 'running', slot: 1, attempt: 1 });
    await addRun(job, 1, null);
    await addPoints(job, 1, 1, 2500);
    const following = follow(job, START, (told) => stepsOf(told).length >= 3000);
    for (let at = 2501; at <= 3000; at += 50) await addPoints(job, 1, at, at + 49);
    expect(stepsOf(await following)).toEqual(range(1, 1, 3000));
    await db.asOwner('DELETE FROM lowrank.training_jobs WHERE id = $1', [job]);
  });

  test('tells what no notification told of', async () => {
    const job = await addJob(db, owner.user_id, { status: 'running', slot: 1, attempt: 1 });
    await addRun(job, 1, null);
    await db.asOwner('ALTER TABLE lowrank.training_jobs DISABLE TRIGGER tell_job');
    try {
      let written: Promise<void> | undefined;
      let looks = 0;
      const told = await follow(job, START, (events) => {
        // Only once it looks in vain: the first ring, of the listener that has come to listen, is over then.
        looks++;
        if (looks > 3) written ??= addPoints(job, 1, 1, 5);
        return stepsOf(events).length >= 5;
      });
      await written;
      expect(stepsOf(told)).toEqual(range(1, 1, 5));
    } finally {
      await db.asOwner('ALTER TABLE lowrank.training_jobs ENABLE TRIGGER tell_job');
    }
    await db.asOwner('DELETE FROM lowrank.training_jobs WHERE id = $1', [job]);
  });

  test('a reconnect anywhere goes on where it left off: nothing twice, nothing left out', async () => {
    const job = await addJob(db, owner.user_id, { status: 'running', slot: 1, attempt: 1 });
    await addRun(job, 1, null);
    await addPoints(job, 1, 1, 40);
    await appendFile(logFile(job, 1), 'one\ntwo\n');
    const before = await follow(job, START, (told) => stepsOf(told).length === 40 && logOf(told) === 'one\ntwo\n');
    await addPoints(job, 1, 41, 60);
    await appendFile(logFile(job, 1), 'thrée\nhalf a li');
    const cursor = readCursor(writeCursor(before.at(-1)?.cursor ?? START));
    expect(cursor).not.toBeNull();
    const after = await follow(job, cursor ?? START, (told) => stepsOf(told).length === 20 && logOf(told) === 'thrée\n');
    expect(stepsOf(after)).toEqual(range(1, 41, 60));
    await appendFile(logFile(job, 1), 'ne\n');
    const last = await follow(job, after.at(-1)?.cursor ?? START, (told) => logOf(told) === 'half a line\n');
    expect(stepsOf(last)).toEqual([]);
    await db.asOwner('DELETE FROM lowrank.training_jobs WHERE id = $1', [job]);
  });

  test('a later attempt says from which step it went on before its first point, and its log follows', async () => {
    const job = await addJob(db, owner.user_id, { status: 'running', slot: 1, attempt: 1 });
    await addRun(job, 1, null);
    await addPoints(job, 1, 1, 30);
    await appendFile(logFile(job, 1), 'first attempt\n');
    const first = await follow(job, START, (told) => stepsOf(told).length === 30 && logOf(told) !== '');
    await addRun(job, 2, 20);
    await appendFile(logFile(job, 2), 'second attempt\n');
    await db.asOwner(
      `INSERT INTO lowrank.metrics_points (job_id, user_id, attempt, seq, step, timestamp, loss)
       SELECT $1::uuid, $2::uuid, 2, i, 20 + i, now(), i FROM generate_series(1, 5) i`,
      [job, owner.user_id],
    );
    const second = await follow(job, first.at(-1)?.cursor ?? START, (told) => stepsOf(told).length === 5 && logOf(told) !== '');
    expect(second.filter((event) => event.type === 'reset')).toMatchObject([{ attempt: 2, from_step: 20 }]);
    expect(second.findIndex((event) => event.type === 'reset')).toBeLessThan(
      second.findIndex((event) => event.type === 'metrics'),
    );
    expect(stepsOf(second)).toEqual(range(2, 21, 25));
    expect(logOf(second)).toBe('second attempt\n');
    await db.asOwner('DELETE FROM lowrank.training_jobs WHERE id = $1', [job]);
  });

  test.each(['1.999999999.1.0', '32767.1.32767.999999999999', '2.1.1.7'])(
    'the cursor %s, beyond all that there is, is taken for the newest, and what comes is told',
    async (made_up) => {
      const job = await addJob(db, owner.user_id, { status: 'running', slot: 1, attempt: 1 });
      await addRun(job, 1, null);
      await addPoints(job, 1, 1, 5);
      await appendFile(logFile(job, 1), 'one\n');
      let more: Promise<void> | undefined;
      const cursor = readCursor(made_up);
      if (cursor === null) throw new Error(`${made_up} is a cursor`);
      const told = await follow(job, cursor, (events) => {
        if (events.at(-1)?.type === 'job') more ??= addPoints(job, 1, 6, 8).then(() => appendFile(logFile(job, 1), 'two\n'));
        return stepsOf(events).length >= 3 && logOf(events).endsWith('two\n');
      });
      await more;
      expect(stepsOf(told)).toEqual(range(1, 6, 8));
      expect(told.at(-1)?.cursor).toEqual({ attempt: 1, seq: 8, log_attempt: 1, log_offset: 8 });
      await db.asOwner('DELETE FROM lowrank.training_jobs WHERE id = $1', [job]);
    },
  );

  test('a new follower of a long log begins at a whole line near its end', async () => {
    const job = await addJob(db, owner.user_id, { status: 'running', slot: 1, attempt: 1 });
    await addRun(job, 1, null);
    const lines = Array.from({ length: 20_000 }, (_, at) => `line ${at}\n`);
    await appendFile(logFile(job, 1), lines.join(''));
    const told = await follow(job, START, (events) => logOf(events).endsWith('line 19999\n'));
    expect(logOf(told)).toMatch(/^line \d+\n/);
    expect(logOf(told).length).toBeLessThan(70_000);
    await db.asOwner('DELETE FROM lowrank.training_jobs WHERE id = $1', [job]);
  });

  test('a deleted job ends the stream; a stranger gets not_found before any event', async () => {
    const job = await addJob(db, owner.user_id, { status: 'completed' });
    const stranger: Context = { user_id: await addPerson(db), role: 'user' };
    const refused = followJobEvents(stranger, job, START, ending.signal).next();
    await expect(refused).rejects.toSatisfy((error) => error instanceof AppError && error.code === 'not_found');
    let deleted: Promise<unknown> | undefined;
    const following = follow(job, START, (told) => {
      deleted ??= db.asOwner('UPDATE lowrank.training_jobs SET deleted_at = now() WHERE id = $1', [job]);
      return told.at(-1)?.type === 'gone';
    });
    expect((await following).at(-1)?.type).toBe('gone');
    await deleted;
  });

  test.each([
    '',
    'x',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.-2',
    '-1.0.1.0',
    '999999.1.1.1',
    '32768.1.1.1',
    '1.1.32768.1',
    '1.2.3.4; DROP',
  ])('%j is no cursor', (text) => {
    expect(readCursor(text)).toBeNull();
  });
});
