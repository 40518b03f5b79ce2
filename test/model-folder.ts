/** A tiny model's files for tests: real configuration, tokenizer and safetensors, nothing that could answer. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const TINY_CONFIG = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_size: 8,
  num_hidden_layers: 2,
  vocab_size: 100,
  max_position_embeddings: 512,
};

/** Safetensors bytes of zeros with these shapes. */
export function safetensors(shapes: Record<string, number[]>, dtype = 'BF16', bytes_each = 2): Buffer {
  let at = 0;
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  for (const [name, shape] of Object.entries(shapes)) {
    const end = at + shape.reduce((product, size) => product * size, 1) * bytes_each;
    header[name] = { dtype, shape, data_offsets: [at, end] };
    at = end;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, Buffer.alloc(at)]);
}

/** The files of a model that can be trained; 820 parameters. */
export function tinyModelFiles(): Record<string, Buffer | string> {
  return {
    'config.json': JSON.stringify(TINY_CONFIG),
    'tokenizer.json': '{}',
    'tokenizer_config.json': JSON.stringify({ chat_template: '{{ messages }}' }),
    'model.safetensors': safetensors({ 'model.embed_tokens.weight': [100, 8], 'model.norm.weight': [20] }),
  };
}

/** The files of a Stable Diffusion pipeline that can be registered and drawn with by nobody; its UNet has 420 parameters. */
export function tinyPipelineFiles(changes: Record<string, unknown> = {}): Record<string, Buffer | string> {
  const index = {
    _class_name: 'StableDiffusionPipeline',
    _diffusers_version: '0.35.0',
    feature_extractor: ['transformers', 'CLIPImageProcessor'],
    safety_checker: ['stable_diffusion', 'StableDiffusionSafetyChecker'],
    scheduler: ['diffusers', 'DDIMScheduler'],
    text_encoder: ['transformers', 'CLIPTextModel'],
    tokenizer: ['transformers', 'CLIPTokenizer'],
    unet: ['diffusers', 'UNet2DConditionModel'],
    vae: ['diffusers', 'AutoencoderKL'],
    requires_safety_checker: true,
    ...changes,
  };
  return {
    'model_index.json': JSON.stringify(index),
    'scheduler/scheduler_config.json': '{}',
    'text_encoder/config.json': JSON.stringify({ vocab_size: 300, max_position_embeddings: 77 }),
    'text_encoder/model.safetensors': safetensors({ 'text_model.weight': [30] }),
    'tokenizer/tokenizer_config.json': '{}',
    'tokenizer/vocab.json': '{}',
    'tokenizer/merges.txt': '',
    'unet/config.json': JSON.stringify({ in_channels: 4, sample_size: 64, block_out_channels: [4, 8] }),
    'unet/diffusion_pytorch_model.safetensors': safetensors({ 'conv_in.weight': [20, 20], 'conv_out.bias': [20] }, 'F16'),
    'vae/config.json': JSON.stringify({ latent_channels: 4, block_out_channels: [4, 4, 4, 4] }),
    'vae/diffusion_pytorch_model.safetensors': safetensors({ 'decoder.weight': [10] }),
  };
}

/** Writes files into a new folder and answers its path. */
export function writeFolder(path: string, files: Record<string, Buffer | string>): string {
  mkdirSync(path, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), content);
  }
  return path;
}
