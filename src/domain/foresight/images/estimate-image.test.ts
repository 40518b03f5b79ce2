import { describe, expect, test } from 'vitest';
import type { DeviceFacts } from '../devices/hardware.ts';
import { findDevice } from '../devices/known-devices.ts';
import { estimateImageTraining, type ImageQuestion } from './estimate-image.ts';
import { findImageClass, IMAGE_CLASSES } from './image-classes.ts';

function deviceOf(name: string): DeviceFacts {
  const device = findDevice(name);
  if (device === null) throw new Error(`there is no ${name}`);
  return device;
}
const [H100, L40S] = [deviceOf('H100'), deviceOf('L40S')];
const QUESTION: ImageQuestion = {
  model: 'stabilityai/stable-diffusion-xl-base-1.0',
  method: 'lora',
  rank: 16,
  resolution: 1024,
  batch: 1,
  grad_accum: 1,
  devices: 1,
  strategy: 'none',
  gradient_checkpointing: true,
  weights_dtype: 'bf16',
  cached_embeddings: true,
  cached_latents: true,
  prior_preservation: false,
  ema: false,
  validation: false,
};
function ask(changes: Partial<ImageQuestion> = {}, device = L40S) {
  const told = estimateImageTraining({ ...QUESTION, ...changes }, device);
  if (told === null) throw new Error('no such class');
  return told;
}
/** As the rows count: tensors and what is reserved for them. */
const stepGb = (changes: Partial<ImageQuestion>, device = L40S) =>
  (ask(changes, device).memory.phases.train_step - 0.6 * 2 ** 30) / 1e9;

describe('the class of a model', () => {
  test.each([
    ['stable-diffusion-v1-5/stable-diffusion-v1-5', 'SD 1.5'],
    ['CompVis/stable-diffusion-v1-4', 'SD 1.5'],
    ['stabilityai/stable-diffusion-xl-base-1.0', 'SDXL'],
    ['stabilityai/stable-diffusion-3-medium-diffusers', 'SD3 medium'],
    ['stabilityai/stable-diffusion-3.5-large', 'SD3.5 large'],
    ['black-forest-labs/FLUX.1-dev', 'FLUX.1'],
    ['black-forest-labs/FLUX.2-klein-base-4B', 'FLUX.2 klein'],
    ['black-forest-labs/FLUX.2-dev', 'FLUX.2 dev'],
    ['Qwen/Qwen-Image', 'Qwen-Image'],
    ['Tongyi-MAI/Z-Image-Turbo', 'Z-Image'],
  ])('of %s is %s', (name, found) => {
    expect(findImageClass(name)?.name).toBe(found);
  });

  test('is found by its own name', () => {
    for (const { name } of IMAGE_CLASSES) expect(findImageClass(name)?.name).toBe(name);
  });

  test.each(['', 'meta-llama/Llama-3.1-8B', 'stable-diffusion', 'kandinsky'])('of %j is not known', (name) => {
    expect(findImageClass(name)).toBeNull();
    expect(estimateImageTraining({ ...QUESTION, model: name }, L40S)).toBeNull();
  });
});

describe('rows that seed the table', () => {
  // bench/foresight/rows/images.jsonl; GB that torch had in tensors, or reserved, and seconds of a step.
  test.each([
    ['SD 1.5', { resolution: 512 }, 2.126, 0.305],
    ['SDXL', { rank: 1, gradient_checkpointing: false }, 13.991, 0.606],
    ['SDXL', { rank: 1 }, 7.0115, 1.08],
    ['SD3 medium', { rank: 128, batch: 3 }, 8.2356, 0.721],
    ['Qwen-Image', { rank: 8 }, 44.066, 1.202],
  ] as const)('%s, %j, are found again', (model, changes, gb, seconds) => {
    expect(stepGb({ model, ...changes }, H100) / gb).toBeCloseTo(1, 1);
    const { low_seconds, high_seconds } = ask({ model, ...changes }, H100).time;
    expect(low_seconds).toBeLessThan(seconds);
    expect(high_seconds).toBeGreaterThan(seconds);
  });
});

describe('rows that nothing of the table was taken from', () => {
  const krea = { model: 'krea/Krea-2', rank: 64 };
  const klein = { model: 'black-forest-labs/FLUX.2-klein-base-4B', resolution: 512, batch: 2 };
  test.each([
    ['a line through batches of 1 and 4 reaches 8 at 512 px', { ...krea, resolution: 512, batch: 8 }, 54.031 - 0.644, 2.43],
    ['and at 1024 px', { ...krea, batch: 8 }, 72.886 - 0.644, 7.69],
    ['twice the rank', { ...klein, rank: 64 }, 11.383, 0.757],
  ] as const)('%s', (_, changes, gb, seconds) => {
    const device = changes.model === krea.model ? H100 : L40S;
    expect(Math.abs(stepGb(changes, device) / gb - 1)).toBeLessThan(0.05);
    expect(Math.abs(ask(changes, device).time.seconds_per_step / seconds - 1)).toBeLessThan(0.15);
  });

  test('a full fine-tune of FLUX.2-klein in bf16 is fullest when the optimizer steps: 39.87 GB', () => {
    const { fullest, allocator_bytes } = ask({ ...klein, method: 'full' }).memory;
    expect(fullest).toBe('optimizer_step');
    expect(Math.abs(allocator_bytes / 39.873e9 - 1)).toBeLessThan(0.05);
  });
});

describe('memory', () => {
  const bytes = (changes: Partial<ImageQuestion>) => ask(changes).memory.device_bytes;

  test('is what its components say, in the fullest of its phases, inside its interval', () => {
    for (const { name } of IMAGE_CLASSES)
      for (const changes of [{}, { validation: true }, { method: 'full' }, { cached_embeddings: false, batch: 4 }] as const) {
        const { components, allocator_bytes, device_bytes, low_bytes, high_bytes, phases, fullest } = ask({
          model: name,
          ...changes,
        }).memory;
        const sum = Object.values(components).reduce((all, part) => all + part, 0);
        expect(sum / device_bytes).toBeCloseTo(1, 9);
        expect(allocator_bytes).toBeCloseTo(device_bytes - components.context, 0);
        for (const part of Object.values(components)) expect(part).toBeGreaterThanOrEqual(0);
        expect(Math.max(...Object.values(phases))).toBe(phases[fullest]);
        expect([low_bytes < device_bytes, device_bytes < high_bytes]).toEqual([true, true]);
      }
  });

  test('grows with the batch and the picture, and with class images as with twice the batch', () => {
    expect(bytes({ batch: 4 }) - bytes({ batch: 2 })).toBeCloseTo(2 * (bytes({ batch: 3 }) - bytes({ batch: 2 })), 0);
    expect(bytes({ resolution: 768, batch: 4 })).toBeLessThan(bytes({ batch: 4 }));
    expect(bytes({ batch: 2, prior_preservation: true })).toBe(bytes({ batch: 4 }));
  });

  test('holds text encoders and autoencoder where what they make is not kept, and a copy for the average', () => {
    const flux = { model: 'FLUX.1', batch: 1 };
    const more = (changes: Partial<ImageQuestion>) => (bytes({ ...flux, ...changes }) - bytes(flux)) / 1e9;
    expect(more({ cached_embeddings: false })).toBeCloseTo(2 * 4.883, 2);
    expect(more({ cached_latents: false })).toBeCloseTo(0.168, 2);
    expect(more({ ema: true })).toBeCloseTo((1.63e6 * 16 * 4) / 1e9, 2);
    expect(more({ method: 'full', ema: true }) - more({ method: 'full' })).toBeCloseTo(4 * 11.9, 1);
  });

  test('of a full fine-tune in fp32 is twice that in bf16, and checkpointing spares most of what a step keeps', () => {
    const full = ask({ method: 'full' }).memory.components;
    const wide = ask({ method: 'full', weights_dtype: 'fp32' }).memory.components;
    expect(wide.optimizer).toBe(2 * full.optimizer);
    expect(ask({ gradient_checkpointing: false }).memory.components.activations).toBeGreaterThan(
      3 * ask().memory.components.activations,
    );
  });

  test('is fullest when it samples where a small model makes a large picture', () => {
    expect(ask({ validation: true }).memory.fullest).toBe('evaluate');
    expect(ask({ validation: true, batch: 8 }).memory.fullest).toBe('train_step');
  });
});

describe('time', () => {
  const seconds = (changes: Partial<ImageQuestion>, device = L40S) => ask(changes, device).time.seconds_per_step;

  test('of a model that only its host holds up is the same on a faster device; of a large one it is not', () => {
    expect(seconds({}, H100) / seconds({})).toBeGreaterThan(0.75);
    const qwen = { model: 'Qwen/Qwen-Image' };
    expect(seconds(qwen) / seconds(qwen, H100)).toBeGreaterThan(2.5);
    expect(seconds(qwen, deviceOf('L4'))).toBeGreaterThan(2 * seconds(qwen));
  });

  test('counts every pass of a step, and DoRA nearly twice', () => {
    expect(seconds({ grad_accum: 4 })).toBeCloseTo(4 * seconds({}), 9);
    expect(seconds({ method: 'dora' }) / seconds({})).toBeCloseTo(1.93, 2);
    expect(seconds({ batch: 8 })).toBeGreaterThan(seconds({ batch: 4 }));
  });

  test('on a device without bf16 is told to be in fp16', () => {
    expect(ask({}, deviceOf('T4')).time.assumptions).toContain('T4 has no bf16: counted as fp16.');
  });
});
