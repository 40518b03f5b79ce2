import { createHash } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Checkpoint, TrainingSample } from '#/contract/job-outputs.ts';
import { checkpointEnd, jobFolder } from '#/storage/run-folder.ts';
import { addCaller, noWaiting, useApi } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import { addDrawn, addJob, addRow } from '../../test/factories.ts';
import { smallPng } from '../../test/png.ts';
import { PICTURES } from './places.ts';

const db = useDatabase();
const api = useApi();
const NO_ID = '00000000-0000-4000-8000-000000000000';
const AT = '2026-03-01T12:00:00.000Z';
let owner: Awaited<ReturnType<typeof addCaller>>;
let stranger: Awaited<ReturnType<typeof addCaller>>;
let job: string;
beforeAll(async () => {
  owner = await addCaller(db);
  stranger = await addCaller(db);
});
beforeEach(async () => {
  await noWaiting(db);
  job = await addJob(db, owner.user_id, { status: 'cancelled', attempt: 2 });
});
afterEach(() => rm(jobFolder(job), { recursive: true, force: true }));

interface Page {
  checkpoints: Checkpoint[];
  samples: TrainingSample[];
  next_after: number | null;
}

async function tell(type: string, attempt: number, data: Record<string, unknown>): Promise<void> {
  await db.asOwner(
    `INSERT INTO lowrank.job_events (job_id, user_id, seq, type, attempt, data, created_at)
     SELECT $1, $2, max(seq) + 1, $3, $4, $5, $6 FROM lowrank.job_events WHERE job_id = $1`,
    [job, owner.user_id, type, attempt, JSON.stringify({ ...data, ts: AT }), AT],
  );
}

const path = (step: number) => `checkpoints/step-${String(step).padStart(8, '0')}`;

async function addCheckpoint(attempt: number, step: number, options: { kept: boolean }): Promise<void> {
  await tell('checkpoint', attempt, { step, path: path(step), bytes: 1000 + step });
  if (!options.kept) return;
  const end = checkpointEnd(job, attempt, path(step));
  await mkdir(dirname(end), { recursive: true });
  await writeFile(end, '{}');
}

const get = (what: string, query = '', headers = owner.headers, id = job) =>
  api.request(`/api/jobs/${id}/${what}${query}`, { headers });
const read = async (what: string, query = ''): Promise<Page> => {
  const answer = await get(what, query);
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { data: Page }).data;
};

describe('the checkpoints of a job', () => {
  test('are those of all its attempts, in order, and say which of them are there still', async () => {
    await addCheckpoint(1, 5, { kept: false });
    await tell('stage', 1, { stage: 'training' });
    await addCheckpoint(1, 10, { kept: true });
    await addCheckpoint(2, 15, { kept: true });
    expect(await read('checkpoints')).toEqual({
      checkpoints: [
        { id: 2, attempt: 1, step: 5, bytes: 1005, created_at: AT, kept: false },
        { id: 4, attempt: 1, step: 10, bytes: 1010, created_at: AT, kept: true },
        { id: 5, attempt: 2, step: 15, bytes: 1015, created_at: AT, kept: true },
      ],
      next_after: null,
    });
  });

  test('come in pages that follow each other without a gap', async () => {
    for (let step = 1; step <= 5; step++) await addCheckpoint(1, step, { kept: false });
    const steps: number[] = [];
    let after: number | null = 0;
    do {
      const page: Page = await read('checkpoints', `?limit=2&after=${after}`);
      expect(page.checkpoints.length).toBeLessThanOrEqual(2);
      steps.push(...page.checkpoints.map(({ step }) => step));
      after = page.next_after;
    } while (after !== null);
    expect(steps).toEqual([1, 2, 3, 4, 5]);
  });
});

const NO_PICTURE = { seed: null, width: null, height: null, bytes: null, image_url: null, not_kept: null };

describe('the samples of a job', () => {
  test('are what its model answered, in order', async () => {
    await tell('sample', 1, { step: 0, prompt: 'Hello', text: '???' });
    await tell('sample', 1, { step: 10, prompt: 'Hello', text: 'Hi' });
    const first = await read('samples', '?limit=1');
    const kind = 'text' as const;
    expect(first).toEqual({
      samples: [{ id: 2, attempt: 1, step: 0, created_at: AT, kind, prompt: 'Hello', text: '???', ...NO_PICTURE }],
      next_after: 2,
    });
    expect((await read('samples', '?after=2')).samples.map(({ text }) => text)).toEqual(['Hi']);
  });

  test('are what it drew: where each picture is, that it is on its way, or why it is not kept', async () => {
    const drawn = { user_id: owner.user_id, job_id: job, prompt: 'a cat' };
    const kept = await addDrawn(db, { ...drawn, step: 10 });
    const pending = await addDrawn(db, { ...drawn, step: 20 });
    const refused = await addDrawn(db, { ...drawn, step: 30, attempt: 2 });
    await db.asOwner(`UPDATE lowrank.sample_images SET status = 'pending' WHERE job_id = $1 AND seq = $2`, [job, pending]);
    await db.asOwner(
      `UPDATE lowrank.sample_images SET status = 'refused', error_code = 'missing' WHERE job_id = $1 AND seq = $2`,
      [job, refused],
    );
    await db.asOwner('UPDATE lowrank.training_jobs SET samples = 2 WHERE id = $1', [job]);
    const { samples } = await read('samples');
    const picture = { kind: 'image', prompt: 'a cat', text: null, seed: 7, width: 3, height: 2, bytes: smallPng(3, 2).length };
    const code = { code: 'missing', message: 'Its file was not there when it was to be stored.' };
    expect(samples.map(({ created_at: _, ...sample }) => sample)).toEqual([
      { ...picture, id: kept, attempt: 1, step: 10, image_url: imagePath(kept), not_kept: null },
      { ...picture, id: pending, attempt: 1, step: 20, image_url: null, not_kept: null },
      { ...picture, id: refused, attempt: 2, step: 30, image_url: null, not_kept: code },
    ]);
    expect([await statusOf(kept), await statusOf(pending), await statusOf(refused)]).toEqual([200, 404, 404]);
    const told = await api.request(`/api/jobs/${job}`, { headers: owner.headers });
    expect(((await told.json()) as { data: { samples: number } }).data.samples).toBe(2);
  });
});

const imagePath = (n: number, id = job) => `/api/jobs/${id}/samples/${n}/image`;
const image = (n: number, headers: Record<string, string> = {}, init: RequestInit = {}, id = job) =>
  api.request(imagePath(n, id), { ...init, headers: { ...owner.headers, ...headers } });

/** What it answers, let go of at once. */
const statusOf = async (n: number) => {
  const answer = await image(n);
  await answer.body?.cancel();
  return answer.status;
};

describe('a picture that a job drew', () => {
  const png = smallPng(40, 30, (x, y) => [x * 6, y * 8, (x * y) % 256]);
  const etag = `"${createHash('sha256').update(png).digest('hex')}"`;
  let n: number;
  beforeEach(async () => {
    n = await addDrawn(db, { user_id: owner.user_id, job_id: job, prompt: 'a cat' }, png);
  });

  test('is sent as the picture that it is, to be kept by its reader alone and taken for nothing else', async () => {
    const answer = await image(n);
    expect([answer.status, Buffer.from(await answer.arrayBuffer()).equals(png)]).toEqual([200, true]);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'image/png',
      'content-length': String(png.length),
      'content-disposition': `inline; filename="sample-${n}.png"`,
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining('sandbox'),
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'private, no-cache',
      'accept-ranges': 'bytes',
      etag,
    });
    const head = await image(n, {}, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, String(png.length), '']);
  });

  test('is sent in part, and not again to who has it', async () => {
    const part = await image(n, { range: 'bytes=1-3' });
    expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([206, `bytes 1-3/${png.length}`, 'PNG']);
    const changed = await image(n, { range: 'bytes=1-3', 'if-range': '"another"' });
    expect([changed.status, (await changed.arrayBuffer()).byteLength]).toEqual([200, png.length]);
    const outside = await image(n, { range: `bytes=${png.length}-` });
    expect([outside.status, outside.headers.get('content-range')]).toEqual([416, `bytes */${png.length}`]);
    expect(await outside.json()).toMatchObject({ code: 'range_not_satisfiable' });
    const known = await image(n, { 'if-none-match': etag });
    expect([known.status, await known.text(), known.headers.get('etag')]).toEqual([304, '', etag]);
  });

  test('is its owner’s alone: a stranger, a deleted job and another number have none', async () => {
    const codeOf = async (answer: Response) => [answer.status, ((await answer.json()) as { code: string }).code];
    const none = [404, 'not_found'];
    expect(await codeOf(await image(n, stranger.headers))).toEqual(none);
    // A job of the stranger's own does not open another's picture either.
    const theirs = await addJob(db, stranger.user_id, { status: 'cancelled' });
    expect(await codeOf(await image(n, stranger.headers, {}, theirs))).toEqual(none);
    expect(await codeOf(await image(n + 1))).toEqual(none);
    for (const odd of ['0', '-1', '1.5', 'x', '9999999999'])
      expect((await api.request(`/api/jobs/${job}/samples/${odd}/image`, { headers: owner.headers })).status).toBe(400);
    expect(await statusOf(n)).toBe(200);
    await db.asOwner('UPDATE lowrank.training_jobs SET deleted_at = now() WHERE id = $1', [job]);
    expect(await codeOf(await image(n))).toEqual(none);
  });

  test('takes a place while it is sent, of which there are enough for a page of them', async () => {
    const leaves = Array.from({ length: PICTURES.a_person_max - 1 }, () => PICTURES.hold(owner.user_id));
    try {
      const sent = await image(n);
      expect([sent.status, (await image(n)).status]).toEqual([200, 429]);
      await sent.arrayBuffer();
      expect(await statusOf(n)).toBe(200);
    } finally {
      for (const leave of leaves) leave();
    }
  });
});

test('the curve of a job has every figure that its trainer told, and what it cannot be thinned to is refused', async () => {
  const figures = {
    loss: 1.5,
    eval_loss: null,
    learning_rate: 0.5,
    grad_norm: 2,
    tokens_per_second: 1000,
    samples_per_second: 8,
    gpu_memory_mb: 4096,
    peak_memory_mb: 8192,
    extra: { nonfinite: true },
  };
  const place = { attempt: 1, seq: 3, step: 3, epoch: 0.25 };
  await addRow(db, 'lowrank.metrics_points', {
    ...{ job_id: job, user_id: owner.user_id, timestamp: AT },
    ...place,
    ...figures,
    extra: JSON.stringify(figures.extra),
  });
  expect(await read('metrics')).toEqual({ points: [{ ...place, timestamp: AT, ...figures }], total: 1 });
  expect((await get('metrics', '?points=50')).status).toBe(200);
  for (const points of [49, 20_001]) expect((await get('metrics', `?points=${points}`)).status).toBe(400);
});

test.each(['checkpoints', 'samples'])('a job without %s has an empty list, a stranger’s is not found', async (what) => {
  expect(await read(what)).toEqual({ [what]: [], next_after: null });
  for (const answer of [await get(what, '', stranger.headers), await get(what, '', owner.headers, NO_ID)])
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([404, 'not_found']);
});
