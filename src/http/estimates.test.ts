import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { FORMULAS } from '#/domain/foresight/learning/observed-run.ts';
import { GPU_DEFAULTS } from '#/domain/gpu-catalog.ts';
import { ESTIMATE_CONSTANTS } from '#/domain/training-estimate.ts';
import { addCaller, json, noWaiting, useApi } from '../../test/api.ts';
import type { FieldRow } from '../../test/contract-tables/door-a.ts';
import { AGREED_RATES, ESTIMATE_FIELDS } from '../../test/contract-tables/door-b.ts';
import { useDatabase } from '../../test/database.ts';
import { addBaseModel, addDataset } from '../../test/factories.ts';
import { storedShapeOf } from '../../test/stored-shape.ts';

const db = useDatabase();
const api = useApi();
const NO_ID = '00000000-0000-4000-8000-000000000000';
let caller: Awaited<ReturnType<typeof addCaller>>;
let dataset_id: string;
let model_id: string;
beforeAll(async () => {
  caller = await addCaller(db);
  model_id = await addBaseModel(db);
  dataset_id = await addDataset(db, caller.user_id, {
    name: 'Questions',
    total_training_pairs: 1001,
    total_tokens: 1_000_000,
    file_size: 2_000_000_000,
  });
});
beforeEach(() => noWaiting(db));

const asked = (fields: Record<string, unknown> = {}): Record<string, unknown> => ({
  dataset_id,
  gpu_config: { type: 'A100-80GB', count: 2 },
  hyperparameters: { learning_rate: 5e-5, batch_size: 4, epochs: 3, rank: 16 },
  ...fields,
});
const ask = (body: unknown, headers: Record<string, string> = caller.headers) =>
  api.request('/api/jobs/estimate', json(body, headers));
const dataOf = async (body: unknown) => {
  const answer = await ask(body);
  const told = await answer.json();
  expect([answer.status, told.success]).toEqual([200, true]);
  return told.data;
};

/** The question as JSON text with one member set to the given text, or left out. */
function bodyWith(field: string, text: string | undefined): string {
  const [name = '', member] = field.split('.');
  const fields = asked();
  const of = (value: unknown, key: string, one: string | undefined) => {
    const rest = Object.entries(value as Record<string, unknown>).filter(([other]) => other !== key);
    const parts = rest.map(([other, kept]) => `"${other}":${JSON.stringify(kept)}`);
    return `{${[...parts, ...(one === undefined ? [] : [`"${key}":${one}`])]}}`;
  };
  const value = text?.replaceAll('UUID', dataset_id).replaceAll('MODEL', model_id);
  return member === undefined ? of(fields, name, value) : of(fields, name, of(fields[name], member, value));
}

describe('each field of an estimate', () => {
  test('is in the table', () => {
    expect(ESTIMATE_FIELDS).toHaveLength(9);
    expect(ESTIMATE_FIELDS.flatMap((row) => row.refuses).length).toBeGreaterThan(85);
  });

  test.each(ESTIMATE_FIELDS)('$field is taken as its rule says', async ({ field, takes }: FieldRow) => {
    for (const text of takes) {
      const answer = await ask(bodyWith(field, text));
      expect([text, answer.status, (await answer.json()).success]).toEqual([text, 200, true]);
    }
  });

  test.each(ESTIMATE_FIELDS)('$field is refused in one row that names it', async ({ field, refuses }: FieldRow) => {
    for (const [text, code, path] of refuses) {
      const answer = await ask(bodyWith(field, text));
      const told = await answer.json();
      expect([text, answer.status, told.code, told.details]).toEqual([text, 400, 'invalid_request', expect.any(String)]);
      expect([text, told.violations]).toEqual([text, [{ path: path ?? field, code, message: expect.stringMatching(/./) }]]);
    }
  });

  test.each(ESTIMATE_FIELDS)('$field is required, or may be absent', async ({ field, default: fallback }: FieldRow) => {
    const answer = await ask(bodyWith(field, undefined));
    const told = await answer.json();
    if (fallback === undefined) expect(answer.status).toBe(200);
    else expect([answer.status, told.violations]).toEqual([400, [{ path: field, code: 'required', message: 'is required' }]]);
  });

  test('that is broken is told with all the others', async () => {
    const answer = await ask({
      dataset_id: 'x',
      gpu_config: { type: '', count: 0 },
      hyperparameters: { learning_rate: 1, batch_size: 17, epochs: 11, rank: 65, alpha: 0, dropout: 0.6 },
      base_model_id: 'x',
      max_steps: 0,
      max_seq_length: 1,
    });
    const { violations } = await answer.json();
    const paths = violations.map((row: { path: string }) => row.path);
    expect(paths.sort()).toEqual(
      [
        ...['base_model_id', 'dataset_id', 'gpu_config.count', 'gpu_config.type', 'max_seq_length', 'max_steps'],
        ...['alpha', 'batch_size', 'dropout', 'epochs', 'learning_rate', 'rank'].map((name) => `hyperparameters.${name}`),
      ].sort(),
    );
  });
});

describe('an estimate', () => {
  test('says steps, hours, dollars and what they stand on', async () => {
    expect(await dataOf(asked())).toEqual({
      // 3 000 000 tokens at 3600 a second and 270 s around them, at 7.00 an hour; 2.08 GB at 0.10.
      estimated_cost: 2.36,
      cost_breakdown: { compute: 2.15, storage: 0.21 },
      estimated_duration_hours: 0.306481,
      duration_breakdown: { training_hours: 0.231481, overhead_hours: 0.075 },
      hourly_rate: 7,
      gpu_config: { type: 'A100-80GB', count: 2 },
      training_details: {
        total_steps: 753,
        steps_per_epoch: 251,
        estimated_throughput_tokens_per_sec: 3600,
        estimated_tokens: 3_000_000,
        tokens_counted: true,
        dataset_name: 'Questions',
      },
      // No run was measured and no memory model is there: nothing is made up.
      verdict: null,
      interval_mb: null,
      advice: [],
      evidence: { runs: 0 },
      constants: ESTIMATE_CONSTANTS,
    });
  });

  test('of a known model has the planner’s speed and its verdict; shorter and fewer rows cost less', async () => {
    const known = await addBaseModel(db, { shape: JSON.stringify(storedShapeOf('Llama-3.1-8B')), context_length: 8192 });
    const told = await dataOf(asked({ base_model_id: known }));
    expect(told).toMatchObject({ verdict: 'fits', advice: [], evidence: { runs: 0 }, interval_mb: { low: expect.any(Number) } });
    expect(told.training_details.estimated_throughput_tokens_per_sec).not.toBe(3600);
    const short = await dataOf(asked({ base_model_id: known, max_seq_length: 64 }));
    expect(short.interval_mb.high).toBeLessThan(told.interval_mb.low);
    const few = await dataOf(asked({ base_model_id: known, max_steps: 10 }));
    expect(few.training_details.total_steps).toBe(10);
    expect(few.estimated_cost).toBeLessThan(told.estimated_cost);
    const misfit = await dataOf(asked({ base_model_id: known, gpu_config: { type: 'T4', count: 1 } }));
    expect(misfit.verdict).toBe('will_not_fit');
    expect(misfit.advice).toContainEqual(expect.stringMatching(/QLoRA/));
  });

  test('of a known model is moved by the runs that finished on such a device, and says how many', async () => {
    const known = await addBaseModel(db, { shape: JSON.stringify(storedShapeOf('Llama-3.2-1B')), context_length: 8192 });
    const hyperparameters = { learning_rate: 1e-4, batch_size: 1, epochs: 1, rank: 8 };
    const question = asked({ base_model_id: known, gpu_config: { type: 'L40S', count: 1 }, hyperparameters });
    const before = await dataOf(question);
    const told = JSON.stringify({ residuals: { runs: 20, mean: 0.2, variance: 0.0001 } });
    await db.asOwner(
      `INSERT INTO lowrank.run_groups (gpu, stack_version, method, formulas, memory, time, turn) VALUES ('L40S', 'v', 'lora', $1, $2, $2, 1)`,
      [FORMULAS, told],
    );
    const after = await dataOf(question);
    expect([before.evidence.runs, after.evidence.runs]).toEqual([0, 20]);
    expect(after.interval_mb.low).toBeGreaterThan(before.interval_mb.low * 1.1);
    expect(after.estimated_duration_hours).toBeGreaterThan(before.estimated_duration_hours);
    await db.asOwner('DELETE FROM lowrank.run_groups');
  });

  test.each(AGREED_RATES)('of %s is at %f $ an hour and %i tokens a second', async (type, rate, speed) => {
    for (const count of [1, 3, 8]) {
      const told = await dataOf(asked({ gpu_config: { type: type.toLowerCase(), count } }));
      expect([told.gpu_config.type, told.hourly_rate]).toEqual([type, Math.round(rate * count * 100) / 100]);
      expect(told.training_details.estimated_throughput_tokens_per_sec).toBe(speed * count);
    }
  });

  test.each([
    ['a100', 'A100-80GB'],
    ['V100', 'V100-32GB'],
    ['rtx 4090', 'RTX-4090'],
  ])('knows %s as %s', async (name, type) => {
    expect((await dataOf(asked({ gpu_config: { type: name, count: 1 } }))).gpu_config.type).toBe(type);
  });

  test('of an unknown device is refused with the catalogue’s names', async () => {
    const told = await (await ask(asked({ gpu_config: { type: 'Voodoo2', count: 1 } }))).json();
    for (const { type } of GPU_DEFAULTS) expect(told.details).toContain(type);
  });

  test('of somebody else’s dataset is as absent as of none, and so is a base model that is not there', async () => {
    const stranger = await addCaller(db);
    const foreign = await ask(asked(), stranger.headers);
    const absent = await ask(asked({ dataset_id: NO_ID }), stranger.headers);
    const told = [await foreign.json(), await absent.json()].map(({ request_id: _, ...rest }) => rest);
    expect([foreign.status, absent.status, told[0]]).toEqual([404, 404, told[1]]);
    expect((await ask(asked({ base_model_id: NO_ID }))).status).toBe(404);
    expect((await ask(asked())).status).toBe(200);
  });

  test.each([
    [{ status: 'uploading', storage_path: null, checksum: null }, 'dataset_not_ready', 'dataset_uploading'],
    [{ status: 'validating' }, 'dataset_not_ready', 'dataset_validating'],
    [{ status: 'error' }, 'dataset_not_ready', 'dataset_error'],
    [{ total_training_pairs: 0 }, 'dataset_not_training_ready', 'no_training_rows'],
    [{ training_ready: false }, 'dataset_not_training_ready', 'not_training_ready'],
  ])('of a dataset with %j is a conflict %s for the reason %s, and so is its training', async (fields, code, reason) => {
    const unready = await addDataset(db, caller.user_id, fields);
    for (const answer of [
      await ask(asked({ dataset_id: unready })),
      await api.post('/api/jobs', { dataset_id: unready, base_model_id: model_id }, caller.headers),
    ]) {
      const told = await answer.json();
      expect([answer.status, told.code, told.violations]).toEqual([
        409,
        code,
        [{ path: 'dataset_id', code: reason, message: expect.any(String) }],
      ]);
    }
  });

  test('is what the job stores, whatever its client says', async () => {
    const hyperparameters = { learning_rate: 5e-5, batch_size: 4, epochs: 3, rank: 16, alpha: 32, dropout: 0.1 };
    const { estimated_cost } = await dataOf(asked({ hyperparameters }));
    const submitted = await api.post(
      '/api/jobs',
      { ...asked({ hyperparameters }), preset_id: 'balanced', base_model_id: model_id, estimated_cost: 0.01 },
      caller.headers,
    );
    const { data } = await submitted.json();
    expect([submitted.status, data.estimated_total_cost]).toEqual([201, estimated_cost]);
    expect([data.status, data.progress, data.total_steps, data.preset_id]).toEqual(['queued', 0, 753, 'balanced']);
    const look = await api.request(`/api/jobs/${data.id}`, { headers: caller.headers });
    expect((await look.json()).data.estimated_total_cost).toBe(estimated_cost);
  });

  test('stores nothing', async () => {
    const jobs = () => db.asOwner('SELECT count(*)::int AS n FROM lowrank.training_jobs');
    const before = await jobs();
    await dataOf(asked());
    expect(await jobs()).toEqual(before);
  });
});
