import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeviceFacts } from '../devices/hardware.ts';
import { findDevice } from '../devices/known-devices.ts';
import { CATALOGUE, findModel } from '../models/find-model.ts';
import type { ModelShape } from '../models/model-shape.ts';
import { shapeOf } from '../models/shape-of-config.ts';
import {
  ADAPTER_DTYPES,
  ATTENTIONS,
  LOSSES,
  OPTIMIZERS,
  OUR_SWITCHES,
  PRECISIONS,
  QUANTIZATIONS,
  type RunShape,
  STRATEGIES,
} from '../run-shape.ts';
import { estimateMemory } from './estimate-memory.ts';

const A100 = deviceNamed('A100-80GB');
const CPU = deviceNamed('CPU');

function deviceNamed(name: string): DeviceFacts {
  const found = findDevice(name);
  if (found === null) throw new Error(name);
  return found;
}

function model(config: Record<string, unknown>): ModelShape {
  const read = shapeOf(config);
  if (!read.ok) throw new Error(read.reason);
  return read.shape;
}
const LLAMA_8B = model({
  model_type: 'llama',
  vocab_size: 128_256,
  hidden_size: 4096,
  intermediate_size: 14_336,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  num_key_value_heads: 8,
});
const LORA: RunShape = {
  method: 'lora',
  quantization: 'none',
  adapter: { rank: 16, targets: 'all-linear', dtype: 'fp32', dropout: 0 },
  seq_len: 2048,
  micro_batch: 1,
  grad_accum: 1,
  trained_share: 1,
  gradient_checkpointing: false,
  optimizer: 'adamw',
  attention: 'sdpa',
  loss: 'standard',
  precision: 'bf16',
  weights_dtype: 'bf16',
  packing: false,
  compile: false,
  gpus: 1,
  strategy: 'none',
  switches: OUR_SWITCHES,
};
const FULL: RunShape = { ...LORA, method: 'full', adapter: null };
const bytes = (run: RunShape) => estimateMemory(LLAMA_8B, run, A100).device_bytes;

describe('components', () => {
  it('sum up to what the allocator holds, and with the context to what the device shows', () => {
    const { components, allocator_bytes, device_bytes, phases, fullest } = estimateMemory(LLAMA_8B, LORA, A100);
    const all = Object.values(components).reduce((sum, part) => sum + part, 0);
    expect(all).toBe(device_bytes);
    expect(all - components.context).toBe(allocator_bytes);
    expect(Math.max(...Object.values(phases))).toBe(device_bytes);
    expect(phases[fullest]).toBe(device_bytes);
  });

  it('count a base of 8.03 billion weights in bf16, in 4 bits and doubly quantized', () => {
    const weights = (quantization: RunShape['quantization']) =>
      estimateMemory(LLAMA_8B, { ...LORA, method: 'qlora', quantization }, A100).components.weights;
    expect(estimateMemory(LLAMA_8B, LORA, A100).components.weights).toBe(8_030_261_248 * 2);
    const frame = (2 * 128_256 * 4096 + 65 * 4096) * 2;
    const linears = 32 * (2 * 4096 * 4096 + 2 * 4096 * 1024 + 3 * 4096 * 14_336);
    expect((weights('nf4') - frame) / linears).toBeCloseTo(0.5625, 4);
    expect((weights('nf4-dq') - frame) / linears).toBeCloseTo(0.5159, 4);
    expect((weights('int8') - frame) / linears).toBeCloseTo(1, 2);
  });

  it('count an fp32 adapter with its gradient and states at 16 bytes a parameter', () => {
    const { components } = estimateMemory(LLAMA_8B, { ...LORA, grad_accum: 2 }, A100);
    expect(components.adapter + components.gradients + components.optimizer).toBe(16 * 41_943_040);
  });
});

describe('what a choice changes', () => {
  it('less where blocks are checkpointed, weights quantized or logits taken in pieces', () => {
    expect(bytes({ ...LORA, gradient_checkpointing: true })).toBeLessThan(bytes(LORA));
    expect(bytes({ ...LORA, method: 'qlora', quantization: 'nf4' })).toBeLessThan(bytes(LORA));
    expect(bytes({ ...LORA, loss: 'chunked' })).toBeLessThan(bytes(LORA));
    expect(bytes({ ...LORA, loss: 'fused' })).toBeLessThan(bytes(LORA));
    expect(bytes({ ...LORA, trained_share: 0.2 })).toBeLessThan(bytes(LORA));
  });

  it('more with DoRA than with LoRA, with all weights than with an adapter, with eager attention than with SDPA', () => {
    expect(bytes({ ...LORA, method: 'dora' })).toBeGreaterThan(bytes(LORA));
    expect(bytes(FULL)).toBeGreaterThan(bytes(LORA));
    expect(bytes({ ...LORA, attention: 'eager' })).toBeGreaterThan(bytes(LORA));
  });

  it('shards a full fine-tune, but the frozen base of LoRA only with FSDP and ZeRO-3', () => {
    const many = (run: RunShape, strategy: RunShape['strategy']) =>
      estimateMemory(LLAMA_8B, { ...run, gpus: 8, strategy }, A100).components;
    expect(many(FULL, 'zero2').optimizer).toBeLessThan(many(FULL, 'ddp').optimizer);
    expect(many(LORA, 'zero2').weights).toBe(many(LORA, 'ddp').weights);
    for (const strategy of ['fsdp', 'zero3'] as const)
      expect(many(LORA, strategy).weights).toBe(Math.ceil(many(LORA, 'ddp').weights / 8));
  });

  it('has checkpoints hold the inputs of int8 linears, too, and those of 4-bit ones not', () => {
    const run: RunShape = { ...LORA, method: 'qlora', precision: 'fp16', weights_dtype: 'fp16', gradient_checkpointing: true };
    const activations = (quantization: RunShape['quantization'], changed: Partial<RunShape> = {}) =>
      estimateMemory(LLAMA_8B, { ...run, quantization, ...changed }, A100).components.activations;
    // Of every block but the first, whose own input has no gradient: two norms, attention and the product of the MLP.
    const inputs = 31 * 2048 * (3 * 4096 + 14_336) * 2;
    const more = activations('int8') - activations('nf4');
    expect(more / inputs).toBeGreaterThan(0.95);
    expect(more / inputs).toBeLessThan(1.15);
    const offloads = { switches: { ...OUR_SWITCHES, offloads_checkpoints: true } };
    expect(activations('int8', offloads) - activations('nf4', offloads)).toBeGreaterThan(0.9 * inputs);
  });

  it('has buckets of ZeRO-3 as large as the hidden size squared, those of ZeRO-2 of 500 million elements', () => {
    const exchanged = (strategy: RunShape['strategy']) =>
      estimateMemory(LLAMA_8B, { ...FULL, gpus: 8, strategy }, A100).components.communication;
    expect(exchanged('zero2')).toBe(2 * 5e8 * 2);
    expect(exchanged('zero3')).toBe(2 * 4096 ** 2 * 2 + (2 * 128_256 * 4096 + 4096 + 218_112_000) * 2);
  });

  it('has what becomes fp32 while a model is loaded in 16 bits besides', () => {
    const run: RunShape = { ...LORA, method: 'qlora', quantization: 'nf4', seq_len: 64, gradient_checkpointing: true };
    const loaded = (upcasts_frozen: boolean) =>
      estimateMemory(LLAMA_8B, { ...run, switches: { ...OUR_SWITCHES, upcasts_frozen } }, A100).phases.load;
    const narrow = (2 * 128_256 * 4096 + (32 * 2 + 1) * 4096) * 2;
    // In 16 bits the largest matrix stands beside the rest while it is quantized; its passing bytes have their slack.
    const expected = narrow + (narrow - 4096 * 14_336 * 2) * 1.06;
    expect((loaded(true) - loaded(false)) / expected).toBeCloseTo(1, 3);
  });

  it("is less sure of anybody's run than of ours, and sure of as much where rows are packed", () => {
    const ends = (run: RunShape, whose: 'ours' | 'anybodys') => {
      const { low_bytes, device_bytes, high_bytes } = estimateMemory(LLAMA_8B, run, A100, whose);
      return { low_bytes, device_bytes, high_bytes };
    };
    const ours = ends(LORA, 'ours');
    expect(ends(LORA, 'anybodys')).toEqual({ ...ours, high_bytes: expect.any(Number) });
    expect(ends(LORA, 'anybodys').high_bytes).toBeGreaterThan(1.2 * ours.high_bytes);
    const packed: RunShape = { ...LORA, packing: true };
    expect(ends(packed, 'anybodys')).toEqual(ends(packed, 'ours'));
  });

  it('comes within a twentieth of what the trainer took on a CPU', () => {
    const small = model({
      model_type: 'llama',
      vocab_size: 400,
      hidden_size: 576,
      num_hidden_layers: 30,
      num_attention_heads: 9,
      num_key_value_heads: 3,
      intermediate_size: 1536,
      tie_word_embeddings: true,
    });
    const adapter = { rank: 16, targets: 'all-linear', dtype: 'fp32', dropout: 0.05 } as const;
    const run: RunShape = { ...LORA, adapter, precision: 'fp32', weights_dtype: 'fp32', trained_share: 0.04 };
    const megabytes = (change: Partial<RunShape>) => estimateMemory(small, { ...run, ...change }, CPU).device_bytes / 1e6;
    const shares = [
      megabytes({ seq_len: 512, micro_batch: 2 }) / 4274.4,
      megabytes({ seq_len: 512, micro_batch: 2, gradient_checkpointing: true }) / 2292,
      megabytes({ seq_len: 256, gradient_checkpointing: true }) / 1627.7,
    ];
    for (const share of shares) expect(Math.abs(share - 1)).toBeLessThan(0.05);
  });
});

const runs = fc.record({
  method: fc.constantFrom('lora', 'qlora', 'dora', 'full'),
  quantization: fc.constantFrom(...QUANTIZATIONS),
  dtype: fc.constantFrom(...ADAPTER_DTYPES),
  targets: fc.constantFrom('all-linear' as const, 'attention' as const, ['q_proj', 'v_proj']),
  dropout: fc.constantFrom(0, 0.1),
  rank: fc.integer({ min: 1, max: 256 }),
  seq_len: fc.integer({ min: 1, max: 40_000 }),
  micro_batch: fc.integer({ min: 1, max: 64 }),
  grad_accum: fc.integer({ min: 1, max: 4 }),
  trained_share: fc.double({ min: 0, max: 1, noNaN: true }),
  gradient_checkpointing: fc.boolean(),
  optimizer: fc.constantFrom(...OPTIMIZERS),
  attention: fc.constantFrom(...ATTENTIONS),
  loss: fc.constantFrom(...LOSSES),
  precision: fc.constantFrom(...PRECISIONS),
  weights_dtype: fc.constantFrom(...PRECISIONS),
  packing: fc.boolean(),
  compile: fc.boolean(),
  gpus: fc.integer({ min: 1, max: 16 }),
  strategy: fc.constantFrom(...STRATEGIES),
  fused_kernels: fc.boolean(),
  upcasts_frozen: fc.boolean(),
  autocast: fc.boolean(),
});
type Drawn = typeof runs extends fc.Arbitrary<infer Value> ? Value : never;

function runOf({ dtype, targets, dropout, rank, fused_kernels, upcasts_frozen, autocast, ...rest }: Drawn): RunShape {
  return {
    ...rest,
    quantization: rest.method === 'full' ? 'none' : rest.quantization,
    adapter: rest.method === 'full' ? null : { rank, targets, dtype, dropout },
    switches: { ...OUR_SWITCHES, fused_kernels, upcasts_frozen, autocast },
  };
}

describe('any run', () => {
  it('has whole, finite bytes that are not negative and lie within their interval', () => {
    fc.assert(
      fc.property(runs, fc.constantFrom(A100, CPU), (drawn, device) => {
        const { components, phases, low_bytes, high_bytes, device_bytes } = estimateMemory(LLAMA_8B, runOf(drawn), device);
        for (const part of [...Object.values(components), ...Object.values(phases)]) {
          expect(Number.isSafeInteger(part)).toBe(true);
          expect(part).toBeGreaterThanOrEqual(0);
        }
        expect(low_bytes).toBeLessThan(device_bytes);
        expect(high_bytes).toBeGreaterThan(device_bytes);
      }),
    );
  });

  it.each(['seq_len', 'micro_batch', 'rank'] as const)('takes no less with more %s', (name) => {
    fc.assert(
      fc.property(runs, fc.integer({ min: 1, max: 5000 }), (drawn, more) => {
        const most = name === 'seq_len' ? more : Math.ceil(more / 100);
        expect(bytes(runOf({ ...drawn, [name]: drawn[name] + most }))).toBeGreaterThanOrEqual(bytes(runOf(drawn)));
      }),
    );
  });
});

it.each(CATALOGUE.map(({ name }) => name))('plans LoRA, QLoRA and a full fine-tune of %s', (name) => {
  const found = findModel(name);
  if (!found.ok) throw new Error(found.reason);
  const read = shapeOf(found.model.config);
  if (!read.ok) throw new Error(read.reason);
  for (const run of [LORA, { ...LORA, method: 'qlora', quantization: 'nf4' } as const, FULL])
    expect(Number.isSafeInteger(estimateMemory(read.shape, run, A100).device_bytes)).toBe(true);
});
