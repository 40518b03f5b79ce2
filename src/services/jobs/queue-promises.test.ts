/** The queue under random commands, every promise looked at after each: what is claimed is told by a plain reading of the rows. */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { asScheduler } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { resolveHyperparameters } from '#/domain/hyperparameters.ts';
import { bareFailure } from '#/domain/run-verdict.ts';
import { isTerminal, type JobStatus } from '#/domain/statuses.ts';
import { NO_WISHES, type TrainingSpec } from '#/domain/training-spec.ts';
import type { Context } from '#/services/context.ts';
import { changeDevice } from '#/services/machine/change-device.ts';
import { listDevices } from '#/services/machine/list-devices.ts';
import { beginLook, noteDevices } from '#/services/machine/note-devices.ts';
import { quarantineDevice } from '#/services/machine/quarantine-device.ts';
import { registerWorker } from '#/services/machine/register-worker.ts';
import { changePerson } from '#/services/people/change-person.ts';
import { changeSettings } from '#/services/settings/change-settings.ts';
import { useDatabase } from '../../../test/database.ts';
import { addBaseModel, addDataset, addPerson } from '../../../test/factories.ts';
import { brokenInvariants } from '../../../test/invariants.ts';
import { cancelJob } from './cancel-job.ts';
import { claimJob } from './claim-job.ts';
import { createJob } from './create-job.ts';
import { completeRun, type Ending, releaseDevice, settleFromAfar, settleRun } from './finish-run.ts';
import type { RunKey } from './hold-run.ts';
import { noteStarted } from './launch-run.ts';
import { listQueue } from './list-queue.ts';
import { pauseJob } from './pause-job.ts';
import { startJob } from './start-job.ts';

const PEOPLE = 3;
/** Of each host: one has what the other lacks. */
const DEVICES = [4, 3];
const WORKERS = DEVICES.length;
const COUNT_MAX = 4;
const db = useDatabase();

interface Held extends RunKey {
  worker: number;
}

interface Scene {
  people: { ctx: Context; dataset: string }[];
  administrator: Context;
  workers: string[];
  model: string;
  jobs: { id: string; owner: Context }[];
  runs: Held[];
}

/** fast-check asks for a model; the rows are the truth here. */
type Nothing = Record<string, never>;

async function setScene(): Promise<Scene> {
  await db.asOwner('DELETE FROM identity.users');
  await db.asOwner('DELETE FROM lowrank.workers');
  await db.asOwner("UPDATE lowrank.settings SET value = '2' WHERE key = 'active_jobs_per_user'");
  const people: Scene['people'] = [];
  for (let at = 0; at < PEOPLE; at++) {
    const user_id = await addPerson(db);
    people.push({ ctx: { user_id, role: 'user' }, dataset: await addDataset(db, user_id) });
  }
  const administrator: Context = { user_id: await addPerson(db, { role: 'administrator' }), role: 'administrator' };
  const scene = { people, administrator, workers: [], model: await addBaseModel(db), jobs: [], runs: [] } as Scene;
  for (const devices of DEVICES) scene.workers.push(await boot(randomUUID(), devices));
  return scene;
}

async function boot(id: string, devices: number): Promise<string> {
  const gpus = Array.from({ length: devices }, (_, at) => ({
    kind: 'gpu' as const,
    uuid: `GPU-${at}`,
    name: 'Test',
    memory_mb: 80_000,
  }));
  await registerWorker({ id, boot_id: randomUUID(), pid: 1, version: '0', facts: {} }, gpus);
  return id;
}

const specOf = (dataset_id: string, base_model_id: string, fields: Partial<TrainingSpec>): TrainingSpec => ({
  name: 'A run',
  method: 'lora',
  dataset_id,
  base_model_id,
  hub_model: null,
  trigger_words: [],
  resolution: null,
  // A batch that any number of these devices can share.
  ...resolveHyperparameters('fast', { batch_size: 12 }),
  gpu_config: { type: 'Own-GPU', count: 1 },
  max_steps: null,
  seed: 42,
  run: NO_WISHES,
  metadata: {},
  probe_only: false,
  limits: {},
  training_image_id: null,
  priority: 0,
  start: true,
  ...fields,
});

const LOST: Ending = { type: 'lost', failure: bareFailure('contact_lost', 'gone.') };
const ENDINGS: Record<string, Ending> = {
  failed: { type: 'failed', failure: bareFailure('nan_loss', 'no number.') },
  lost: LOST,
  not_started: { type: 'not_started' },
};
const EXIT = {
  code: 0,
  signal: null,
  stop_requested: null,
  fenced: false,
  orphans_killed: 0,
  oom_kills: 0,
  log_bytes_dropped: 0,
};

interface Outcome {
  claimed: string | null;
  /** Which host keeps devices for which job afterwards. */
  kept: string[];
}
interface Wait {
  id: string;
  user_id: string;
  count: number;
  ready: boolean;
  paused_on: string | null;
}
interface Turn {
  user_id: string;
  active: number;
  active_max: number;
  served: Date | null;
}
interface Kept {
  worker_id: string;
  job_id: string;
  user_id: string;
  device_ids: string[];
}
const told = (kept: Kept[]) => kept.map(({ worker_id, job_id }) => `${worker_id} ${job_id}`).sort();
const readKept = () =>
  db.asOwner<Kept>('SELECT worker_id, job_id, user_id, device_ids FROM lowrank.gpu_reservations ORDER BY reserved_at');

/**
 * What one claim may do, by the words of the promise: what is kept for somebody starts as soon as there is enough of it; else the turn is
 * that of the person with the fewest active, of those who was served longest ago, with the head of what this host could have at all.
 * If that needs more than is free, what is free is kept for it, or, where it is not or is for another, goes to whose turn is next.
 */
async function expectedClaims(worker: string, keeps: boolean): Promise<Outcome[]> {
  const all = await readKept();
  const devices = await db.asOwner<{ id: string; free: boolean }>(
    `SELECT id, NOT EXISTS (SELECT FROM lowrank.gpu_leases l WHERE l.device_id = d.id AND l.released_at IS NULL) AS free
     FROM lowrank.gpu_devices d WHERE worker_id = $1 AND quarantined_at IS NULL AND drained_at IS NULL`,
    [worker],
  );
  if (!devices.some(({ free }) => free)) return [{ claimed: null, kept: told(all) }];
  const turns = await db.asOwner<Turn>(`
    SELECT q.user_id, (SELECT count(*) FROM lowrank.training_jobs j WHERE j.user_id = q.user_id AND status IN ('initializing', 'running'))::integer AS active,
      coalesce(q.own_active_max, (SELECT (value #>> '{}')::integer FROM lowrank.settings WHERE key = 'active_jobs_per_user'), 2) AS active_max,
      last_claimed_at AS served FROM lowrank.user_queues q`);
  const waiting = await db.asOwner<Wait>(`
    SELECT id, user_id, (gpu_config ->> 'count')::integer AS count, not_before IS NULL OR not_before <= clock_timestamp() AS ready,
      (SELECT r.worker_id FROM lowrank.job_runs r WHERE r.job_id = j.id AND r.exit ->> 'paused' = 'true' AND r.attempt = j.attempt) AS paused_on
    FROM lowrank.training_jobs j WHERE status = 'queued' AND held_at IS NULL ORDER BY priority DESC, queued_at, id`);
  const turnOf = (user_id: string) => turns.find((one) => one.user_id === user_id);
  const hasSlot = ({ active, active_max }: Turn, kept: number) => active + kept < active_max;
  const standing = (one: Kept) => {
    const turn = turnOf(one.user_id);
    const job = waiting.find(({ id }) => id === one.job_id);
    return turn !== undefined && job?.ready === true && hasSlot(turn, 0) && { turn, job };
  };
  // Of one of its devices less, or of whom nothing may start, nothing is kept any more.
  const own = all.find(({ worker_id }) => worker_id === worker);
  const is_kept =
    own !== undefined && standing(own) !== false && own.device_ids.every((id) => devices.some((one) => one.id === id));
  const kept = is_kept ? all : all.filter((one) => one !== own);
  const freeFor = (job_id: string | null) =>
    devices.filter(({ id, free }) => free && !(is_kept && own.device_ids.includes(id) && own.job_id !== job_id)).length;
  const here = ({ ready, paused_on }: Wait) => ready && (paused_on === null || paused_on === worker);
  const claims = (id: string): Outcome => ({ claimed: id, kept: told(kept.filter(({ job_id }) => job_id !== id)) });

  for (const one of [...kept].sort((a, b) => Number(b === own) - Number(a === own))) {
    const found = standing(one);
    if (!found || !here(found.job) || freeFor(one.job_id) < found.job.count) continue;
    const others = kept.filter(({ user_id, job_id }) => user_id === one.user_id && job_id !== one.job_id).length;
    if (hasSlot(found.turn, others)) return [claims(one.job_id)];
  }
  const nextOf = (count_max: number): Wait[] => {
    const headOf = ({ user_id }: Turn) => waiting.find((job) => job.user_id === user_id && job.count <= count_max && here(job));
    const able = turns.filter(
      (turn) => hasSlot(turn, kept.filter(({ user_id }) => user_id === turn.user_id).length) && headOf(turn) !== undefined,
    );
    const fewest = Math.min(...able.map(({ active }) => active));
    const oldest = Math.min(...able.filter(({ active }) => active === fewest).map(({ served }) => served?.getTime() ?? 0));
    return able
      .filter(({ active, served }) => active === fewest && (served?.getTime() ?? 0) === oldest)
      .flatMap((turn) => headOf(turn) ?? []);
  };
  const firsts = nextOf(devices.length);
  if (firsts.length === 0) return [{ claimed: null, kept: told(kept) }];
  return firsts.flatMap((first): Outcome[] => {
    if (freeFor(first.id) >= first.count) return [claims(first.id)];
    const is_new = keeps && !is_kept && !kept.some(({ job_id }) => job_id === first.id);
    if (is_new) return [{ claimed: null, kept: [...told(kept), `${worker} ${first.id}`].sort() }];
    const next = nextOf(freeFor(null));
    return next.length === 0 ? [{ claimed: null, kept: told(kept) }] : next.map(({ id }) => claims(id));
  });
}

async function statusOf(id: string): Promise<JobStatus> {
  const [job] = await db.asOwner<{ status: JobStatus }>('SELECT status FROM lowrank.training_jobs WHERE id = $1', [id]);
  if (job === undefined) throw new Error(`job ${id} is gone`);
  return job.status;
}

/** What a verb may answer besides doing it. */
async function unless(codes: string[], work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (error instanceof AppError && codes.includes(error.code)) return false;
    throw error;
  }
}

const pick = <T>(from: T[], at: number): T | undefined => from[at % Math.max(1, from.length)];

/** One command: what it does, and after it every promise. */
class Command implements fc.AsyncCommand<Nothing, Scene> {
  readonly #words: string;
  readonly #work: (scene: Scene) => Promise<void>;
  constructor(words: string, work: (scene: Scene) => Promise<void>) {
    this.#words = words;
    this.#work = work;
  }
  check = () => true;
  toString = () => this.#words;
  async run(_: Nothing, scene: Scene): Promise<void> {
    await this.#work(scene);
    expect(await brokenInvariants(db, [])).toEqual([]);
    const active = await db.asOwner<{ id: string }>(
      "SELECT id FROM lowrank.training_jobs WHERE status IN ('initializing', 'running')",
    );
    expect(active.map(({ id }) => id).sort()).toEqual(scene.runs.map(({ job_id }) => job_id).sort());
  }
}

const forget = (scene: Scene, run: Held) => scene.runs.splice(scene.runs.indexOf(run), 1);

/** Longer than a test lasts: every host answers. */
const ANSWERS_MS = 3_600_000;

async function claim(scene: Scene, at: number, keeps: boolean): Promise<void> {
  const worker = scene.workers[at % WORKERS] ?? '';
  const expected = await expectedClaims(worker, keeps);
  const run = await claimJob(worker, 'process', ANSWERS_MS, undefined, keeps ? 0 : ANSWERS_MS);
  expect(expected).toContainEqual({ claimed: run?.job_id ?? null, kept: told(await readKept()) });
  if (run === null) return;
  scene.runs.push({ ...run, worker: at % WORKERS });
  const [row] = await db.asOwner<{ active: number; active_max: number }>(
    `SELECT q.active, q.active_max FROM lowrank.user_queues q JOIN lowrank.training_jobs j USING (user_id) WHERE j.id = $1`,
    [run.job_id],
  );
  expect(row?.active).toBeLessThanOrEqual(row?.active_max ?? 0);
}

async function finish(scene: Scene, at: number, how: string): Promise<void> {
  const run = pick(scene.runs, at);
  if (run === undefined) return;
  if (how !== 'not_started') await noteStarted(run, { executor: 'process' });
  const exit = how === 'not_started' ? null : { ...EXIT, ran_ms: 1000 };
  if (how === 'completed') {
    const id = randomUUID();
    const files = { id, name: 'a', storage_path: id, files: [], sha256: 'x', size: 1 };
    await completeRun(run, { ...files, quality_metrics: {}, training_summary: {}, passport: {} }, { ...EXIT, ran_ms: 1000 });
  } else {
    const ending = ENDINGS[how];
    if (ending !== undefined) await settleRun(run, ending, exit, 0);
  }
  forget(scene, run);
  // Whoever held it writes nothing any more.
  await expect(settleRun(run, LOST, null, 0)).rejects.toMatchObject({ code: 'fenced' });
}

/** The host is gone: its jobs are settled from afar, its devices stay taken until it is back under another boot id. */
async function crash(scene: Scene, at: number): Promise<void> {
  const worker = at % WORKERS;
  const id = scene.workers[worker] ?? '';
  const gone = scene.runs.filter((run) => run.worker === worker);
  for (const run of gone) {
    await asScheduler((tx) => settleFromAfar(tx, run, bareFailure('contact_lost', 'gone.'), 0));
    forget(scene, run);
  }
  const taken = await db.asOwner(
    'SELECT 1 FROM lowrank.gpu_leases l JOIN lowrank.gpu_devices d ON d.id = l.device_id WHERE d.worker_id = $1 AND l.released_at IS NULL',
    [id],
  );
  const leases = await db.asOwner('SELECT 1 FROM lowrank.gpu_leases WHERE job_id = ANY ($1) AND released_at IS NULL', [
    gone.map(({ job_id }) => job_id),
  ]);
  expect(taken).toHaveLength(leases.length);
  for (const run of gone) await releaseDevice(run);
  await boot(id, DEVICES[worker] ?? 0);
}

const index = fc.nat({ max: 20 });
const count = fc.oneof(
  { weight: 3, arbitrary: fc.constant(1) },
  { weight: 2, arbitrary: fc.integer({ min: 2, max: COUNT_MAX }) },
);
const submit = fc.tuple(index, fc.integer({ min: -2, max: 2 }), fc.boolean(), count).map(
  ([at, priority, start, devices]) =>
    new Command(`submit(${at}, ${priority}, ${start}, ${devices})`, async (scene) => {
      const person = pick(scene.people, at);
      if (person === undefined) return;
      const gpu_config = { type: 'Own-GPU', count: devices };
      const { job } = await createJob(person.ctx, specOf(person.dataset, scene.model, { priority, start, gpu_config }));
      scene.jobs.push({ id: job.id, owner: person.ctx });
    }),
);
const claimOne = fc
  .tuple(index, fc.boolean())
  .map(([at, keeps]) => new Command(`claim(${at}, ${keeps})`, (scene) => claim(scene, at, keeps)));
const finishOne = fc
  .tuple(index, fc.constantFrom('completed', ...Object.keys(ENDINGS)))
  .map(([at, how]) => new Command(`finish(${at}, ${how})`, (scene) => finish(scene, at, how)));
const others = [
  fc.tuple(index, index).map(
    ([at, other]) =>
      new Command(`cancel(${at})`, async (scene) => {
        const job = pick(scene.jobs, at);
        if (job === undefined) return;
        const stranger = scene.people.find(({ ctx }) => ctx.user_id !== job.owner.user_id);
        if (stranger !== undefined && other % 2 === 0)
          await expect(cancelJob(stranger.ctx, job.id)).rejects.toMatchObject({ code: 'not_found' });
        const before = await statusOf(job.id);
        const done = await unless(['job_already_final'], cancelJob(job.owner, job.id));
        expect(done).toBe(!isTerminal(before) || before === 'cancelled');
        if (before === 'queued') expect(await statusOf(job.id)).toBe('cancelled');
        // Its worker ends it: that wish wins over whatever the run says.
        const run = scene.runs.find(({ job_id }) => job_id === job.id);
        if (run === undefined || other % 3 === 0) return;
        expect(await settleRun(run, LOST, null, 0)).toBe('cancelled');
        forget(scene, run);
      }),
  ),
  index.map(
    (at) =>
      new Command(`pause(${at})`, async (scene) => {
        const job = pick(scene.jobs, at);
        if (job === undefined || !(await unless(['job_already_final'], pauseJob(job.owner, job.id)))) return;
        const run = scene.runs.find(({ job_id }) => job_id === job.id);
        if (run === undefined) return;
        await noteStarted(run, { executor: 'process' });
        expect(['queued', 'cancelled']).toContain(
          await settleRun(run, { type: 'paused' }, { ...EXIT, code: 143, ran_ms: 1000 }, 0),
        );
        forget(scene, run);
      }),
  ),
  index.map(
    (at) =>
      new Command(`start(${at})`, async (scene) => {
        const job = pick(scene.jobs, at);
        if (job !== undefined) await unless(['job_already_final'], startJob(job.owner, job.id));
      }),
  ),
  index.map((at) => new Command(`crash(${at})`, (scene) => crash(scene, at))),
  fc.tuple(index, fc.integer({ min: 1, max: 4 })).map(
    ([at, limit]) =>
      new Command(`limit(${at}, ${limit})`, async ({ administrator, people }) => {
        if (at % 3 === 0) await changeSettings(administrator, { active_jobs_per_user: limit });
        else
          await changePerson(administrator, pick(people, at)?.ctx.user_id ?? '', {
            active_jobs_max: at % 5 === 0 ? null : limit,
          });
      }),
  ),
  fc.tuple(index, fc.boolean()).map(
    ([at, drained]) =>
      new Command(`drain(${at}, ${drained})`, async ({ administrator }) => {
        const { devices } = await listDevices(administrator, { limit: 50, offset: 0 });
        await changeDevice(administrator, pick(devices, at)?.id ?? '', { drained });
      }),
  ),
  index.map(
    (at) =>
      new Command(`quarantine(${at})`, async ({ workers }) => {
        await quarantineDevice(workers[at % WORKERS] ?? '', `GPU-${at % COUNT_MAX}`, 'nvidia-smi does not list it any more');
      }),
  ),
  index.map(
    (at) =>
      new Command(`release(${at})`, async ({ administrator, workers }) => {
        const [worker, uuid] = [workers[at % WORKERS] ?? '', `GPU-${at % COUNT_MAX}`];
        await noteDevices(worker, await beginLook(), [
          { uuid, processes: 0, by_card: false, memory_used_mb: null, utilization_percent: null },
        ]);
        const [device] = await db.asOwner<{ id: string; stays: boolean }>(
          `SELECT d.id, d.quarantined_at IS NOT NULL AND EXISTS (SELECT FROM lowrank.gpu_leases l WHERE l.device_id = d.id AND l.released_at IS NULL) AS stays
           FROM lowrank.gpu_devices d WHERE worker_id = $1 AND uuid = $2`,
          [worker, uuid],
        );
        if (device === undefined) return;
        expect(await unless(['conflict'], changeDevice(administrator, device.id, { quarantined: false }))).toBe(!device.stays);
      }),
  ),
  index.map(
    (at) =>
      new Command(`queue(${at})`, async ({ people }) => {
        const person = pick(people, at);
        if (person === undefined) return;
        const { jobs } = await listQueue(person.ctx, { limit: 100, offset: 0 });
        const mine = await db.asOwner<{ id: string }>(
          "SELECT id FROM lowrank.training_jobs WHERE user_id = $1 AND status = 'queued' ORDER BY priority DESC, queued_at, id",
          [person.ctx.user_id],
        );
        expect(jobs.map(({ id }) => id)).toEqual(mine.map(({ id }) => id));
        const in_line = jobs.filter(({ reason }) => reason !== 'held');
        expect(in_line.map(({ position }) => position)).toEqual(in_line.map((_, place) => place + 1));
      }),
  ),
];

/** Mostly what fills and empties the queue: a rule shows where several people wait at once. */
const commands = [...Array(6).fill(submit), ...Array(6).fill(claimOne), finishOne, finishOne, ...others];

test('whatever is submitted, claimed, ended, cancelled, paused, crashed and limited, every promise of the queue holds', async () => {
  await fc.assert(
    fc.asyncProperty(fc.commands<Nothing, Scene, false>(commands, { maxCommands: 80, size: 'max' }), async (asked) => {
      const scene = await setScene();
      await fc.asyncModelRun(() => ({ model: {}, real: scene }), asked);
    }),
    { numRuns: 15, endOnFailure: false },
  );
}, 300_000);
