import { describe, expect, test } from 'vitest';
import { type ImageDatasetFacts, imageDatasetFacts } from './image-dataset.ts';
import { type ImageSpec, planImages } from './image-plan.ts';
import { NO_WISHES } from './training-spec.ts';

const SPEC: ImageSpec = {
  method: 'lora',
  hyperparameters: { learning_rate: 1e-4, batch_size: 4, epochs: null, rank: 16, alpha: 32, dropout: 0 },
  max_steps: 1000,
  run: NO_WISHES,
  trigger_words: [],
  resolution: null,
  seed: 42,
};
const REPORT = {
  images: 10,
  class_images: 0,
  captions: { with: 10 },
  sides: { short: { min: 300, median: 700 } },
  buckets: { '512': [{ samples: 5 }, { samples: 5 }], '1024': [{ samples: 10 }] },
};
const DATASET: ImageDatasetFacts = imageDatasetFacts({ total_training_pairs: 10, statistics: REPORT, metadata: {} });
const SD = { kind: 'stable-diffusion', side: 512 } as const;
const SDXL = { kind: 'sdxl', side: 1024 } as const;
const plan = (
  spec: Partial<ImageSpec> = {},
  dataset: Partial<ImageDatasetFacts> = {},
  model: Parameters<typeof planImages>[2] = SD,
) => planImages({ ...SPEC, ...spec }, { ...DATASET, ...dataset }, model, ['a cat', ' a cat', 'a dog', 'a hen', 'an ox']);

describe('the plan of a training on images', () => {
  test('counts the batches of each bucket: one holds images of one bucket alone', () => {
    expect(plan()).toMatchObject({ resolution: 512, steps_per_epoch: 4, total_steps: 1000, total_epochs: 250 });
    expect(plan({ resolution: 1024 }).steps_per_epoch).toBe(3);
    expect(plan({ image: { bucketing: false } }).steps_per_epoch).toBe(3);
    expect(plan({ resolution: 768 }).steps_per_epoch).toBe(3);
    const epochs = { ...SPEC.hyperparameters, epochs: 3 };
    expect(plan({ hyperparameters: epochs, max_steps: null, run: { ...NO_WISHES, grad_accum: 2 } })).toMatchObject({
      steps_per_epoch: 2,
      total_steps: 6,
    });
  });

  test('is made at the size that its model was made for, where that is one that is trained at', () => {
    expect(plan({}, {}, SDXL).resolution).toBe(1024);
    expect(plan({}, {}, { kind: 'flux', side: null }).resolution).toBe(1024);
    expect(plan({}, {}, { kind: 'sdxl', side: 8 }).resolution).toBe(256);
    expect(plan({ resolution: 768 }, {}, SDXL).resolution).toBe(768);
  });

  test('has the defaults of its family, and of FLUX nothing that it has not', () => {
    expect(plan({}, {}, SDXL)).toMatchObject({
      min_snr_gamma: 5,
      optimizer: 'adamw',
      cache_latents: true,
      lr_schedule: 'constant',
    });
    const asked = { train_text_encoder: true, noise_offset: 0.05, min_snr_gamma: 3 };
    expect(plan({ image: asked }, {}, { kind: 'flux', side: 1024 })).toMatchObject({
      min_snr_gamma: null,
      noise_offset: 0,
      train_text_encoder: false,
      text_encoder_learning_rate: null,
      cache_text_embeddings: true,
    });
    expect(plan({ image: asked }, {}, SDXL)).toMatchObject({
      ...asked,
      text_encoder_learning_rate: 5e-6,
      cache_text_embeddings: false,
    });
    expect(plan({ image: { min_snr_gamma: null } }).min_snr_gamma).toBeNull();
  });

  test('draws samples of the captions that there are, five rounds a run', () => {
    expect(plan()).toMatchObject({ sample_prompts: ['a cat', 'a dog', 'a hen'], sample_interval: 200, sample_seed: 42 });
    expect(plan({ image: { sample_prompts: [], sample_interval: 0 } })).toMatchObject({ sample_prompts: [], sample_interval: 0 });
  });
});

describe('what stands for captions', () => {
  const bare = { captioned: 0 };
  test('are the trigger words where no image has one, and nothing where images have their own', () => {
    expect(plan({ trigger_words: ['zwx', 'cat'] }).instance_prompt).toBeNull();
    expect(plan({ trigger_words: ['zwx', 'cat'] }, bare).instance_prompt).toBe('zwx, cat');
    expect(plan({}, bare).instance_prompt).toBeNull();
  });

  test.each([
    ['a photo of a dog', 'a photo of zwx dog'],
    ['A picture of the old town', 'A picture of zwx old town'],
    ['photo of dogs', 'photo of zwx dogs'],
    ['a dog', 'zwx dog'],
    ['dog', 'zwx dog'],
  ])('of DreamBooth with the class prompt %j is %j', (class_prompt, instance_prompt) => {
    const told = plan({ method: 'dreambooth', trigger_words: ['zwx', 'more'] }, { class_prompt });
    expect(told).toMatchObject({ instance_prompt, sample_prompts: [instance_prompt], prior: { class_prompt, weight: 1 } });
  });

  test('of DreamBooth without a class prompt are the token alone, and nothing is preserved', () => {
    expect(plan({ method: 'dreambooth', trigger_words: ['$& x'] })).toMatchObject({
      instance_prompt: 'a photo of $& x',
      prior: null,
    });
    expect(plan({ method: 'dreambooth', trigger_words: ['$& x'] }, { class_prompt: 'a photo of a dog' }).instance_prompt).toBe(
      'a photo of $& x dog',
    );
    expect(plan({ method: 'dreambooth' }).instance_prompt).toBe('a photo of sks');
    expect(plan({ method: 'lora' }, { class_prompt: 'a dog' }).prior).toBeNull();
  });

  test('are preserved by no more class images than the run sees, or by those that the dataset has', () => {
    const images = (max_steps: number, own: number) =>
      plan({ method: 'dreambooth', max_steps }, { class_prompt: 'a dog', class_images: own }).prior?.class_images;
    expect([images(1000, 0), images(5, 0), images(5, 60)]).toEqual([100, 20, 60]);
  });
});

test('a report that cannot be read, and a class prompt that is none, are no facts', () => {
  expect(imageDatasetFacts({ total_training_pairs: 7, statistics: { buckets: 3 }, metadata: { class_prompt: ' ' } })).toEqual({
    samples: 7,
    images: 7,
    class_images: 0,
    captioned: 0,
    buckets: {},
    short_side: null,
    class_prompt: null,
  });
});
