/** Door C from its submission to the adapter, with the real trainer on the model that comes along. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { MetricPoint } from '#/contract/job-reads.ts';
import type { WizardJob } from '#/contract/jobs.ts';
import type { Preflight } from '#/contract/wizard.ts';
import { env } from '#/env.ts';
import { addCaller, useApi } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import { addBaseModel, addDataset } from '../../test/factories.ts';
import { isOver, untilJob } from '../../test/worker-process.ts';
import { setScene } from '../../test/worker-scene.ts';

const ROWS = 100;
const ROWS_HELD_OUT = 10;
const STEPS = 20;
/** A start of Python with torch on a busy machine, and some steps. */
const WITHIN_MS = 240_000;

const db = useDatabase();
const api = useApi();
const scene = setScene(db, 'all tests');
let owner: Awaited<ReturnType<typeof addCaller>>;
let base_model_id: string;
let dataset_id: string;

beforeAll(async () => {
  owner = await addCaller(db);
  base_model_id = await addBaseModel(db, { local_path: join(env.repo, 'demo/model'), context_length: 1024, vocab_size: 2560 });
  dataset_id = await addDataset(db, owner.user_id, {
    format: 'prompt_completion',
    num_samples: ROWS,
    total_training_pairs: ROWS - ROWS_HELD_OUT,
    total_validation_pairs: ROWS_HELD_OUT,
  });
  const rows = (await readFile(join(env.repo, 'demo/orders.jsonl'), 'utf8')).split('\n').slice(0, ROWS);
  const folder = join(scene.host.data_dir, 'storage', owner.user_id, dataset_id);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'data'), `${rows.join('\n')}\n`);
  await scene.host.start({ LOWRANK_TRAINER: undefined as unknown as string, LOWRANK_TIME_DIVISOR: '4' });
});

const asked = (fields: Record<string, unknown> = {}) => ({
  base_model_id,
  dataset_id,
  recipe_id: 'dora',
  train: { max_steps: STEPS, global_batch_size: 8, grad_accum: 2, learning_rate: 2e-3, warmup_steps: 2 },
  resources: { gpus: 1 },
  eval: { suites: ['held_out_loss'], interval: 10 },
  ...fields,
});

async function submit(fields: Record<string, unknown> = {}): Promise<string> {
  const answer = await api.post('/api/jobs', { name: 'Wizard', ...asked(fields) }, owner.headers);
  const submitted = (await answer.json()) as WizardJob;
  expect([answer.status, submitted.status], JSON.stringify(submitted)).toEqual([201, 'PENDING']);
  return submitted.id;
}

/** The job when it is completed. */
async function completed(id: string): Promise<WizardJob> {
  const over = await untilJob(db, id, isOver, WITHIN_MS);
  expect(over, over.error_stack ?? '').toMatchObject({ status: 'completed' });
  return (await (await api.request(`/api/jobs/${id}?view=wizard`, { headers: owner.headers })).json()) as WizardJob;
}

/** A submission by the wizard, to its end. */
const train = async (fields: Record<string, unknown> = {}) => completed(await submit(fields));

/** The losses on what is held out, from the first evaluation to the last. */
async function evaluations(job_id: string): Promise<{ step: number; eval_loss: number }[]> {
  return db.asOwner(
    'SELECT step, eval_loss FROM lowrank.metrics_points WHERE job_id = $1 AND eval_loss IS NOT NULL ORDER BY seq',
    [job_id],
  );
}

const configOf = async (job_id: string) => JSON.parse(await readFile(scene.file(job_id, 'config.json'), 'utf8'));

describe('a training that was submitted by its recipe', { timeout: 2 * WITHIN_MS }, () => {
  let first: WizardJob;

  test('is what the recipe says, and its adapter fits its base in a fresh process', async () => {
    const wishes = { eval: { suites: ['held_out_loss', 'mmlu'], interval: 10 }, export: ['safetensors', 'gguf'] };
    const judged = (await (await api.post('/api/experiments/preflight', asked(wishes), owner.headers)).json()) as Preflight;
    expect(judged.ok).toBe(true);
    expect(judged.warnings.filter((warning) => /skipped/.test(warning))).toEqual([
      expect.stringContaining('mmlu'),
      expect.stringContaining('gguf'),
    ]);
    first = await train(wishes);
    expect(first).toMatchObject({ status: 'COMPLETED', type: 'dora', experiment_id: expect.any(String) });
    expect(await configOf(first.id)).toMatchObject({
      method: 'dora',
      training_params: { batch_size: 4, grad_accum: 2, max_steps: STEPS, warmup_steps: 2, learning_rate: 2e-3 },
      init_adapters: [],
    });
    const skipped = await db.asOwner(
      "SELECT seq, data->>'name' AS name FROM lowrank.job_events WHERE job_id = $1 AND type = 'skipped' ORDER BY seq",
      [first.id],
    );
    expect(skipped).toEqual([
      { seq: 2, name: 'mmlu' },
      { seq: 3, name: 'gguf' },
    ]);
    // `completed` is written after a process of its own has loaded the adapter onto its base: see publish-adapter.ts.
    const artifacts = await db.asOwner<{ parent_model_id: string | null; adapter: string }>(
      "SELECT parent_model_id, files::text AS adapter FROM lowrank.model_artifacts WHERE id = $1 AND kind = 'adapter'",
      [first.artifact_id],
    );
    expect(artifacts).toEqual([{ parent_model_id: null, adapter: expect.stringContaining('adapter_model.safetensors') }]);
    await scene.expectOrder(10_000);
  });

  test('and was paused is, point by point, what it would have been', async () => {
    const wanted = {
      recipe_id: 'lora',
      train: { max_steps: 60, global_batch_size: 4, learning_rate: 2e-3, seed: 7 },
      eval: { suites: [], interval: 25 },
    };
    const curve = async (id: string) => {
      const answer = await api.request(`/api/jobs/${id}/metrics`, { headers: owner.headers });
      const { data } = (await answer.json()) as { data: { points: MetricPoint[] } };
      return data.points.map(({ step, epoch, loss, eval_loss, learning_rate, grad_norm }) => ({
        step,
        epoch,
        loss,
        eval_loss,
        learning_rate,
        grad_norm,
      }));
    };
    const paused = await submit(wanted);
    await untilJob(db, paused, (job) => job.current_step > 5, WITHIN_MS);
    expect((await api.post(`/api/jobs/${paused}/pause`, {}, owner.headers)).status).toBe(200);
    const at = await untilJob(db, paused, (job) => job.status !== 'running', WITHIN_MS);
    expect(at).toMatchObject({ status: 'queued', attempt: 1 });
    expect((await api.post(`/api/jobs/${paused}/resume`, {}, owner.headers)).status).toBe(200);
    const whole = await train(wanted);
    expect(await completed(paused)).toMatchObject({ attempt: 2, retry_count: 0 });
    const [run] = await db.asOwner<{ resumed_from_step: number }>(
      'SELECT resumed_from_step FROM lowrank.job_runs WHERE job_id = $1 AND attempt = 2',
      [paused],
    );
    // Progress is told once a second: it may have come further.
    expect(run?.resumed_from_step).toBeGreaterThanOrEqual(at.current_step);
    expect(run?.resumed_from_step).toBeLessThan(60);
    const points = await curve(whole.id);
    expect(points.length).toBeGreaterThan(60);
    expect(await curve(paused)).toEqual(points);
    const sums = await db.asOwner('SELECT DISTINCT sha256 FROM lowrank.model_artifacts WHERE job_id = ANY($1)', [
      [paused, whole.id],
    ]);
    expect(sums).toHaveLength(1);
  });

  test('goes on from the adapter that it names, whose child its own becomes', async () => {
    const second = await train({ adapters: [{ adapter_id: first.artifact_id }] });
    const before = await evaluations(first.id);
    const after = await evaluations(second.id);
    const [base, learned, began] = [before.at(0), before.at(-1), after.at(0)];
    expect([base?.step, learned?.step, began?.step]).toEqual([0, STEPS, 0]);
    expect(learned?.eval_loss).toBeLessThan((base?.eval_loss ?? 0) * 0.9);
    expect(began?.eval_loss).toBeCloseTo(learned?.eval_loss ?? 0, 4);
    const [artifact] = await db.asOwner('SELECT sha256 FROM lowrank.model_artifacts WHERE id = $1', [first.artifact_id]);
    expect((await configOf(second.id)).init_adapters).toEqual([expect.objectContaining({ sha256: artifact?.sha256 })]);
    const told = await api.request(`/api/artifacts/${second.artifact_id}`, { headers: owner.headers });
    expect(await told.json()).toMatchObject({ parent_model_id: first.artifact_id });
    await scene.expectOrder(10_000);
  });
});
