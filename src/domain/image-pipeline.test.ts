import { describe, expect, test } from 'vitest';
import {
  factsOfPipeline,
  imageModelKind,
  type ReadComponent,
  readComponentConfig,
  readPipelineIndex,
  whyPipelineNotTrainable,
} from './image-pipeline.ts';

const SD = {
  _class_name: 'StableDiffusionPipeline',
  safety_checker: ['stable_diffusion', 'StableDiffusionSafetyChecker'],
  image_encoder: [null, null],
  scheduler: ['diffusers', 'PNDMScheduler'],
  text_encoder: ['transformers', 'CLIPTextModel'],
  tokenizer: ['transformers', 'CLIPTokenizer'],
  unet: ['diffusers', 'UNet2DConditionModel'],
  vae: ['diffusers', 'AutoencoderKL'],
  requires_safety_checker: true,
};
const FLUX = {
  _class_name: 'FluxPipeline',
  scheduler: ['diffusers', 'FlowMatchEulerDiscreteScheduler'],
  text_encoder: ['transformers', 'CLIPTextModel'],
  text_encoder_2: ['transformers', 'T5EncoderModel'],
  tokenizer: ['transformers', 'CLIPTokenizer'],
  tokenizer_2: ['transformers', 'T5TokenizerFast'],
  transformer: ['diffusers', 'FluxTransformer2DModel'],
  vae: ['diffusers', 'AutoencoderKL'],
};
const VAE = { latent_channels: 4, block_out_channels: [128, 256, 512, 512] };
const CONFIGS: Record<string, unknown> = {
  unet: { in_channels: 4, sample_size: 64 },
  vae: VAE,
  text_encoder: { vocab_size: 49_408 },
  transformer: { in_channels: 64, num_layers: 19, num_single_layers: 38, num_attention_heads: 24, attention_head_dim: 128 },
};
const PARAMS: Record<string, number> = { unet: 860, transformer: 11_900, vae: 84, text_encoder: 123, text_encoder_2: 4760 };

function read(index: Record<string, unknown>, configs: Record<string, unknown> = CONFIGS) {
  const told = readPipelineIndex(index);
  if (!told.ok) throw new Error(told.refusal.message);
  const components: ReadComponent[] = told.pipeline.components.map((component) => ({
    ...component,
    config: component.weights === null ? null : readComponentConfig(configs[component.name] ?? {}),
    params: PARAMS[component.name] ?? 0,
    files: component.weights === null ? ['tokenizer.json'] : ['config.json'],
  }));
  const facts = factsOfPipeline(told.pipeline, components);
  return { ...facts, why: whyPipelineNotTrainable(told.pipeline, components, facts.facts.quantized) };
}

describe('a pipeline', () => {
  test('of Stable Diffusion is what its index and components say, what no training reads aside', () => {
    expect(read(SD)).toEqual({
      denoiser: 'unet',
      why: null,
      image: { kind: 'stable-diffusion', denoiser: 860, encoders: 123, vae: 84, side: 512 },
      facts: {
        family: 'stable-diffusion',
        architecture: 'StableDiffusionPipeline',
        hidden_size: null,
        num_layers: null,
        vocab_size: 49_408,
        context_length: null,
        quantized: false,
      },
    });
  });

  test('of FLUX has its width and its layers of both kinds, and both encoders are counted', () => {
    const vae = { ...VAE, latent_channels: 16 };
    const { facts, image, why } = read(FLUX, { ...CONFIGS, vae });
    expect([why, imageModelKind(facts.architecture)]).toEqual([null, 'flux']);
    expect(facts).toMatchObject({ family: 'flux', hidden_size: 3072, num_layers: 57 });
    expect(image).toEqual({ kind: 'flux', denoiser: 11_900, encoders: 4883, vae: 84, side: 1024 });
  });

  test.each<[string, Record<string, unknown>, Record<string, unknown>, string]>([
    ['of a class without a recipe', { ...SD, _class_name: 'KolorsPipeline' }, CONFIGS, 'architecture_not_trainable'],
    [
      'of a class by the name of what every object has',
      { ...SD, _class_name: 'constructor' },
      CONFIGS,
      'architecture_not_trainable',
    ],
    ['that lacks a component', { ...SD, vae: [null, null] }, CONFIGS, 'component_missing'],
    ['with another text encoder', { ...SD, text_encoder: ['transformers', 'BertModel'] }, CONFIGS, 'architecture_not_trainable'],
    ['for inpainting', SD, { ...CONFIGS, unet: { in_channels: 9 } }, 'architecture_not_trainable'],
    ['that is quantized', SD, { ...CONFIGS, unet: { quantization_config: {} } }, 'quantized_not_trainable'],
  ])('%s is not trained, with its reason', (_, index, configs, code) => {
    expect(read(index, configs).why).toEqual({ code, message: expect.any(String) });
  });

  test.each<[string, unknown, string]>([
    ['a component of a library of its own', { ...SD, unet: ['my_unet', 'OwnUNet'] }, 'remote_code_not_allowed'],
    ['a class of its own', { ...SD, _class_name: ['pipeline', 'OwnPipeline'] }, 'remote_code_not_allowed'],
    ['no class', { ...SD, _class_name: undefined }, 'invalid_config'],
    ['a component outside of it', { ...SD, '../unet': ['diffusers', 'UNet2DConditionModel'] }, 'invalid_config'],
    ['no components', { _class_name: 'StableDiffusionPipeline', sizes: [1, 2] }, 'invalid_config'],
    ['no object', [], 'invalid_config'],
  ])('whose index names %s is refused', (_, index, code) => {
    expect(readPipelineIndex(index)).toMatchObject({ ok: false, refusal: { code } });
  });
});
