import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { scaledPromiseTimes } from '#/domain/constants.ts';
import { deleteJob } from '#/services/jobs/delete-job.ts';
import { useDatabase } from '../../test/database.ts';
import {
  addOwner,
  addTraining,
  type Behaviour,
  isOver,
  type JobRow,
  untilJob,
  type WorkerProcess,
} from '../../test/worker-process.ts';
import { LONG, pretendGpus, setScene } from '../../test/worker-scene.ts';

const db = useDatabase();

describe('what a run ends as', () => {
  const scene = setScene(db, 'all tests');
  let worker: WorkerProcess;
  beforeAll(async () => {
    worker = await scene.host.start();
  });

  /** One training from the queue to its end. */
  async function train(...behaviours: Behaviour[]): Promise<JobRow> {
    const job = await scene.until(await scene.add(behaviours));
    await scene.expectOrder();
    return job;
  }

  test('an adapter, when all goes well', async () => {
    const job = await train({ steps: 12 });
    expect(job, worker.words()).toMatchObject({ status: 'completed', progress: 100, current_step: 12, attempt: 1 });
    const [artifact] = await db.asOwner<{ passport: { config: Record<string, unknown> }; training_summary: object }>(
      'SELECT * FROM lowrank.model_artifacts WHERE id = $1',
      [job.artifact_id],
    );
    expect(artifact?.training_summary).toMatchObject({ steps: 12 });
    expect(JSON.stringify(artifact?.passport)).not.toContain(scene.host.data_dir);
  });

  test('what its first steps measured', async () => {
    const job = await train({ steps: 12 });
    expect(job).toMatchObject({ measured: { attempt: 1, step: 8, warmup_steps: 3, timed_steps: 5 } });
  });

  test('no adapter, where its first steps alone were asked for', async () => {
    const job = await train({ steps: 40, probe_only: true });
    expect(job, worker.words()).toMatchObject({ status: 'completed', artifact_id: null, current_step: 8, total_steps: 8 });
    expect(job).toMatchObject({ measured: { step: 8, timed_steps: 5 }, progress: 100 });
    expect(await db.asOwner('SELECT 1 FROM lowrank.model_artifacts WHERE job_id = $1', [job.id])).toEqual([]);
  });

  test.each([
    ['exit1', 'internal', 'told to fail'],
    ['segv', 'internal', ''],
    ['killself', 'killed', ''],
    ['nan', 'nan_loss', ''],
    ['oom_gpu', 'out_of_memory', 'CUDA out of memory'],
    ['oom_gpu_text', 'out_of_memory', 'CUDA out of memory'],
    ['disk_full', 'disk_full', ''],
    ['bad_data', 'data', ''],
    ['no_done', 'internal', ''],
    ['lying', 'internal', ''],
  ])('%s is told as %s, with the end of its log and the next step to take', async (behave, code, words) => {
    const job = await train({ behave, steps: 8 });
    expect(job).toMatchObject({ status: 'failed', error_code: code, retry_count: 0, error_hint: expect.stringMatching(/./) });
    expect(job.error_message).toMatch(/\.$/);
    expect(job.error_stack ?? '').toContain(words);
    expect(job.error_stack ?? '').not.toContain(scene.host.data_dir);
  });

  test('lines that are no events are counted and cost nothing else', async () => {
    const job = await train({ behave: 'garbage', steps: 8 });
    expect(job.status).toBe('completed');
    const [run] = await db.asOwner<{ events_rejected: number }>(
      'SELECT events_rejected FROM lowrank.job_runs WHERE job_id = $1',
      [job.id],
    );
    expect(run?.events_rejected).toBe(8);
  });

  test('a flood of events is stored to the last line', async () => {
    const job = await train({ behave: 'flood_events', steps: 5000, checkpoint_interval: 1000 });
    expect(job).toMatchObject({ status: 'completed', current_step: 5000 });
    const [points] = await db.asOwner<{ n: number }>('SELECT count(*)::int AS n FROM lowrank.metrics_points WHERE job_id = $1', [
      job.id,
    ]);
    expect(points?.n).toBe(5000);
  });

  test('nothing of it is left running, and its folder holds what may be needed and no more', async () => {
    const job = await train({ behave: 'fork_escape', steps: 12 });
    expect(job.status).toBe('completed');
    await untilGone(scene.file(job.id, 'run.json'));
    expect((await readdir(scene.file(job.id, ''))).sort()).toEqual([
      'config.json',
      'exit.json',
      'lock',
      'outputs',
      'started.json',
      'train.log',
    ]);
    expect((await readdir(scene.file(job.id, 'outputs'))).sort()).toEqual(['checkpoints', 'events.jsonl', 'passport.json']);
    expect(await readdir(scene.file(job.id, 'outputs/checkpoints'))).toEqual(['step-00000010']);
    expect(await scene.exited(job.id)).toMatchObject({ code: 0, orphans_killed: 1 });
  });

  test.each([
    ['cannot be read', `'{"spec": {}}'`],
    ['is no configuration of a trainer', `jsonb_set(config, '{plan,max_seq_length}', '-5')`],
  ])('a stored configuration that %s fails the job by name, and the next one trains', async (_, broken) => {
    const id = await scene.add([{}], { held_at: new Date(), priority: 10 });
    await db.asOwner(`UPDATE lowrank.training_jobs SET config = ${broken}, held_at = NULL WHERE id = $1`, [id]);
    const next = await scene.add([{ steps: 3 }]);
    expect(await scene.until(id)).toMatchObject({
      status: 'failed',
      error_code: 'bad_config',
      error_message: expect.stringContaining('stored configuration cannot be read'),
      attempt: 1,
    });
    expect((await scene.until(next)).status).toBe('completed');
  });

  test('a job that cannot be claimed is named in the log, and the others train', async () => {
    const id = await scene.add([{}], { held_at: new Date(), priority: 10, attempt: 32_767 });
    const next = await scene.add([{ steps: 3 }]);
    await db.asOwner('UPDATE lowrank.training_jobs SET held_at = NULL WHERE id = $1', [id]);
    expect((await scene.until(next)).status).toBe('completed');
    expect(await scene.until(id)).toMatchObject({ status: 'failed', error_code: 'launch_failed' });
    expect(worker.words()).toContain(`"job_id":"${id}"`);
  });

  test('a dataset whose file is gone fails the job before its trainer starts', async () => {
    const gone = await addOwner(db, scene.host);
    await rm(join(scene.host.data_dir, 'storage', gone.user_id), { recursive: true });
    const job = await untilJob(db, await addTraining(db, scene.host, gone), isOver);
    expect(job).toMatchObject({ status: 'failed', error_code: 'dataset_missing' });
    expect(existsSync(scene.file(job.id, 'started.json'))).toBe(false);
  });
});

async function untilGone(path: string): Promise<void> {
  const until = performance.now() + 60_000;
  while (existsSync(path)) {
    if (performance.now() > until) throw new Error(`${path} stays`);
    await pause(10);
  }
}

describe('a worker as a process', () => {
  const scene = setScene(db, 'each test');

  test('a second one on the same data directory ends with a clear word, and the first goes on', async () => {
    await scene.host.start();
    const second = scene.host.launch();
    expect(await second.gone).toBe(3);
    expect(second.words()).toContain('Another worker already runs on the data directory');
    expect((await scene.until(await scene.add([{ steps: 3 }]))).status).toBe('completed');
  });

  test.each(['LOWRANK_SCHEDULER_URL', 'LOWRANK_DELIVERY_URL'])('without %s it says what to do', async (name) => {
    const worker = scene.host.launch({ [name]: undefined as unknown as string });
    expect(await worker.gone).toBe(2);
    expect(worker.words()).toContain('npm start');
  });

  test('an orderly stop leaves the training running, and the next worker finds it', async () => {
    const worker = await scene.host.start();
    const id = await scene.add([{ steps: 50, step_seconds: 0.05 }]);
    await scene.until(id, (job) => job.current_step > 2);
    worker.child.kill('SIGTERM');
    expect(await worker.gone).toBe(0);
    const [row] = await db.asOwner<{ stopped_at: Date | null }>('SELECT stopped_at FROM lowrank.workers WHERE pid = $1', [
      worker.pid,
    ]);
    expect(row?.stopped_at).not.toBeNull();
    const started = await scene.started(id);
    await scene.host.start();
    expect(await scene.until(id)).toMatchObject({ status: 'completed', attempt: 1, current_step: 50 });
    expect(await scene.started(id)).toEqual(started);
    await scene.expectOrder();
  });

  test('a hang is seen and ended', async () => {
    // A hang is ten minutes without a step: divided far enough for a test.
    await scene.host.start({ LOWRANK_TIME_DIVISOR: '1000' });
    const id = await scene.add([{ behave: 'hang', steps: 8 }]);
    const began = performance.now();
    expect(await scene.until(id)).toMatchObject({ status: 'failed', error_code: 'hang' });
    expect(performance.now() - began).toBeGreaterThan(scaledPromiseTimes(1000).hang_training_ms);
  });

  test('each GPU that nvidia-smi lists gets one run, and a lost one is not given out again', async () => {
    const { PATH, list } = await pretendGpus(scene.host, 2);
    await scene.host.start({ PATH });
    const other = await addOwner(db, scene.host);
    const jobs: string[] = [];
    for (const user of [scene.owner, other, other]) jobs.push(await addTraining(db, scene.host, user, [LONG]));
    await Promise.all(jobs.slice(0, 2).map((id) => scene.until(id, (job) => job.current_step > 0)));
    const configs = await Promise.all(
      jobs.slice(0, 2).map(async (id) => JSON.parse(await readFile(scene.file(id, 'config.json'), 'utf8'))),
    );
    expect(configs.map((config) => [config.device, config.training_params.precision])).toEqual([
      ['cuda', 'bf16'],
      ['cuda', 'bf16'],
    ]);
    const leases = await db.asOwner<{ uuid: string; job_id: string }>(
      'SELECT d.uuid, l.job_id FROM lowrank.gpu_leases l JOIN lowrank.gpu_devices d ON d.id = l.device_id WHERE l.released_at IS NULL',
    );
    expect(leases.map((lease) => lease.uuid).sort()).toEqual(['GPU-0', 'GPU-1']);
    expect((await scene.job(jobs[2] ?? '')).status).toBe('queued');
    await list([1]);
    const victim = leases.find((lease) => lease.uuid === 'GPU-0')?.job_id ?? '';
    const job = await scene.until(victim, (row) => row.retry_count > 0);
    expect(job.error_code).toBeNull();
    const [lost] = await db.asOwner<{ quarantined_at: Date | null }>(
      "SELECT quarantined_at FROM lowrank.gpu_devices WHERE uuid = 'GPU-0'",
    );
    expect(lost?.quarantined_at).not.toBeNull();
    const open = await db.asOwner('SELECT 1 FROM lowrank.gpu_leases WHERE released_at IS NULL');
    expect(open.length).toBeLessThanOrEqual(1);
  });

  test('a GPU on which somebody else computes gets no run, neither at the start nor after one of ours, until it is alone', async () => {
    const { PATH, occupy } = await pretendGpus(scene.host, 2);
    await occupy([0]);
    await scene.host.start({ PATH });
    const other = await addOwner(db, scene.host);
    const first = await scene.add([{ steps: 5 }]);
    const given = () =>
      db.asOwner('SELECT l.job_id, d.uuid FROM lowrank.gpu_leases l JOIN lowrank.gpu_devices d ON d.id = l.device_id');
    await scene.until(first, (job) => job.status === 'running');
    // Both are somebody else's by the time that it ends.
    await occupy([0, 1]);
    expect(await scene.until(first)).toMatchObject({ status: 'completed' });
    await expect
      .poll(async () => (await db.asOwner('SELECT sum(foreign_processes)::int AS n FROM lowrank.gpu_devices'))[0])
      .toEqual({ n: 2 });
    const second = await addTraining(db, scene.host, other, [{ steps: 5 }]);
    await occupy([1]);
    expect(await scene.until(second)).toMatchObject({ status: 'completed', attempt: 1 });
    expect(await given()).toEqual([
      { job_id: first, uuid: 'GPU-1' },
      { job_id: second, uuid: 'GPU-0' },
    ]);
  });

  test('folders of deleted jobs are removed, those of others stay', async () => {
    const kept = await scene.add([{}], { held_at: new Date() });
    const gone = join(scene.host.data_dir, 'runs', '00000000-0000-4000-8000-000000000000');
    await mkdir(join(gone, '1'), { recursive: true });
    const over = await scene.add([{ steps: 1 }]);
    const worker = await scene.host.start();
    await untilGone(gone);
    expect(await scene.until(over)).toMatchObject({ status: 'completed' });
    const folder = join(scene.host.data_dir, 'runs', over);
    expect(existsSync(folder)).toBe(true);
    await deleteJob({ user_id: scene.owner.user_id, role: 'user' }, over);
    worker.child.kill('SIGTERM');
    await worker.gone;
    await scene.host.start();
    await untilGone(folder);
    expect(existsSync(join(scene.host.data_dir, 'runs', kept))).toBe(true);
  });
});
