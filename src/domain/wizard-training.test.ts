import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { builtInRecipe } from './recipes.ts';
import { EVAL_SUITES, EXPORT_FORMATS } from './trainer-abilities.ts';
import { skippedWishes, TrainingSpec } from './training-spec.ts';
import { doorOf, questionOf, specOfWizard, type WizardSubmission } from './wizard-training.ts';

const ID = '7f4c1f0a-58c4-4b0e-9a44-0a6c5c1c2b11';
const ASKED: WizardSubmission = {
  name: 'Rank 16',
  base_model_id: ID,
  dataset_id: ID,
  recipe_id: 'dora',
  adapters: [],
  train: { max_steps: 500, global_batch_size: 8 },
  strategy: {},
  resources: { gpus: 1 },
  eval: { suites: [] },
  metadata: { origin: 'wizard' },
  probe_only: false,
  limits: {},
  training_image_id: null,
  priority: 0,
  start: true,
};
const dora = builtInRecipe('dora');
if (dora === undefined) throw new Error('there is no DoRA');

describe('a submission', () => {
  test('takes what it leaves out from its recipe', () => {
    const spec = specOfWizard(ASKED, dora);
    expect(TrainingSpec.parse(spec)).toEqual(spec);
    expect(spec).toMatchObject({
      method: 'dora',
      max_steps: 500,
      seed: 42,
      gpu_config: { type: null, count: 1 },
      hyperparameters: { learning_rate: 1e-4, batch_size: 8, epochs: null, rank: 16, alpha: 32, dropout: 0.05 },
      run: {
        recipe_id: dora.id,
        grad_accum: 1,
        warmup_steps: 100,
        checkpoint_interval: 100,
        eval_interval: 100,
        exports: ['safetensors'],
        strategy: 'none',
        mixed_precision: 'bf16',
        partition_id: null,
        adapters: [],
      },
      metadata: { origin: 'wizard' },
    });
  });

  test('keeps everything that it says', () => {
    const spec = specOfWizard(
      {
        ...ASKED,
        adapters: [{ adapter_id: ID }],
        train: {
          max_steps: 40,
          global_batch_size: 12,
          grad_accum: 3,
          learning_rate: 2e-4,
          warmup_steps: 0,
          seed: 7,
          checkpoint_interval: 11,
        },
        strategy: { type: 'none', mixed_precision: 'fp16' },
        resources: { gpus: 1, gpu_type: 'H100', partition_id: null },
        eval: { suites: ['held_out_loss', 'mmlu'], interval: 13 },
        export: ['gguf'],
        priority: -3,
        start: false,
      },
      dora,
    );
    expect(spec).toMatchObject({
      max_steps: 40,
      seed: 7,
      gpu_config: { type: 'H100', count: 1 },
      hyperparameters: { learning_rate: 2e-4, batch_size: 4 },
      run: {
        grad_accum: 3,
        warmup_steps: 0,
        checkpoint_interval: 11,
        eval_interval: 13,
        eval_suites: ['held_out_loss', 'mmlu'],
        exports: ['gguf'],
        mixed_precision: 'fp16',
        adapters: [ID],
      },
      priority: -3,
      start: false,
    });
    expect(skippedWishes(spec.run)).toEqual([
      { kind: 'eval', name: 'mmlu', message: expect.stringMatching(/mmlu is skipped/) },
      { kind: 'export', name: 'gguf', message: expect.stringMatching(/gguf is skipped/) },
    ]);
  });

  test('has the global batch that was asked for: rows of one pass of each GPU × accumulation × GPUs', () => {
    const inputs = fc.record({
      micro: fc.integer({ min: 1, max: 16 }),
      grad_accum: fc.integer({ min: 1, max: 256 }),
      gpus: fc.integer({ min: 1, max: 8 }),
    });
    fc.assert(
      fc.property(inputs, ({ micro, grad_accum, gpus }) => {
        const train = { max_steps: 1, global_batch_size: micro * grad_accum * gpus, grad_accum };
        const asked = { ...ASKED, train, resources: { gpus } };
        expect(specOfWizard(asked, dora).gpu_config).toEqual({ type: null, count: gpus });
        expect(specOfWizard(asked, dora).hyperparameters.batch_size).toBe(micro * gpus);
        expect(questionOf(asked, dora.defaults)).toMatchObject({ global_batch_size: train.global_batch_size, gpus });
      }),
    );
  });

  test('is skipped nothing of what the trainer does, and everything else', () => {
    const skipped = skippedWishes({ eval_suites: [...EVAL_SUITES], exports: [...EXPORT_FORMATS] });
    expect(skipped).toHaveLength(EVAL_SUITES.length + EXPORT_FORMATS.length - 2);
    expect(skippedWishes({ eval_suites: ['held_out_loss'], exports: ['safetensors'] })).toEqual([]);
  });
});

test.each<[unknown, 'b' | 'c', string[]]>([
  [{ recipe_id: 'lora' }, 'c', []],
  [{ train: {} }, 'c', []],
  [{ preset_id: 'fast' }, 'b', []],
  [{ hyperparameters: {} }, 'b', []],
  [{ dataset_id: ID }, 'b', []],
  [{ recipe_id: 'lora', hyperparameters: {} }, 'c', ['hyperparameters']],
  [{ train: {}, preset_id: 'fast', hyperparameters: {} }, 'c', ['preset_id', 'hyperparameters']],
  [null, 'b', []],
  [[], 'b', []],
  ['train', 'b', []],
])('%j is of door %s, mixed with %j', (body, door, mixed) => {
  expect(doorOf(body)).toEqual({ door, mixed });
});
