import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Checkpoint, TrainingSample } from '#/contract/job-outputs.ts';
import { checkpointEnd, jobFolder } from '#/storage/run-folder.ts';
import { addCaller, noWaiting, useApi } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import { addJob, addRow } from '../../test/factories.ts';

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

describe('the samples of a job', () => {
  test('are what its model answered, in order', async () => {
    await tell('sample', 1, { step: 0, prompt: 'Hello', text: '???' });
    await tell('sample', 1, { step: 10, prompt: 'Hello', text: 'Hi' });
    const first = await read('samples', '?limit=1');
    expect(first).toEqual({
      samples: [{ id: 2, attempt: 1, step: 0, created_at: AT, prompt: 'Hello', text: '???' }],
      next_after: 2,
    });
    expect((await read('samples', '?after=2')).samples.map(({ text }) => text)).toEqual(['Hi']);
  });

  test('are texts: pictures of an image model stay out of the list', async () => {
    const image = { path: 'samples/step-00000010-1.png', width: 64, height: 64, seed: 1, sha256: 'a'.repeat(64), bytes: 9 };
    await tell('sample', 1, { step: 10, prompt: 'a cat', image });
    await tell('sample', 1, { step: 10, prompt: 'Hello', text: 'Hi' });
    const page = await read('samples', '?limit=1');
    expect(page).toMatchObject({ samples: [{ id: 3, text: 'Hi' }], next_after: null });
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
