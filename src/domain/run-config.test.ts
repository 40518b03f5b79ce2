import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { AttemptFacts } from './attempt-config.ts';
import { imageDatasetFacts } from './image-dataset.ts';
import { type ImageSpec, planImages } from './image-plan.ts';
import { planTraining } from './planner.ts';
import { configureAttempt, isProbeOnly, makeTrainerConfig, readStoredConfig, StoredConfig } from './run-config.ts';
import { TrainerConfig } from './trainer-config.ts';
import { NO_WISHES, type TrainingSpec } from './training-spec.ts';

const FACTS: AttemptFacts = {
  job_id: '7f4c1f0a-58c4-4b0e-9a44-0a6c5c1c2b11',
  attempt: 2,
  dataset_path: '/data/rows',
  base_model_path: '/models/tiny',
  job_folder: '/runs/job',
  output_path: '/runs/job/2/outputs',
  resume_from: null,
  device: 'cpu',
  compute_capability: null,
  init_adapters: [],
};
const hyperparameters = { learning_rate: 1e-4, batch_size: 8, epochs: 3, rank: 16, alpha: 32, dropout: 0.05 };
const spec = { hyperparameters, max_steps: 40, seed: 7, run: NO_WISHES };

const stored = (dataset: Record<string, unknown> = {}): StoredConfig =>
  StoredConfig.parse({
    spec: { ...spec, name: 'more than is needed' },
    plan: planTraining(spec as unknown as TrainingSpec, { training_pairs: 95, validation_pairs: 5 }, { context_length: 512 }),
    dataset: { format: 'chat', mapping: { messages: 'talk' }, invalid_rows: 'skip', file_name: 'rows.jsonl', ...dataset },
    base_model: { name: 'tiny', hf_repo_id: 'acme/tiny', revision: 'abc' },
  });

describe('the configuration of an attempt', () => {
  test('of a run that is counted in steps has no epochs, and hands its trigger words on', () => {
    const counted = { ...spec, hyperparameters: { ...hyperparameters, epochs: null }, trigger_words: ['zwx cat'] };
    const config = makeTrainerConfig(StoredConfig.parse({ ...stored(), spec: counted }), FACTS);
    expect(config).toMatchObject({ training_params: { epochs: null, max_steps: 40 }, trigger_words: ['zwx cat'] });
  });

  test('says of a model that is a folder here that its name is none of the Hub', () => {
    const local = { name: 'lab/tiny', hf_repo_id: null, revision: null };
    const { base_model } = makeTrainerConfig(StoredConfig.parse({ ...stored(), base_model: local }), FACTS);
    expect(base_model).toEqual({ id: 'lab/tiny', path: '/models/tiny', revision: null, on_hub: false });
  });

  test('takes passes as small as the plan has them for its memory, and as many of them', () => {
    const { plan, ...rest } = stored();
    const config = makeTrainerConfig(
      StoredConfig.parse({ ...rest, plan: { ...plan, micro_batch: 2, grad_accum: 4, gradient_checkpointing: true } }),
      FACTS,
    );
    expect(config.training_params).toMatchObject({ batch_size: 2, grad_accum: 4, gradient_checkpointing: true });
  });

  test('has the devices of its plan, and one where a plan says nothing of them', () => {
    expect(makeTrainerConfig(stored(), FACTS)).toMatchObject({ devices: 1, strategy: 'none' });
    const { devices, strategy, ...plan } = stored().plan;
    expect(makeTrainerConfig(StoredConfig.parse({ ...stored(), plan }), FACTS)).toMatchObject({ devices: 1, strategy: 'none' });
    const shared = StoredConfig.parse({ ...stored(), plan: { ...plan, devices: 4, strategy: 'fsdp' } });
    expect(makeTrainerConfig(shared, FACTS)).toMatchObject({ devices: 4, strategy: 'fsdp' });
  });

  test('has the first steps of every attempt measured', () => {
    expect(makeTrainerConfig(stored(), FACTS).probe).toEqual({ warmup_steps: 3, timed_steps: 5, only: false });
    const alone = StoredConfig.parse({ ...stored(), spec: { ...spec, probe_only: true } });
    expect(makeTrainerConfig(alone, FACTS).probe).toEqual({ warmup_steps: 3, timed_steps: 5, only: true });
    expect([isProbeOnly({ ...alone }), isProbeOnly({ ...stored() }), isProbeOnly({})]).toEqual([true, false, false]);
  });

  test('is complete: what the plan says, and nothing left open', () => {
    const config = makeTrainerConfig(stored(), FACTS);
    expect(TrainerConfig.parse(config)).toEqual(config);
    expect(config).toMatchObject({
      attempt: 2,
      base_model: { id: 'acme/tiny', path: '/models/tiny', revision: 'abc', on_hub: true },
      dataset: {
        format: 'chat',
        container: 'jsonl',
        mapping: { messages: 'talk' },
        invalid_rows: 'skip',
        splits: { eval_rows: 5, seed: 7 },
      },
      training_params: {
        epochs: 3,
        max_steps: 40,
        batch_size: 8,
        lora_rank: 16,
        lora_alpha: 32,
        precision: 'fp32',
        max_seq_length: 512,
        seed: 7,
      },
      eval: { at_start: true, rows_max: 5 },
      resume_from: null,
    });
  });

  test('has the fields of the sample that Python reads, no more and no fewer', () => {
    const sample = JSON.parse(readFileSync(new URL('../../trainer/schema/samples/config.json', import.meta.url), 'utf8'));
    const config = makeTrainerConfig(stored(), FACTS);
    expect(Object.keys(config).sort()).toEqual(Object.keys(sample).sort());
    expect(Object.keys(config.training_params).sort()).toEqual(Object.keys(sample.training_params).sort());
  });

  test.each([
    ['cpu', null, 'fp32'],
    ['cuda', 8.6, 'bf16'],
    ['cuda', 7.5, 'fp16'],
    ['cuda', null, 'bf16'],
  ] as const)('on %s of capability %s computes in %s', (device, compute_capability, precision) => {
    expect(makeTrainerConfig(stored(), { ...FACTS, device, compute_capability }).training_params.precision).toBe(precision);
  });

  test.each([
    ['cpu', null, 'fp16', 'fp32'],
    ['cuda', 8.6, 'fp16', 'fp16'],
    ['cuda', 8.6, 'fp32', 'fp32'],
    ['cuda', 8.6, 'bf16', 'bf16'],
    ['cuda', 7.5, 'bf16', 'fp16'],
  ] as const)(
    'on %s of capability %s computes in the asked %s where it does: %s',
    (device, compute_capability, asked, precision) => {
      const one = stored();
      const wished = { ...one, spec: { ...one.spec, run: { ...NO_WISHES, mixed_precision: asked } } };
      expect(makeTrainerConfig(wished, { ...FACTS, device, compute_capability }).training_params.precision).toBe(precision);
    },
  );

  test('has the method, and the adapter that it goes on from', () => {
    const one = stored();
    const init_adapters = [{ path: '/adapter', sha256: 'a'.repeat(64) }];
    const config = makeTrainerConfig({ ...one, spec: { ...one.spec, method: 'dora' } }, { ...FACTS, init_adapters });
    expect(config).toMatchObject({ method: 'dora', init_adapters });
    expect(makeTrainerConfig(one, FACTS)).toMatchObject({ method: 'lora', init_adapters: [] });
  });

  test('of a job that was stored before it could wish anything is read as without wishes', () => {
    const { run: _run, method: _method, ...before } = stored().spec;
    expect(StoredConfig.parse({ ...stored(), spec: before }).spec).toMatchObject({ run: NO_WISHES, method: 'lora' });
  });

  test.each([
    [{ file_name: 'ROWS.JSON' }, 'json'],
    [{ file_name: 'rows.jsonl', container: 'json' }, 'json'],
    [{ file_name: 'rows.txt', container: null }, 'jsonl'],
  ])('knows the container of %j', (dataset, container) => {
    expect(makeTrainerConfig(stored(dataset), FACTS).dataset.container).toBe(container);
  });

  test('without rows held out evaluates nothing at the start', () => {
    const one = stored();
    const config = makeTrainerConfig({ ...one, plan: { ...one.plan, eval_rows: 0 } }, FACTS);
    expect(config.eval).toMatchObject({ at_start: false, rows_max: 0 });
  });
});

describe('the configuration of an attempt on images', () => {
  const planned = (kind: 'sdxl' | 'flux' | null, image: ImageSpec['image'] = {}) => {
    const asked: ImageSpec = {
      method: 'dreambooth',
      hyperparameters: { ...hyperparameters, epochs: null },
      max_steps: 40,
      run: NO_WISHES,
      trigger_words: ['zwx'],
      resolution: null,
      seed: 7,
      image,
    };
    const facts = imageDatasetFacts({ total_training_pairs: 20, statistics: {}, metadata: { class_prompt: 'a photo of a dog' } });
    const plan = planImages(asked, facts, { kind, side: 1024 }, []);
    return { spec: asked, plan, base_model: { name: 'x', hf_repo_id: 'acme/x', revision: 'abc' }, dataset: { format: 'images' } };
  };
  const configured = (config: Record<string, unknown>, facts: Partial<AttemptFacts> = {}) => {
    const read = readStoredConfig(config);
    if (!read.success) throw read.error;
    return configureAttempt(read.data, { ...FACTS, ...facts });
  };

  test.each(['sdxl', 'flux'] as const)('of %s is complete: what the plan says, and nothing left open', (kind) => {
    const config = configured(planned(kind), { device: 'cuda', compute_capability: 8.6 });
    expect(TrainerConfig.parse(config)).toEqual(config);
    expect(config).toMatchObject({
      model_kind: kind,
      method: 'dreambooth',
      base_model: { id: 'acme/x', path: '/models/tiny', revision: 'abc', on_hub: true },
      training_params: { max_steps: 40, batch_size: 8, resolution: 1024, precision: 'bf16', lora_rank: 16 },
      prior: { class_prompt: 'a photo of a dog', class_images: 100, weight: 1 },
      instance_prompt: 'a photo of zwx dog',
      trigger_words: ['zwx'],
    });
  });

  test('has the devices of its plan, each with its part of a batch', () => {
    const { plan, ...rest } = planned('sdxl');
    const shared = { ...rest, plan: { ...plan, devices: 4, strategy: 'ddp', micro_batch: 2 } };
    expect(configured(shared)).toMatchObject({ devices: 4, strategy: 'ddp', training_params: { batch_size: 2 } });
    expect(configured({ ...rest, plan })).toMatchObject({ devices: 1, strategy: 'none', training_params: { batch_size: 8 } });
  });

  test('has an optimizer of 8 bits on a GPU alone', () => {
    const asked = planned('sdxl', { optimizer: 'adamw_8bit' });
    const of = (device: AttemptFacts['device']) => configured(asked, { device }).training_params.optimizer;
    expect([of('cuda'), of('cpu')]).toEqual(['adamw_8bit', 'adamw']);
  });

  test('cannot be made while it is not known what its base model is', () => {
    const read = readStoredConfig(planned(null));
    expect(read.success ? [] : read.error.issues.map(({ path }) => path.join('.'))).toEqual(['plan.model_kind']);
  });
});
