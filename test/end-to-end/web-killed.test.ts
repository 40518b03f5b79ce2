/** Promises 1, 2, 7 and 10 for the web process: it is killed under its clients, by a seed (CHAOS_SEED), and nobody loses anything. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createParser } from 'eventsource-parser';
import { expect, test } from 'vitest';
import type { MetricPoint } from '#/contract/job-reads.ts';
import type { TrainingJob } from '#/contract/jobs.ts';
import { signalProcess } from '#/worker/process-identity.ts';
import { seededRandom } from '../seeded-random.ts';
import { becomeOwner, localKey, lowrank } from './command-line.ts';
import { REPO, startedRun, startStudio, type TestStudio } from './studio.ts';

/** Each makes the next start of the web process wait twice as long. */
const KILLS = 3;
const SEED = Number(process.env.CHAOS_SEED ?? 1);
/** At once in flight, so that a kill always meets some. */
const CLIENTS = 3;
/** Of the stand-in trainer, a hundred a second. */
const STEPS = 1_200;
/** How long it goes on while no web process is there; then it is held, so that it outlives all the kills. */
const UNSEEN_MS = 500;
const RETRY_MS = 50;

interface Submission {
  key: string;
  job_id: string;
}

/** A client of this studio that sends a submission until it is answered, with one key however often. */
function submitter(studio: TestStudio, { dataset_id, base_model_id }: TrainingJob) {
  const headers = { Authorization: `Bearer ${localKey(studio)}`, 'Content-Type': 'application/json' };
  let lost = 0;
  const post = async (key: string): Promise<Submission> => {
    // The name tells in the table whose job it is; it waits outside the queue, where nobody runs it.
    const body = JSON.stringify({ dataset_id, base_model_id, preset_id: 'fast', name: key, max_steps: 1, start: false });
    for (;;) {
      const sending = fetch(`${studio.url}/api/jobs`, { method: 'POST', headers: { ...headers, 'Idempotency-Key': key }, body });
      const answer = await sending.then(async (got) => ({ status: got.status, text: await got.text() })).catch(() => null);
      if (answer?.status === 201) return { key, job_id: (JSON.parse(answer.text) as { data: TrainingJob }).data.id };
      if (answer === null) lost++;
      // Ten a minute are a person's measure: what is tested here is who comes back after a crash.
      else if (answer.status === 429) await studio.asOwner('DELETE FROM lowrank.rate_limits');
      else throw new Error(`${answer.status} ${answer.text}`);
      await pause(RETRY_MS);
    }
  };
  return { post, lost: () => lost };
}

/** Follows a job's stream to its end, each time with the id of the last event it saw: notes every point, and every id that it came back with. */
async function follow(studio: TestStudio, job_id: string, points: string[], came_back_with: string[]): Promise<void> {
  let last_id: string | undefined;
  let status = '';
  while (status !== 'completed' && status !== 'failed') {
    const headers = { Authorization: `Bearer ${localKey(studio)}`, ...(last_id !== undefined && { 'Last-Event-ID': last_id }) };
    try {
      const response = await fetch(`${studio.url}/api/jobs/${job_id}/stream`, { headers });
      if (last_id !== undefined) came_back_with.push(last_id);
      const parser = createParser({
        onEvent({ id, event, data }) {
          last_id = id ?? last_id;
          if (event === 'job') status = (JSON.parse(data) as TrainingJob).status;
          if (event === 'metrics')
            for (const point of (JSON.parse(data) as { points: MetricPoint[] }).points)
              points.push(`${point.attempt}.${point.seq}`);
        },
      });
      const reader = response.body?.getReader();
      const decoder = new TextDecoder();
      for (let read = await reader?.read(); read !== undefined && !read.done; read = await reader?.read()) {
        parser.feed(decoder.decode(read.value, { stream: true }));
        if (status === 'completed' || status === 'failed') await reader?.cancel();
      }
    } catch {
      await pause(RETRY_MS);
    }
  }
}

test(`a web process that is killed ${KILLS} times costs no submission, no point of a stream and no training (seed ${SEED})`, async () => {
  const chance = seededRandom(SEED);
  const work = mkdtempSync(join(tmpdir(), 'lowrank-web-killed-'));
  const studio = await startStudio(undefined, {
    LOWRANK_WITHOUT_PAGES: '1',
    LOWRANK_TRAINER: join(REPO, 'trainer/fake_trainer.py'),
  });
  let run: ReturnType<typeof startedRun> | undefined;
  try {
    await becomeOwner(studio);
    const typed = lowrank(studio, [
      ...['train', '--dataset', join(REPO, 'demo/orders.jsonl'), '--model', join(REPO, 'demo/model'), '--preset', 'fast'],
      ...['--set', `max_steps=${STEPS}`, '--follow', '--output', join(work, 'adapter')],
    ]);
    const look = () => studio.asOwner<TrainingJob>("SELECT * FROM lowrank.training_jobs WHERE name LIKE 'Training %'");
    await expect.poll(async () => (await look())[0]?.status, { timeout: 60_000 }).toBe('running');
    const [job] = await look();
    if (job === undefined) throw new Error('the training is gone');
    const points: string[] = [];
    const came_back_with: string[] = [];
    const followed = follow(studio, job.id, points, came_back_with);
    // Its failure is met below.
    followed.catch(() => undefined);
    run = startedRun(studio, job.id);

    const client = submitter(studio, job);
    const answered: Submission[] = [];
    let killing = true;
    const submitting = Promise.all(
      Array.from({ length: CLIENTS }, async () => {
        while (killing) answered.push(await client.post(randomUUID()));
      }),
    );
    // Its failure is met below.
    submitting.catch(() => undefined);
    for (let kill = 0; kill < KILLS; kill++) {
      const before = { answers: answered.length, points: points.length };
      await expect.poll(() => answered.length, { timeout: 60_000, interval: 5 }).toBeGreaterThan(before.answers);
      await signalProcess(run.child, 'SIGCONT');
      await expect.poll(() => points.length, { timeout: 60_000, interval: 5 }).toBeGreaterThan(before.points);
      await pause(chance() * 300);
      process.kill(studio.pidOf('server'), 'SIGKILL');
      await pause(UNSEEN_MS);
      await signalProcess(run.child, 'SIGSTOP');
    }
    await expect.poll(() => studio.said().match(/the server ended with SIGKILL/g)?.length, { timeout: 60_000 }).toBe(KILLS);
    killing = false;
    await submitting;
    expect(client.lost(), 'submissions that a kill met').toBeGreaterThanOrEqual(KILLS);

    // The clients' log against the table: each answered submission is there, once, and nothing that nobody asked for.
    const stored = await studio.asOwner<Submission>(
      "SELECT name AS key, id AS job_id FROM lowrank.training_jobs WHERE name NOT LIKE 'Training %'",
    );
    const inOrder = (of: Submission[]) => of.map(({ key, job_id }) => `${key} ${job_id}`).sort();
    expect(inOrder(stored)).toEqual(inOrder(answered));
    const again: Submission[] = [];
    for (const { key } of answered) again.push(await client.post(key));
    expect(again).toEqual(answered);

    await signalProcess(run.child, 'SIGCONT');
    await followed;
    const written = readFileSync(join(studio.data_dir, 'runs', job.id, '1/outputs/events.jsonl'), 'utf8')
      .trim()
      .split('\n');
    const metrics = written
      .map((line) => JSON.parse(line) as { type: string; seq: number })
      .filter((one) => one.type === 'metric');
    expect(points).toEqual(metrics.map((one) => `1.${one.seq}`));
    expect(new Set(came_back_with).size, 'returns of the follower, each from further on').toBeGreaterThanOrEqual(KILLS);
    const { code, said } = await typed;
    expect(code, said).toBe(0);
    expect(said).toContain(`adapter: ${join(work, 'adapter')}`);
    expect((await look())[0]).toMatchObject({ status: 'completed', attempt: 1, retry_count: 0 });
  } finally {
    if (run !== undefined) await signalProcess(run.wrapper, 'SIGKILL');
    await studio.remove();
    rmSync(work, { recursive: true, force: true });
  }
});
