import { describe, expect, test } from 'vitest';
import type { BaseModel } from '#/contract/base-models.ts';
import type { DatasetSummary } from '#/contract/datasets.ts';
import type { Gpu } from '#/contract/gpu-catalog.ts';
import { factsOfGpu, GPU_DEFAULTS } from '#/domain/gpu-catalog.ts';
import { storedShapeOf } from '../../test/stored-shape.ts';
import { formForecast, ownGpu, withChanges } from './training-forecast.ts';
import { presetValues, submission, type TrainingForm } from './training-form.ts';

const GPUS: Gpu[] = GPU_DEFAULTS.map((entry) => {
  const facts = factsOfGpu(entry);
  return {
    ...entry,
    aliases: [...entry.aliases],
    memory_gb: facts && facts.memory_bytes / 1e9,
    like: facts?.name ?? null,
    origin: 'built_in',
  };
});
const corrections = { groups: [], own: [] };
const DATASET = {
  training_ready: true,
  total_training_pairs: 1000,
  total_validation_pairs: 50,
  total_tokens: 600_000,
  file_size: 3_000_000,
  statistics: {
    tokens: {
      max: 2000,
      total: 600_000,
      buckets: [
        { up_to: 512, rows: 800 },
        { up_to: 2048, rows: 200 },
      ],
    },
  },
} as unknown as DatasetSummary;
const MODEL = { shape: storedShapeOf('Llama-3.1-8B').shape, context_length: 131_072 } as BaseModel;
const form = (over: Partial<TrainingForm> = {}): TrainingForm => ({
  dataset_id: 'd',
  base_model_id: 'm',
  preset_id: 'balanced',
  values: presetValues('balanced'),
  max_steps: '',
  max_seq_length: '',
  gpu_type: 'RTX-4090',
  gpu_count: 1,
  name: '',
  ...over,
});
const forecastOf = (asked: TrainingForm) => formForecast(asked, { dataset: DATASET, model: MODEL, gpus: GPUS, corrections });

describe('the forecast of the form', () => {
  test('is there as soon as nothing is wrong, and is none before', () => {
    expect(forecastOf(form())?.foreseen?.verdict).toBe('tight');
    expect(forecastOf(form({ values: { ...presetValues('balanced'), rank: 'x' } }))).toBeNull();
    expect(formForecast(form(), { dataset: undefined, model: MODEL, gpus: GPUS, corrections })).toBeNull();
    expect(formForecast(form(), { dataset: DATASET, model: undefined, gpus: GPUS, corrections })).toMatchObject({
      foreseen: null,
    });
  });

  test('names a device only where one was chosen, and else counts with the machine’s own', () => {
    expect(ownGpu(GPUS)?.type).toBe('CPU');
    const machine = GPUS.map((gpu) => (gpu.type === 'Own-GPU' ? { ...gpu, memory_gb: 24, like: 'L4' } : gpu));
    expect(ownGpu(machine)?.type).toBe('Own-GPU');
    const { device } =
      formForecast(form({ gpu_type: '' }), { dataset: DATASET, model: MODEL, gpus: machine, corrections })?.foreseen ?? {};
    expect(device).toMatchObject({ name: 'L4', memory_bytes: 24e9 });
    const chosen = { ...form(), base_model_id: 'm' };
    expect(submission(chosen).gpu_config).toEqual({ type: 'RTX-4090', count: 1 });
    expect(submission({ ...chosen, gpu_type: '' })).not.toHaveProperty('gpu_config');
    const two = { ...chosen, gpu_type: '', gpu_count: 2 };
    expect(submission(two).gpu_config).toEqual({ type: null, count: 2 });
  });

  test('of several devices is of less time and of each one’s price, and is none where they cannot share a batch', () => {
    const [one, two] = [1, 2].map((gpu_count) => forecastOf(form({ gpu_type: 'A100-80GB', gpu_count })));
    expect(two?.plan).toMatchObject({ devices: 2, micro_batch: 2, strategy: 'ddp' });
    expect(two?.hours.figure).toBeLessThan(one?.hours.figure ?? 0);
    expect(two?.estimate.hourly_rate).toBe(2 * (one?.estimate.hourly_rate ?? 0));
    expect(forecastOf(form({ gpu_count: 3 }))).toBeNull();
  });

  test('becomes what an advice says once its changes are set, and what is no field of the form is not offered', () => {
    const advice = forecastOf(form())?.foreseen?.advice ?? [];
    const settable = advice.filter(({ available }) => available);
    expect(settable.length).toBeGreaterThan(1);
    for (const { changes, verdict } of settable) {
      const changed = withChanges(form(), changes);
      expect(changed && forecastOf(changed)?.foreseen?.verdict).toBe(verdict);
    }
    const lacking = advice.find(({ changes }) => changes[0]?.field === 'quantization');
    expect(withChanges(form(), lacking?.changes ?? [])).toBeNull();
    expect(withChanges(form(), [{ field: 'gpus', value: 2 }])).toMatchObject({ gpu_count: 2 });
  });
});
