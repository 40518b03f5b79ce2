/**
 * What a pass through a block takes of a device: products of matrices, memory that everything else moves, kernels to start.
 * Counted after transformers' and PEFT's eager code; a scale that measured runs set stands in `TIME_CONSTANTS`.
 */
import type { BlockShape, LinearShape, ModelShape } from '../models/model-shape.ts';
import { linearsOf } from '../models/parameter-counts.ts';
import type { AdapterShape, RunShape } from '../run-shape.ts';
import { TIME_CONSTANTS as K } from './time-constants.ts';
import type { TokenLoad } from './token-load.ts';

/** One matrix product of a pass: `copies` of it, each with so many tokens. */
export interface Product {
  inputs: number;
  outputs: number;
  copies: number;
  tokens: number;
}

export interface BlockWork {
  /** Of the base's own matrices, once through. */
  products: Product[];
  /** Operations of the adapters' matrices, once through. */
  adapter_ops: number;
  /** Operations of attention, once through. */
  attention_ops: number;
  /** Bytes that a forward pass moves beside the products. */
  traffic: number;
  /** Bytes moved whatever the tokens are, once through: norms of DoRA's weights. */
  fixed_traffic: number;
  /** Kernels of a forward pass. */
  kernels: number;
}

/** Bytes of a number in the arithmetic's own type. */
export const computeBytes = (precision: RunShape['precision']): number => (precision === 'fp32' ? 4 : 2);

/** A block's work for `rows` rows. */
export function blockWork(block: BlockShape, model: ModelShape, run: RunShape, load: TokenLoad): BlockWork {
  const tokens = run.micro_batch * load.padded;
  const adapters = adapterWork(block, model, run, tokens);
  const width = block.attention.heads * block.attention.head_dim;
  const seen = attended(run.packing ? load.document : load.padded, block.attention.window, masksComputed(run));
  return {
    products: block.linears.map((linear) => productOf(linear, block, tokens)),
    adapter_ops: adapters.ops,
    // Two products of queries × keys and weights × values, each 2 operations (Korthikanti et al., arXiv 2205.05198, appendix A).
    attention_ops: 4 * width * seen * tokens,
    traffic: tokens * (blockTraffic(block, model.hidden, run, load) + adapters.traffic),
    fixed_traffic: adapters.fixed_traffic,
    kernels: blockKernels(block, run) + adapters.kernels,
  };
}

/** If scores are computed that a mask then hides: eager, and SDPA that is given a mask instead of its own causal rule. */
const masksComputed = ({ attention, switches }: RunShape): boolean =>
  attention === 'eager' || (attention === 'sdpa' && switches.passes_mask);

/** Tokens that a token looks at, mean over a text: half of it, less what lies before its window; all where masks come after. */
export function attended(length: number, window: number | null, masked: boolean): number {
  if (masked) return length;
  if (window === null || window >= length) return length / 2;
  return window - window ** 2 / (2 * length);
}

/** Experts of a block that a token goes through, of all. */
function activeShare(linear: LinearShape, block: BlockShape): number {
  const { experts } = block.mlp;
  return linear.part === 'expert' && experts !== null ? experts.per_token / experts.count : 1;
}

function productOf(linear: LinearShape, block: BlockShape, tokens: number): Product {
  const { inputs, outputs, count } = linear;
  const each = tokens * activeShare(linear, block);
  // Fewer tokens than experts leave some idle.
  const copies = Math.min(count, Math.max(1, each * count));
  return { inputs, outputs, copies, tokens: (each * count) / copies };
}

/** Bytes a token of a forward pass through what is no matrix: reads and writes of each eager kernel. */
function blockTraffic(block: BlockShape, hidden: number, run: RunShape, load: TokenLoad): number {
  const c = computeBytes(run.precision);
  const { heads, kv_heads, head_dim, qk_norm } = block.attention;
  const [q, kv] = [heads * head_dim, kv_heads * head_dim];
  // RMSNorm of transformers: to fp32, square, mean, scale, back, weight. LayerNorm is one kernel: in and out.
  const norm = block.norm === 'rms' ? 5 * c + 20 : 2 * c;
  const norms = block.norms * norm * hidden + (qk_norm === 'none' ? 0 : norm * (q + kv));
  const residuals = 2 * 3 * c * hidden;
  // Rotary: two products, a half turned, a sum. Attention reads queries, keys and values and writes its output.
  const rotary = 9 * c * (q + kv);
  const flash = c * (2 * q + 2 * kv);
  const { gated, intermediate, experts } = block.mlp;
  const active = intermediate + (experts === null ? 0 : experts.per_token * experts.intermediate + experts.shared_intermediate);
  const mlp = (gated ? 5 : 4) * c * active;
  // Tokens go to their experts and back: gathered, weighted, summed.
  const routed = experts === null ? 0 : 6 * c * experts.per_token * hidden;
  // Scores written, scaled, masked, made fp32, normalized, cast and read, each a number a head and a pair of tokens.
  const scores = run.attention === 'eager' ? heads * load.padded * (8 * c + 12) : 0;
  return norms + residuals + rotary + flash + mlp + routed + scores;
}

/** Kernels of a forward pass through a block of transformers. */
function blockKernels(block: BlockShape, run: RunShape): number {
  const norms = (block.norms + (block.attention.qk_norm === 'none' ? 0 : 2)) * (block.norm === 'rms' ? 8 : 1);
  const experts = block.mlp.experts === null ? 0 : 24;
  return (
    K.block_overhead +
    norms +
    10 +
    2 +
    block.linears.length +
    (run.attention === 'eager' ? 10 : 4) +
    (block.mlp.gated ? 2 : 1) +
    experts
  );
}

/**
 * Adapters beside the matrices that they are on (peft/tuners/lora/layer.py): the input cast and dropped out, two products, scaled,
 * added to the base's result. They move memory more than they count.
 */
function adapterWork(block: BlockShape, model: ModelShape, run: RunShape, tokens: number) {
  const work = { ops: 0, traffic: 0, fixed_traffic: 0, kernels: 0 };
  if (run.adapter === null) return work;
  const { rank, dtype, dropout } = run.adapter;
  const c = computeBytes(run.precision);
  const own = dtype === 'fp32' ? 4 : 2;
  const casts = own === c ? 0 : 2 * (c + own);
  const dropped = dropout > 0 ? 2 * own + 1 : 0;
  for (const linear of adapted(block, model, run.adapter.targets)) {
    const { inputs, outputs, count } = linear;
    const active = count * activeShare(linear, block);
    if (!linear.is_module) {
      // One parameter for all experts: its change is made whole and added in every pass (peft/tuners/lora/layer.py, `ParamWrapper`).
      work.ops += 2 * rank * inputs * outputs * count;
      work.fixed_traffic += count * inputs * outputs * (3 * c + 2 * own);
      work.kernels += 8;
      continue;
    }
    work.ops += 2 * rank * (inputs + outputs) * active * tokens;
    work.traffic += active * (inputs * (c + casts + dropped) + outputs * 6 * c);
    work.kernels += Math.min(count, Math.max(1, active * tokens)) * (3 + (casts > 0 ? 1 : 0) + (dropped > 0 ? 1 : 0));
    if (run.method === 'dora') {
      // Its magnitude scales base and adapter; `W + scale·BA` is made for the norm: identity through A and B, sum, square (dora.py).
      work.traffic += active * outputs * 8 * c;
      work.fixed_traffic += count * inputs * outputs * (c + 6 * own);
      work.kernels += active * 6;
    }
  }
  return work;
}

/** The linears of a block that targets mean; names that the model has not are passed over, as PEFT does where it has any. */
function adapted(block: BlockShape, model: ModelShape, targets: AdapterShape['targets']): LinearShape[] {
  const names = new Set(model.blocks.flatMap(({ linears }) => linears.map(({ name }) => name)));
  const found = linearsOf(model, typeof targets === 'string' ? targets : targets.filter((name) => names.has(name)));
  return found.ok ? found.linears.map(({ linear }) => linear).filter((linear) => block.linears.includes(linear)) : [];
}
