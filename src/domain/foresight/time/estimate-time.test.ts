import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DeviceFacts } from '../devices/hardware.ts';
import { cpuDevice, findDevice } from '../devices/known-devices.ts';
import { findModel } from '../models/find-model.ts';
import type { ModelShape } from '../models/model-shape.ts';
import { countAdapterParameters, countParameters } from '../models/parameter-counts.ts';
import { shapeOf } from '../models/shape-of-config.ts';
import { OUR_SWITCHES, type RunShape } from '../run-shape.ts';
import { estimateTime } from './estimate-time.ts';
import { fullRows } from './token-load.ts';

function shapeOfConfig(config: unknown): ModelShape {
  const read = shapeOf(config);
  if (!read.ok) throw new Error(read.reason);
  return read.shape;
}
function modelOf(name: string): ModelShape {
  const found = findModel(name);
  if (!found.ok) throw new Error(found.reason);
  return shapeOfConfig(found.model.config);
}
function deviceOf(name: string): DeviceFacts {
  const device = findDevice(name);
  if (device === null) throw new Error(`there is no ${name}`);
  return device;
}

const LLAMA_7B = modelOf('meta-llama/Llama-2-7b-hf');
const LLAMA_8B = modelOf('meta-llama/Meta-Llama-3-8B');
/** Eight experts in place of the MLP, two a token, as in Mixtral 8x7B. */
const MIXTRAL: ModelShape = {
  ...LLAMA_8B,
  vocab: 32_000,
  blocks: LLAMA_8B.blocks.map((block) => ({
    ...block,
    linears: block.linears.map((linear) => (linear.part === 'mlp' ? { ...linear, part: 'expert', count: 8 } : linear)),
    mlp: {
      ...block.mlp,
      intermediate: 0,
      experts: { count: 8, per_token: 2, intermediate: block.mlp.intermediate, shared_intermediate: 0 },
    },
  })),
};
const A100 = deviceOf('A100-80GB');
/** One that only counts: what it takes are the operations. */
const COUNTS_ONLY: DeviceFacts = { ...A100, bandwidth: 1e30, bf16_flops: 1, efficiency: 1, launch_s: 0 };

const RUN: RunShape = {
  method: 'lora',
  quantization: 'none',
  adapter: { rank: 16, targets: 'all-linear', dtype: 'fp32', dropout: 0 },
  seq_len: 2048,
  micro_batch: 1,
  grad_accum: 1,
  trained_share: 1,
  gradient_checkpointing: false,
  optimizer: 'adamw',
  attention: 'flash',
  loss: 'standard',
  precision: 'bf16',
  weights_dtype: 'bf16',
  packing: false,
  compile: false,
  gpus: 1,
  strategy: 'none',
  switches: OUR_SWITCHES,
};
const FULL: Partial<RunShape> = { method: 'full', adapter: null };
const take = (changes: Partial<RunShape> = {}, device = A100, model = LLAMA_8B) => {
  const run = { ...RUN, ...changes };
  return estimateTime(model, run, device, fullRows(run));
};
const seconds = (...asked: Parameters<typeof take>) => take(...asked).seconds_per_step;

describe('operations a token', () => {
  /** With one token a row attention is next to nothing. */
  const each = (changes: Partial<RunShape>, model = LLAMA_7B) =>
    seconds({ seq_len: 1, micro_batch: 1000, ...changes }, COUNTS_ONLY, model) / 1000;
  const { total, embedding } = countParameters(LLAMA_7B);
  const matrices = total - embedding;
  const head = embedding;
  const adapter = { rank: 1, targets: ['q_proj'], dtype: 'fp32', dropout: 0 } as const;

  test('are 4 a weight where the base is frozen, 6 with checkpointing; 6 and 8 where all is trained, the head never twice', () => {
    expect(each({ adapter }) / (4 * matrices)).toBeCloseTo(1, 2);
    expect(each({ adapter, gradient_checkpointing: true }) / (6 * matrices - 2 * head)).toBeCloseTo(1, 2);
    expect(each(FULL) / (6 * matrices)).toBeCloseTo(1, 2);
    expect(each({ ...FULL, gradient_checkpointing: true }) / (8 * matrices - 2 * head)).toBeCloseTo(1, 2);
  });

  test('agree with what NVIDIA’s NeMo 24.12 tells of LoRA and SFT of a 7B model on H100: 26.7 and 39.8 billion', () => {
    expect(each({ adapter }) / 26.7e9).toBeGreaterThan(0.95);
    expect(each({ adapter }) / 26.7e9).toBeLessThan(1.05);
    expect(each(FULL) / 39.8e9).toBeGreaterThan(0.95);
    expect(each(FULL) / 39.8e9).toBeLessThan(1.05);
  });

  test('of an adapter are 6 a weight of its own, 8 with checkpointing', () => {
    const wide = { rank: 256, targets: 'all-linear', dtype: 'fp32', dropout: 0 } as const;
    const counted = countAdapterParameters(LLAMA_7B, wide, false);
    const own = counted.ok ? counted.params : Number.NaN;
    const [narrow, checkpointed] = [each({ adapter: wide }), each({ adapter: wide, gradient_checkpointing: true })];
    expect((narrow - 4 * matrices) / (6 * own)).toBeCloseTo(1, 2);
    expect((checkpointed - (6 * matrices - 2 * head)) / (8 * own)).toBeCloseTo(1, 2);
  });

  test('of a mixture are those of the experts that a token goes through', () => {
    const { active, embedding: looked_up } = countParameters(MIXTRAL);
    expect(each({ adapter }, MIXTRAL) / (4 * (active - looked_up))).toBeCloseTo(1, 2);
  });

  test('of attention grow with the text, up to a window', () => {
    const grown = (model: typeof LLAMA_8B) => seconds({ seq_len: 32_768 }, COUNTS_ONLY, model) / 32_768 - each({}, model);
    const blocks = LLAMA_8B.blocks.map((block) => ({ ...block, attention: { ...block.attention, window: 4096 } }));
    const windowed = { ...LLAMA_8B, blocks };
    // window − window² / 2 length, of length / 2
    expect(grown(windowed) / grown(LLAMA_8B)).toBeCloseTo((4096 - 4096 ** 2 / 65_536) / 16_384, 2);
  });

  test('of the head are those of the trained tokens alone, with the trainer that comes along', () => {
    const run = { ...RUN, seq_len: 1, micro_batch: 1000 };
    const load = { ...fullRows(run), trained_share: 0.25 };
    const quarter = estimateTime(LLAMA_7B, run, COUNTS_ONLY, load).seconds_per_step / 1000;
    const switches = { ...OUR_SWITCHES, head_on_trained_only: false };
    const all = estimateTime(LLAMA_7B, { ...run, switches }, COUNTS_ONLY, load).seconds_per_step / 1000;
    expect((all - quarter) / (4 * head * 0.75)).toBeCloseTo(1, 2);
  });
});

describe('a step', () => {
  test('of few tokens takes what its kernels take to start, unless they are compiled', () => {
    const [one, eight] = [seconds({ seq_len: 1 }), seconds({ seq_len: 8 })];
    expect(eight / one).toBeCloseTo(1, 1);
    expect(seconds({ seq_len: 1, compile: true })).toBeLessThan(one / 2);
    const [long, compiled] = [seconds({ seq_len: 8192 }), seconds({ seq_len: 8192, compile: true })];
    expect(compiled / long).toBeGreaterThan(0.6);
  });

  test('with 4-bit weights takes so much longer, however many tokens it has', () => {
    const more = (seq_len: number) => seconds({ seq_len, method: 'qlora', quantization: 'nf4' }) - seconds({ seq_len });
    expect(more(256)).toBeGreaterThan(0);
    expect(more(256) / more(4096)).toBeCloseTo(1, 6);
  });

  test('takes longer for more adapters, for DoRA, for eager attention and for checkpointing', () => {
    const few = { rank: 16, targets: ['q_proj', 'v_proj'], dtype: 'fp32', dropout: 0 } as const;
    const base = seconds();
    expect(seconds({ adapter: few })).toBeLessThan(base);
    for (const dearer of [
      { method: 'dora' },
      { attention: 'eager' },
      { gradient_checkpointing: true },
      { adapter: { ...few, targets: 'all-linear', dropout: 0.1 } },
    ] as const)
      expect(seconds(dearer)).toBeGreaterThan(base);
  });

  test('takes longer where SDPA is given a mask, and less with fused kernels', () => {
    const long = { seq_len: 8192, attention: 'sdpa' } as const;
    const plain = seconds(long);
    expect(seconds({ ...long, switches: { ...OUR_SWITCHES, passes_mask: true } })).toBeGreaterThan(plain);
    expect(seconds({ ...long, switches: { ...OUR_SWITCHES, fused_kernels: true } })).toBeLessThan(plain);
  });

  test('with an adapter on experts that are one parameter takes so much longer, however many tokens it has', () => {
    const linears = MIXTRAL.blocks.map((block) => ({
      ...block,
      linears: block.linears.map((linear) => (linear.part === 'expert' ? { ...linear, is_module: false } : linear)),
    }));
    const fused: ModelShape = { ...MIXTRAL, blocks: linears };
    const attention = { rank: 16, targets: 'attention', dtype: 'fp32', dropout: 0 } as const;
    const more = (seq_len: number) => seconds({ seq_len }, A100, fused) - seconds({ seq_len, adapter: attention }, A100, fused);
    expect(more(4096)).toBeGreaterThan(0);
    expect(more(8192) / more(4096)).toBeCloseTo(1, 2);
  });

  test('takes less with a loss that makes no logits, and with an optimizer that moves less', () => {
    expect(seconds({ loss: 'fused' })).toBeLessThan(seconds());
    expect(seconds({ ...FULL, optimizer: 'sgd' })).toBeLessThan(seconds(FULL));
  });

  test('counts the tokens of the texts, not those that pad them', () => {
    const run = { ...RUN, micro_batch: 4 };
    const padded = estimateTime(LLAMA_8B, run, A100, { ...fullRows(run), tokens: 1024 });
    const whole = estimateTime(LLAMA_8B, run, A100, fullRows(run));
    expect(padded.tokens_per_second * padded.seconds_per_step).toBeCloseTo(4 * 1024, 6);
    expect(padded.seconds_per_step / whole.seconds_per_step).toBeGreaterThan(0.8);
    expect([padded.assumptions.length, whole.assumptions.length]).toEqual([1, 0]);
  });

  test('on a device without bf16 is counted in fp16, and that is said', () => {
    const v100 = deviceOf('V100-32GB');
    expect(take({}, v100).assumptions).toEqual(['V100-32GB has no bf16: counted as fp16.']);
    expect(take({ precision: 'fp16' }, v100).assumptions).toEqual([]);
    expect(seconds({}, v100)).toBe(seconds({ precision: 'fp16' }, v100));
  });

  test('has an interval around it, wider where fewer published runs were held against it', () => {
    const width = (device: DeviceFacts, changes: Partial<RunShape> = {}) => {
      const { low_seconds, seconds_per_step, high_seconds } = take(changes, device);
      expect(low_seconds).toBeLessThan(seconds_per_step);
      return high_seconds / seconds_per_step;
    };
    expect(width(deviceOf('T4'))).toBeGreaterThan(width(deviceOf('L4')));
    expect(width(deviceOf('L4'))).toBeGreaterThan(width(A100));
    expect(width(A100, { method: 'dora' })).toBeGreaterThan(width(A100));
  });
});

describe('a processor', () => {
  const SMOLLM: ModelShape = { ...modelOf('HuggingFaceTB/SmolLM2-135M'), vocab: 2560 };
  const OURS: Partial<RunShape> = {
    adapter: { rank: 8, targets: 'all-linear', dtype: 'fp32', dropout: 0.05 },
    precision: 'fp32',
    weights_dtype: 'fp32',
    attention: 'sdpa',
  };

  test('takes for a step of gsm8k what docs/benchmarks.md measured on two cores: 23 s of eight rows', () => {
    const run = { ...RUN, ...OURS, micro_batch: 8 };
    // 299 tokens a row on average, 474 of the longest of eight, 61 % of them answers: counted with the demo's tokenizer.
    const load = { tokens: 299, padded: 474, document: 474, trained_share: 0.61 };
    const told = estimateTime(SMOLLM, run, cpuDevice(2, 24e9), load);
    expect(Math.abs(told.seconds_per_step / 23 - 1)).toBeLessThan(0.15);
    expect([told.low_seconds < 23, told.high_seconds > 23]).toEqual([true, true]);
  });

  test('says that its speed is that of cores like those measured', () => {
    expect(take(OURS, deviceOf('CPU')).assumptions).toHaveLength(1);
  });
});

describe('several devices', () => {
  const speedUp = (changes: Partial<RunShape>, device = A100, gpus = 4) =>
    take({ ...changes, gpus }, device).tokens_per_second / take({}, device).tokens_per_second;
  const OWN = deviceOf('RTX-3090');

  test('that each hold the model train an adapter nearly as many times as fast, even without fast links', () => {
    expect(speedUp({ strategy: 'ddp' })).toBeGreaterThan(3.9);
    expect(speedUp({ strategy: 'ddp' }, OWN)).toBeGreaterThan(3.6);
    expect(speedUp({ strategy: 'ddp' }, OWN)).toBeLessThanOrEqual(4);
  });

  test('that share the weights wait for them where links are slow, and less where those are small', () => {
    expect(speedUp({ strategy: 'fsdp' })).toBeGreaterThan(3.5);
    const slow = speedUp({ strategy: 'fsdp' }, OWN);
    expect(slow).toBeLessThan(speedUp({ strategy: 'ddp' }, OWN));
    const small = { method: 'qlora', quantization: 'nf4-dq' } as const;
    const alone = take(small, OWN).tokens_per_second;
    expect(take({ ...small, strategy: 'fsdp', gpus: 4 }, OWN).tokens_per_second / alone).toBeGreaterThan(slow);
  });

  test('that share the weights gather them twice a step with FSDP, and a third time with ZeRO-3 where it checkpoints', () => {
    const slow = { ...OWN, link: 1e6 };
    const waits = (changes: Partial<RunShape>) => seconds({ ...changes, gpus: 4 }, slow);
    const checkpointed = { gradient_checkpointing: true } as const;
    expect(waits({ strategy: 'fsdp', ...checkpointed }) / waits({ strategy: 'fsdp' })).toBeCloseTo(1, 2);
    expect(waits({ strategy: 'fsdp', weights_dtype: 'fp32' }) / waits({ strategy: 'fsdp' })).toBeCloseTo(1, 2);
    expect(waits({ strategy: 'zero3', ...checkpointed }) / waits({ strategy: 'zero3' })).toBeCloseTo(1.5, 1);
  });

  test('have a wider interval where nobody knows the slots that they are in', () => {
    const width = (device: DeviceFacts) => {
      const { low_seconds, high_seconds } = take({ strategy: 'fsdp', gpus: 4, seq_len: 256 }, device);
      return high_seconds / low_seconds;
    };
    expect(width(OWN)).toBeGreaterThan(2 * width({ ...OWN, link: 300e9 }));
  });

  test('that share the optimizer step sooner when all is trained', () => {
    expect(seconds({ ...FULL, gpus: 8, strategy: 'zero1' })).toBeLessThan(seconds({ ...FULL, gpus: 8, strategy: 'ddp' }));
  });
});

test('more to do never takes less, on any device', () => {
  const runs = fc.record({
    model: fc.constantFrom(LLAMA_8B, modelOf('HuggingFaceTB/SmolLM2-135M'), MIXTRAL),
    device: fc.constantFrom('A100-80GB', 'L4', 'T4', 'RTX-4090', 'CPU').map(deviceOf),
    seq_len: fc.integer({ min: 1, max: 8192 }),
    micro_batch: fc.integer({ min: 1, max: 16 }),
    grad_accum: fc.integer({ min: 1, max: 8 }),
    precision: fc.constantFrom('bf16', 'fp32'),
    packing: fc.boolean(),
  });
  fc.assert(
    fc.property(runs, ({ model, device, ...changes }) => {
      const told = take(changes, device, model);
      for (const figure of Object.values(told)) if (typeof figure === 'number') expect(figure).toBeGreaterThan(0);
      for (const more of [
        { seq_len: changes.seq_len + 100 },
        { micro_batch: changes.micro_batch + 1 },
        { grad_accum: changes.grad_accum + 1 },
        { gradient_checkpointing: true },
      ])
        expect(seconds({ ...changes, ...more }, device, model)).toBeGreaterThanOrEqual(told.seconds_per_step * 0.999_999);
    }),
  );
});
