/** Door C's submissions: the setup wizard's preflight and its job. */
import { z } from '@hono/zod-openapi';
import { HyperparameterConfig } from '#/domain/hyperparameters.ts';
import { ImageWishes } from '#/domain/image-wishes.ts';
import { Metadata } from '#/domain/labels.ts';
import { GlobalBatchSize, GradAccum, Interval, RowTokens, Seed, WarmupSteps } from '#/domain/recipes.ts';
import { EVAL_SUITES, EXPORT_FORMATS, MIXED_PRECISIONS } from '#/domain/trainer-abilities.ts';
import { TRAINER_STRATEGIES } from '#/domain/trainer-config-parts.ts';
import { Resolution, ResourceName, TriggerWords } from '#/domain/training-spec.ts';
import { declareRoute } from './declare-route.ts';
import { memoryVerdict } from './memory-verdict.ts';
import { RecipeRef } from './recipes.ts';
import { EverySubmission, ProbeOnly } from './submission.ts';

const ADAPTERS_NAMED_MAX = 10;

const Adapters = z
  .array(z.strictObject({ adapter_id: z.uuid() }))
  .max(ADAPTERS_NAMED_MAX)
  .describe('Artifacts to start from: the first; several are refused');

const Train = z.strictObject({
  max_steps: z.int({ abort: true }).min(1).max(1_000_000),
  global_batch_size: GlobalBatchSize.describe('Rows a step: of one forward pass × grad_accum × gpus'),
  grad_accum: GradAccum.optional(),
  max_seq_length: RowTokens.optional().describe('Tokens at which rows are cut; left out: at most 2048'),
  learning_rate: HyperparameterConfig.shape.learning_rate.optional(),
  warmup_steps: WarmupSteps.optional(),
  seed: Seed.optional(),
  checkpoint_interval: Interval.optional(),
});

const strategy = z.enum(TRAINER_STRATEGIES).optional();
const mixed_precision = z.enum(MIXED_PRECISIONS).optional();
const Resources = z.strictObject({
  gpus: z.int({ abort: true }).min(1).max(8),
  gpu_type: z.string().min(1).max(60).nullable().optional().describe('Of the catalogue; null: what the machine has'),
  partition_id: z.string().min(1).max(100).nullable().optional().describe('A part of an executor; null: any'),
});
const Evaluation = z.strictObject({
  suites: z.array(z.enum(EVAL_SUITES)).max(EVAL_SUITES.length).default([]),
  interval: Interval.optional().describe('Steps between two evaluations'),
});
const Exports = z.array(z.enum(EXPORT_FORMATS)).min(1).max(EXPORT_FORMATS.length).optional();

const Images = z
  .strictObject({
    resolution: Resolution.optional()
      .describe('Pixels of a side; left out: what the base model was made for')
      .openapi({ multipleOf: 64 }),
    ...ImageWishes.shape,
  })
  .openapi('ImageWishes', {
    example: { resolution: 768, sample_prompts: ['a photo of sks dog in the snow'], sample_interval: 100 },
    description: 'Of a training on images alone; what is left out is planned',
  });

const ASKED = {
  base_model_id: z.uuid(),
  dataset_id: z.uuid(),
  recipe_id: RecipeRef,
  adapters: Adapters.default([]),
  train: Train,
  trigger_words: TriggerWords.default([]).describe(
    'Of images: words that stand for what is learnt; the first is DreamBooth’s instance token',
  ),
  image: Images.optional(),
};
const EXAMPLE = {
  base_model_id: '7f4c1f0a-58c4-4b0e-9a44-0a6c5c1c2b11',
  dataset_id: '3f0c9f52-6b0e-4f53-9a51-0a2d6b1f8a11',
  recipe_id: 'lora',
  adapters: [],
  train: { max_steps: 500, global_batch_size: 8, grad_accum: 2, learning_rate: 1e-4 },
};

export const PreflightBody = z
  .strictObject({
    ...ASKED,
    resources: Resources.extend({ strategy, mixed_precision }),
    eval: Evaluation.default({ suites: [] }),
    export: Exports,
  })
  .openapi('AskPreflight', { example: { ...EXAMPLE, resources: { gpus: 1, strategy: 'none', mixed_precision: 'bf16' } } });

/** Door C's submission; what is left out comes from its recipe. */
export const CreateWizardJobBody = z
  .strictObject({
    name: ResourceName,
    ...ASKED,
    strategy: z.strictObject({ type: strategy, mixed_precision }).default({}),
    resources: Resources,
    eval: Evaluation.default({ suites: [] }),
    export: Exports,
    metadata: Metadata.default({}),
    ...ProbeOnly,
    ...EverySubmission,
  })
  .openapi('CreateWizardJob', {
    example: { name: 'Rank 16', ...EXAMPLE, resources: { gpus: 1 }, export: ['safetensors'], metadata: { origin: 'wizard' } },
  });

const figure = z.number().nullable();
const nothing = z.strictObject({});

export const Preflight = z
  .object({
    ok: z.boolean(),
    warnings: z.array(z.string()),
    errors: z.array(z.string()).describe('Each begins with ERROR:'),
    estimated_vram_mb: figure.describe('null: not known; 0 where it is not ok'),
    vram_breakdown: z.union([
      z.object({
        model_params_gb: figure,
        activations_gb: figure,
        gradients_gb: figure,
        optimizer_gb: figure,
        total_with_buffer_gb: figure,
      }),
      nothing,
    ]),
    time_per_step_ms: figure,
    throughput: z.union([z.object({ samples_per_second: figure, tokens_per_second: figure }), nothing]),
    ...memoryVerdict,
  })
  .openapi('Preflight');
export type Preflight = z.infer<typeof Preflight>;

export const preflightRoute = declareRoute({
  method: 'post',
  path: '/api/experiments/preflight',
  tags: ['experiments'],
  summary: 'Judge a training before it is submitted; nothing is stored',
  request: { body: { required: true, content: { 'application/json': { schema: PreflightBody } } } },
  responses: { 200: { description: 'The judgement, good or bad', content: { 'application/json': { schema: Preflight } } } },
  faults: [429],
});
