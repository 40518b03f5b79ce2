import { describe, expect, test } from 'vitest';
import { imageDatasetFacts } from '../../image-dataset.ts';
import type { ImageSpec } from '../../image-plan.ts';
import { NO_WISHES } from '../../training-spec.ts';
import { findDevice } from '../devices/known-devices.ts';
import { forecastOf } from '../learning/observed-run.ts';
import { storeForecast } from '../store-forecast.ts';
import { guessedShape } from './class-of-shape.ts';
import { type ForeseeImagesQuestion, foreseeImages } from './foresee-images.ts';

const device = (type: string, hourly_rate = 2) => ({
  type,
  count: 1,
  hourly_rate,
  tokens_per_second: 1000,
  facts: findDevice(type),
});
const SPEC: ImageSpec = {
  method: 'lora',
  hyperparameters: { learning_rate: 1e-4, batch_size: 1, epochs: null, rank: 16, alpha: 32, dropout: 0 },
  max_steps: 1000,
  run: NO_WISHES,
  trigger_words: ['zwx'],
  resolution: 1024,
  seed: 42,
};
const dataset = (class_prompt: string | null = null) => ({
  ...imageDatasetFacts({ total_training_pairs: 20, statistics: {}, metadata: class_prompt === null ? {} : { class_prompt } }),
  bytes: 20_000_000,
});
const SDXL = { shape: { kind: 'sdxl', denoiser: 2_567_463_684, encoders: 817e6, vae: 84e6, side: 1024 }, name: 'acme/own' };
const ask = (changes: Partial<Omit<ForeseeImagesQuestion, 'spec'>> = {}, spec: Partial<ImageSpec> = {}) =>
  foreseeImages({
    spec: { ...SPEC, ...spec },
    dataset: dataset(),
    model: SDXL,
    captions: [],
    device: device('L40S'),
    offers: [],
    ...changes,
  });

describe('a training on images', () => {
  test('is foretold with its memory, its time and its cost, each within its interval', () => {
    const { plan, foreseen, hours, cost, estimate } = ask();
    expect(plan).toMatchObject({ model_kind: 'sdxl', resolution: 1024, gradient_checkpointing: false, total_steps: 1000 });
    expect(foreseen?.verdict).toBe('fits');
    // bench/foresight/rows/images.jsonl: simpletuner-sdxl-1024 on an L40S kept everything in 13.99 GB, at 0.585 s a step.
    expect((foreseen?.device_bytes.figure ?? 0) / 1e9).toBeCloseTo(15, 0);
    expect(foreseen?.seconds_per_step.figure).toBeCloseTo(0.585, 1);
    for (const range of [hours, cost]) expect([range.low < range.figure, range.figure < range.high]).toEqual([true, true]);
    expect(estimate.training_hours).toBeCloseTo((1000 * (foreseen?.seconds_per_step.figure ?? 0)) / 3600, 6);
    expect(estimate.overhead_hours).toBeGreaterThan(0);
  });

  test('keeps what was asked for and is checkpointed where only that fits', () => {
    const tight = { device: device('RTX-3060') };
    const { plan, foreseen } = ask(tight, { hyperparameters: { ...SPEC.hyperparameters, batch_size: 2 } });
    expect(plan).toMatchObject({ gradient_checkpointing: true });
    expect(plan.micro_batch * plan.grad_accum).toBe(2);
    expect(foreseen?.verdict).not.toBe('will_not_fit');
  });

  test('on several devices has the memory of its part on each, in less time, at the price of all', () => {
    const four = { ...SPEC.hyperparameters, batch_size: 4 };
    const [alone, shared] = [1, 4].map((count) => ask({ device: { ...device('L40S'), count } }, { hyperparameters: four }));
    const part = ask();
    expect(shared?.plan).toMatchObject({ devices: 4, strategy: 'ddp', micro_batch: 1, grad_accum: 1, total_steps: 1000 });
    expect([alone?.plan.devices, alone?.plan.strategy]).toEqual([1, 'none']);
    const of = (told: typeof alone) => told?.foreseen?.memory.components ?? { activations: 0, context: 0 };
    expect(of(shared).activations).toBe(of(part).activations);
    // NCCL's buffers.
    expect(of(shared).context - of(part).context).toBe(2 ** 30);
    const [seconds = 0, own = 0, all = 0] = [shared, part, alone].map((told) => told?.foreseen?.seconds_per_step.figure);
    expect([seconds > own, seconds < all]).toEqual([true, true]);
    expect(shared?.foreseen?.samples_per_second).toBeCloseTo(4 / seconds, 6);
    expect(shared?.estimate.hourly_rate).toBe(4 * (alone?.estimate.hourly_rate ?? 0));
  });

  test('on several devices that none of them holds whole lies in parts, and takes longer for it', () => {
    const model = { shape: { kind: 'flux', denoiser: 11.9e9, encoders: 4.88e9, vae: 84e6, side: 1024 }, name: 'x' };
    const four = { ...SPEC.hyperparameters, batch_size: 4 };
    const on = (type: string, strategy: 'none' | 'ddp') =>
      ask({ model, device: { ...device(type), count: 4 } }, { hyperparameters: four, run: { ...NO_WISHES, strategy } });
    const [whole, parts] = [on('RTX-4090', 'ddp'), on('RTX-4090', 'none')];
    expect([whole.plan.strategy, whole.foreseen?.verdict]).toEqual(['ddp', 'will_not_fit']);
    expect([parts.plan.strategy, parts.foreseen?.verdict]).toEqual(['fsdp', 'fits']);
    expect(parts.foreseen?.memory.components.weights).toBeCloseTo((whole.foreseen?.memory.components.weights ?? 0) / 4, -6);
    expect(on('H100', 'none').plan.strategy).toBe('ddp');
  });

  test('with prior preservation takes the memory of twice the batch, and its class images’ time', () => {
    const [plain, prior] = [null, 'a photo of a dog'].map((class_prompt) =>
      ask(
        { dataset: dataset(class_prompt) },
        { method: 'dreambooth', hyperparameters: { ...SPEC.hyperparameters, batch_size: 2 } },
      ),
    );
    const twice = ask({}, { hyperparameters: { ...SPEC.hyperparameters, batch_size: 4 } });
    expect(prior?.plan.prior).not.toBeNull();
    expect(prior?.foreseen?.memory.components.activations).toBe(twice.foreseen?.memory.components.activations);
    expect(prior?.foreseen?.seconds_per_step.figure).toBeGreaterThan(plain?.foreseen?.seconds_per_step.figure ?? Infinity);
    expect(prior?.estimate.overhead_hours).toBeGreaterThan(2 * (plain?.estimate.overhead_hours ?? Infinity));
  });

  test('holds encoders and autoencoder whose work is not kept, and counts nothing for pictures that nobody asked for', () => {
    const bytes = (image: ImageSpec['image']) =>
      ask({}, { image: { sample_prompts: [], ...image } }).foreseen?.memory.components.weights ?? 0;
    expect((bytes({ cache_text_embeddings: false }) - bytes({})) / 1e9).toBeCloseTo(2 * 0.817, 2);
    expect((bytes({ cache_latents: false }) - bytes({})) / 1e9).toBeCloseTo(2 * 0.084, 2);
    const drawn = (sample_prompts: string[]) => ask({}, { image: { sample_prompts } }).estimate.overhead_hours;
    expect(drawn(['a', 'b'])).toBeGreaterThan(drawn([]));
  });

  test('that does not fit is told what would make it fit: another device, or smaller images', () => {
    const FLUX = { shape: { kind: 'flux', denoiser: 11.9e9, encoders: 4.88e9, vae: 84e6, side: 1024 }, name: 'x' };
    const { foreseen } = ask({
      model: FLUX,
      device: device('RTX-4090'),
      offers: [device('A100-80GB', 3.5), device('L40S', 1.5)],
    });
    expect(foreseen?.verdict).not.toBe('fits');
    const named = foreseen?.advice.map(({ changes }) => changes[0]);
    expect(named?.[0]).toEqual({ field: 'gpu', value: 'L40S' });
    for (const { sentence } of foreseen?.advice ?? []) expect(sentence).toMatch(/\.$/);
  });

  test('of a model of another size is scaled, in a wider interval, and of a tiny one on a processor is no trouble', () => {
    const wide = ({ foreseen }: ReturnType<typeof ask>) => {
      const { low = 0, high = 0, figure = 1 } = foreseen?.seconds_per_step ?? {};
      return (high - low) / figure;
    };
    const half = ask({ model: { shape: { ...SDXL.shape, denoiser: 1.3e9 }, name: 'x' } });
    expect(wide(half)).toBeGreaterThan(wide(ask()));
    expect(half.foreseen?.seconds_per_step.figure).toBeLessThan(ask().foreseen?.seconds_per_step.figure ?? 0);
    const tiny = { shape: { kind: 'stable-diffusion', denoiser: 30_000, encoders: 5000, vae: 9000, side: 64 }, name: 'tiny' };
    const cpu = { type: 'CPU', count: 1, hourly_rate: 0, tokens_per_second: 10, facts: findDevice('CPU') };
    const { foreseen, plan } = ask({ model: tiny, device: cpu }, { resolution: null });
    expect([plan.resolution, foreseen?.verdict]).toEqual([256, 'fits']);
  });

  test('on a model that is still to be fetched goes by its name, and by the catalogue where that says nothing', () => {
    const waiting = ask({ model: { shape: null, name: 'stabilityai/stable-diffusion-xl-base-1.0' } });
    expect([waiting.plan.model_kind, waiting.foreseen?.verdict]).toEqual(['sdxl', 'fits']);
    expect(guessedShape('Qwen/Qwen-Image')).toBeNull();
    const unknown = ask({ model: { shape: null, name: 'acme/own' } });
    expect([unknown.plan.model_kind, unknown.foreseen, unknown.assumptions]).toEqual([null, null, []]);
    expect(unknown.cost.figure).toBeGreaterThan(0);
    expect(storeForecast(unknown)).toBeNull();
  });

  test('is stored for its job’s page, with no features: its run corrects no other forecast', () => {
    expect(forecastOf({ forecast: storeForecast(ask()) })).toMatchObject({ gpu: 'L40S', features: null });
  });
});
