/** A tiny model's files for tests: real configuration, tokenizer and safetensors, nothing that could answer. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

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

/** Writes files into a new folder and answers its path. */
export function writeFolder(path: string, files: Record<string, Buffer | string>): string {
  mkdirSync(path, { recursive: true });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content);
  return path;
}
