import { describe, expect, test } from 'vitest';
import { UNKNOWN_MEMORY } from './memory-figures.ts';
import { type PreflightFacts, type PreflightQuestion, preflight } from './preflight.ts';
import { builtInRecipe, type RecipeMethod } from './recipes.ts';

const recipe = (method: RecipeMethod) => builtInRecipe(method) ?? null;
const FACTS = {
  recipe: recipe('lora'),
  model: {
    id: 'm',
    name: 'tiny',
    modality: 'text',
    status: 'ready',
    status_reason: null,
    trainable: true,
    quantized: false,
    is_gguf: false,
    vocab_size: 32_000,
    licence: 'apache-2.0',
    context_length: 512,
    has_chat_template: true,
  },
  dataset: {
    name: 'Rows',
    status: 'ready',
    training_ready: true,
    modality: 'text',
    format: 'chat',
    num_samples: 20_000,
    statistics: { rows_valid: 100, tokens: { max: 100, buckets: [{ up_to: 128, rows: 100 }] } },
    training_pairs: 19_000,
  },
  adapters: [],
  gpu: null,
} as const satisfies PreflightFacts;
const ASKED: PreflightQuestion = {
  max_steps: 500,
  global_batch_size: 8,
  gpus: 1,
  rank: 16,
  run: {
    grad_accum: 2,
    warmup_steps: 100,
    eval_suites: ['held_out_loss'],
    exports: ['safetensors'],
    strategy: 'none',
    mixed_precision: 'bf16',
    partition_id: null,
  },
};
const judged = (
  facts: Partial<PreflightFacts> = {},
  asked: Partial<PreflightQuestion> = {},
  run: Partial<PreflightQuestion['run']> = {},
) => preflight({ ...FACTS, ...facts }, { ...ASKED, ...asked, run: { ...ASKED.run, ...run } });
const model = (fields: Partial<NonNullable<PreflightFacts['model']>>) => ({ model: { ...FACTS.model, ...fields } });
const dataset = (fields: Partial<NonNullable<PreflightFacts['dataset']>>) => ({ dataset: { ...FACTS.dataset, ...fields } });
const adapter = (fields: object = {}) => ({
  adapters: [{ name: 'first', base_model_id: 'm', method: 'lora' as RecipeMethod, rank: 16, ...fields }],
});

describe('a training with nothing against it', () => {
  test('is ok, and says that memory and speed are not known rather than a number', () => {
    expect(judged()).toEqual({ ...UNKNOWN_MEMORY, ok: true, errors: [] });
    for (const figure of [...Object.values(UNKNOWN_MEMORY.vram_breakdown), ...Object.values(UNKNOWN_MEMORY.throughput)])
      expect(figure).toBeNull();
  });

  test('gets the figures of a memory model, and is refused by its errors', () => {
    const known = { ...UNKNOWN_MEMORY, estimated_vram_mb: 9000, verdict: 'fits' as const, warnings: [], evidence: { runs: 3 } };
    expect(preflight(FACTS, ASKED, () => known)).toEqual({ ...known, ok: true, errors: [] });
    const full = preflight(FACTS, ASKED, () => ({
      ...known,
      verdict: 'will_not_fit',
      errors: ['It needs 90 GB.'],
      advice: ['QLoRA'],
    }));
    expect(full).toMatchObject({
      ok: false,
      errors: ['ERROR: It needs 90 GB.'],
      estimated_vram_mb: 0,
      vram_breakdown: {},
      throughput: {},
      time_per_step_ms: 0,
      verdict: 'will_not_fit',
      advice: ['QLoRA'],
    });
  });
});

describe('an error', () => {
  test.each<[string, Partial<PreflightFacts>, RegExp]>([
    ['no recipe', { recipe: null }, /no such recipe/],
    ['no model', { model: null }, /no such base model/],
    ['no dataset', { dataset: null }, /no such dataset/],
    ['no adapter', { adapters: [null] }, /no such adapter/],
    ['a style that the trainer lacks', { recipe: recipe('qlora') }, /does not do QLoRA yet: use LoRA or DoRA/],
    [
      'a quantized base without QLoRA',
      model({ quantized: true, trainable: false }),
      /is quantized, and LoRA trains only full weights: use QLoRA/,
    ],
    ['a GGUF base', model({ is_gguf: true, trainable: false }), /is a GGUF file/],
    ['a base that is not trained here', model({ trainable: false }), /cannot be trained/],
    ['a base that is still fetched', model({ status: 'fetching' }), /still being fetched/],
    [
      'a base that cannot be used',
      model({ status: 'error', status_reason: { code: 'x', message: 'its header is broken' } }),
      /its header is broken/,
    ],
    [
      'a licence not accepted',
      model({ status: 'error', status_reason: { code: 'gated_model', message: 'x' } }),
      /gated: accept its licence/,
    ],
    ['a base of images', model({ modality: 'image' }), /Dataset Rows is of modality text, base model tiny of image/],
    ['a style of images', { recipe: recipe('dreambooth') }, /Dataset Rows is of modality text, and DreamBooth trains image/],
    ['a context too short', model({ context_length: 4 }), /takes 4 tokens/],
    ['no chat template', model({ has_chat_template: false }), /has no chat template/],
    ['a dataset of images', dataset({ modality: 'image' }), /Dataset Rows is of modality image, base model tiny of text/],
    ['a dataset that failed its check', dataset({ status: 'error', training_ready: false }), /did not pass its check/],
    ['an adapter of another base', adapter({ base_model_id: 'other' }), /another base model than tiny/],
    ['an adapter of another rank', adapter({ rank: 8 }), /has rank 8, and this training rank 16/],
    ['an adapter of another style', adapter({ method: 'dora' }), /was trained by dora/],
    ['several adapters', { adapters: [...adapter().adapters, ...adapter().adapters] }, /one adapter at most, and 2/],
    [
      'a device that nobody knows',
      { gpu: { asked: 'Voodoo2', known: false, catalogue: ['H100', 'CPU'] } },
      /Voodoo2 is not in the catalogue: H100, CPU/,
    ],
  ])('is %s', (_, facts, error) => {
    const { ok, errors, ...rest } = judged(facts);
    expect(ok).toBe(false);
    expect(errors).toContainEqual(expect.stringMatching(error));
    for (const line of errors) expect(line).toMatch(/^ERROR: [A-Z].*\.$/);
    expect(rest).toMatchObject({
      estimated_vram_mb: 0,
      time_per_step_ms: 0,
      vram_breakdown: {},
      throughput: {},
      interval_mb: null,
    });
  });

  test.each<[string, Partial<PreflightQuestion>, Partial<PreflightQuestion['run']>, RegExp]>([
    [
      'a batch that does not divide',
      { global_batch_size: 7 },
      {},
      /7 does not divide into 2 forward passes on 1 GPU: make it a multiple of 2/,
    ],
    [
      'a forward pass too wide',
      { global_batch_size: 64 },
      {},
      /would take 32 rows, and at most 16 are taken: set grad_accum to 4 or more/,
    ],
    [
      'a batch that GPUs cannot share',
      { gpus: 3 },
      {},
      /does not divide into 2 forward passes on 3 GPUs: make it a multiple of 6/,
    ],
    ['a partition that nobody has', {}, { partition_id: 'mig-1' }, /has a partition mig-1/],
  ])('is %s', (_, asked, run, error) => {
    const { ok, errors } = judged({}, asked, run);
    expect([ok, errors]).toEqual([false, [expect.stringMatching(error)]]);
  });

  test('comes with all the others, each once', () => {
    const { errors } = judged({ dataset: null, model: null }, { gpus: 3 }, { partition_id: 'mig-1' });
    expect(errors.length).toBe(4);
    expect(new Set(errors).size).toBe(errors.length);
  });
});

describe('a warning', () => {
  test.each<[string, Partial<PreflightFacts>, Partial<PreflightQuestion>, Partial<PreflightQuestion['run']>, RegExp]>([
    ['a small dataset', dataset({ num_samples: 9_999 }), {}, {}, /small: 9999 samples/],
    ['tokens that are cut, with their share', model({ context_length: 64 }), {}, {}, /100 % of the rows .* are cut/],
    ['tokens that nobody counted', dataset({ statistics: {} }), {}, {}, /not counted/],
    [
      'control tokens in the text',
      dataset({ statistics: { ...FACTS.dataset.statistics, warnings: [{ code: 'special_token_in_text' }] } }),
      {},
      {},
      /Control tokens/,
    ],
    ['an unknown vocabulary', model({ vocab_size: null }), {}, {}, /vocabulary .* not known/],
    ['a licence with conditions', model({ licence: 'cc-by-nc-4.0' }), {}, {}, /licence cc-by-nc-4.0, which has conditions/],
    ['a licence that nobody tells', model({ licence: null }), {}, {}, /licence of base model tiny is not known/],
    ['a warm-up as long as the run', {}, { max_steps: 100 }, {}, /warms up for 100 steps, and the run has 100/],
    ['a batch beyond the dataset', dataset({ training_pairs: 4 }), {}, {}, /more than the 4 rows/],
    ['a strategy of one GPU', {}, {}, { strategy: 'ddp' }, /One GPU has nobody .* without ddp/],
    ['GPUs without a strategy', {}, { gpus: 2 }, {}, /2 GPUs share their work by ddp, or by fsdp/],
    ['a suite that the trainer lacks', {}, {}, { eval_suites: ['mmlu'] }, /Evaluation mmlu is skipped/],
    ['an export that it lacks', {}, {}, { exports: ['gguf', 'safetensors'] }, /Export to gguf is skipped/],
    [
      'a precision that a processor lacks',
      { gpu: { asked: 'CPU', known: true, catalogue: [] } },
      {},
      {},
      /A processor trains in fp32/,
    ],
  ])('is %s, and the training is ok', (_, facts, asked, run, warning) => {
    const { ok, warnings } = judged(facts, asked, run);
    expect([ok, warnings]).toEqual([true, expect.arrayContaining([expect.stringMatching(warning)])]);
  });

  test.each(['apache-2.0', 'mit', 'cc-by-4.0'])('is not the licence %s', (licence) => {
    expect(judged(model({ licence })).warnings).toEqual(UNKNOWN_MEMORY.warnings);
  });
});

test('an adapter of the same base, rank and style is one to start from', () => {
  expect(judged(adapter()).ok).toBe(true);
});
