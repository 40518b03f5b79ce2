import { describe, expect, test } from 'vitest';
import { addBaseModel } from '../../test/factories.ts';
import { storedShapeOf } from '../../test/stored-shape.ts';
import {
  addAdapter,
  api,
  ask,
  asked,
  base_model_id,
  db,
  judge,
  owner,
  pathsOf,
  read,
  stranger,
} from '../../test/wizard-scene.ts';

const NO_ID = '00000000-0000-4000-8000-000000000000';

describe('a preflight', () => {
  test('of what can be trained is ok, with nothing invented', async () => {
    expect(await judge()).toEqual({
      ok: true,
      errors: [],
      warnings: expect.arrayContaining([
        expect.stringMatching(/Memory and speed are not known/),
        expect.stringMatching(/small: 100 samples/),
      ]),
      estimated_vram_mb: null,
      vram_breakdown: {
        model_params_gb: null,
        activations_gb: null,
        gradients_gb: null,
        optimizer_gb: null,
        total_with_buffer_gb: null,
      },
      time_per_step_ms: null,
      throughput: { samples_per_second: null, tokens_per_second: null },
      verdict: null,
      interval_mb: null,
      advice: [],
      evidence: { runs: 0 },
    });
  });

  test('of a model whose shape is known says its memory, speed and verdict, and what would make it fit', async () => {
    const small = await addBaseModel(db, { shape: JSON.stringify(storedShapeOf('Llama-3.2-1B')), vocab_size: 128_256 });
    const fits = await judge({ base_model_id: small, resources: { gpus: 1, gpu_type: 'A100-80GB' } });
    expect(fits).toMatchObject({ ok: true, verdict: 'fits', advice: [], evidence: { runs: 0 } });
    expect(fits.interval_mb?.low).toBeLessThan(fits.estimated_vram_mb ?? 0);
    expect(fits.vram_breakdown).toMatchObject({ total_with_buffer_gb: expect.any(Number), model_params_gb: expect.any(Number) });
    expect(fits.time_per_step_ms).toBeGreaterThan(0);
    expect(fits.throughput).toEqual({ samples_per_second: expect.any(Number), tokens_per_second: expect.any(Number) });
    const large = await addBaseModel(db, { shape: JSON.stringify(storedShapeOf('Llama-3.1-70B')), vocab_size: 128_256 });
    const misfit = await judge({ base_model_id: large, resources: { gpus: 1, gpu_type: 'T4' } });
    expect(misfit).toMatchObject({
      ok: false,
      estimated_vram_mb: 0,
      vram_breakdown: {},
      throughput: {},
      verdict: 'will_not_fit',
    });
    expect(misfit.errors).toEqual([expect.stringMatching(/^ERROR: It does not fit: .* on each T4/)]);
    expect(misfit.advice).toContainEqual(expect.stringMatching(/QLoRA/));
  });

  test('of what cannot is a 200 all the same, every error with its word and every figure 0', async () => {
    const judged = await judge({
      recipe_id: 'full',
      train: { max_steps: 20, global_batch_size: 7, grad_accum: 2 },
      resources: { gpus: 2, gpu_type: 'Voodoo2', strategy: 'ddp', partition_id: 'mig-1' },
      adapters: [{ adapter_id: NO_ID }, { adapter_id: NO_ID }],
    });
    expect(judged).toMatchObject({ ok: false, estimated_vram_mb: 0, time_per_step_ms: 0, vram_breakdown: {}, throughput: {} });
    for (const error of [/Full fine-tune/, /does not divide/, /Voodoo2/, /mig-1/, /no such adapter/, /one adapter/])
      expect(judged.errors).toContainEqual(expect.stringMatching(error));
    expect(judged.errors.every((error) => error.startsWith('ERROR: '))).toBe(true);
  });

  test('tells of a stranger’s dataset, adapter and template what it tells of none', async () => {
    const template = (await (
      await api.post('/api/recipes', { name: 'Mine', method: 'lora', defaults: { rank: 8 } }, owner.headers)
    ).json()) as { id: string };
    const adapter_id = await addAdapter({ user_id: owner.user_id, base_model_id, rank: 8 });
    const mine = { recipe_id: template.id, adapters: [{ adapter_id }] };
    const none = { recipe_id: NO_ID, adapters: [{ adapter_id: NO_ID }], dataset_id: NO_ID };
    const foreign = await judge(mine, stranger.headers);
    expect(foreign).toEqual(await judge(none, stranger.headers));
    expect(foreign.errors).toHaveLength(3);
    expect((await judge(mine)).ok).toBe(true);
  });

  test('knows an adapter of another base or rank, and a licence that nobody accepted', async () => {
    const other = await addBaseModel(db, { name: 'other' });
    const adapter_id = await addAdapter({ user_id: owner.user_id, base_model_id: other, rank: 4 });
    const { errors } = await judge({ adapters: [{ adapter_id }] });
    expect(errors).toEqual([expect.stringMatching(/another base model/), expect.stringMatching(/rank 4/)]);
    const status_reason = { code: 'gated_model', message: 'x' };
    const gated = await addBaseModel(db, { status: 'error', status_reason, trainable: false });
    expect((await judge({ base_model_id: gated })).errors).toEqual([expect.stringMatching(/gated: accept its licence/)]);
    // What its card says stands; where it has none, what people say.
    for (const fields of [
      { user_metadata: { licence: 'cc-by-nc-4.0' } },
      { license: 'cc-by-nc-4.0', user_metadata: { license: 'mit' } },
    ]) {
      const licensed = await addBaseModel(db, fields);
      expect((await judge({ base_model_id: licensed })).warnings).toContainEqual(expect.stringMatching(/cc-by-nc-4.0/));
    }
    const free = await addBaseModel(db, { license: 'mit' });
    expect((await judge({ base_model_id: free })).warnings).not.toContainEqual(expect.stringMatching(/licence/));
    expect((await judge()).warnings).toContainEqual(expect.stringMatching(/licence .* is not known/));
    const told = await read<{ license: string | null }>(`/api/base-models/${free}`);
    expect(told.license).toBe('mit');
  });

  test('counts with estimates: 60 a minute', async () => {
    const answer = await ask(asked());
    expect(answer.headers.get('ratelimit-limit')).toBe('60');
    const [bucket] = await db.asOwner('SELECT used FROM lowrank.rate_limits WHERE bucket = $1', [`estimate:${owner.user_id}`]);
    expect(bucket).toEqual({ used: 1 });
  });

  test('names what it does not know and what is out of range', async () => {
    const answer = await ask(
      asked({
        name: 'x',
        recipe_id: 'lora2',
        train: { max_steps: 0, global_batch_size: 1.5, grad_accum: 0, learning_rate: 1, epochs: 1 },
        resources: { gpus: 9, strategy: 'zero', mixed_precision: 'int8' },
        eval: { suites: ['nonsense'] },
        export: ['exe'],
      }),
    );
    expect([answer.status, await pathsOf(answer)]).toEqual([
      400,
      [
        'eval.suites.0',
        'export.0',
        'name',
        'recipe_id',
        'resources.gpus',
        'resources.mixed_precision',
        'resources.strategy',
        'train.epochs',
        'train.global_batch_size',
        'train.grad_accum',
        'train.learning_rate',
        'train.max_steps',
      ],
    ]);
  });
});
