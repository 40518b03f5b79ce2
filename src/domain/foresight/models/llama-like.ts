/** Decoders that differ from Llama in a few habits only. */
import type { ConfigFields } from './config-fields.ts';
import type { AttentionShape, LinearShape, ModelShape } from './model-shape.ts';
import {
  blocksOf,
  fusedGatedMlp,
  gatedMlp,
  type Heads,
  headsOf,
  linear,
  plainMlp,
  qkNormParams,
  separateAttention,
  type WindowRule,
  windowsOf,
} from './shape-parts.ts';

/** What a family does where its config is silent, and what no config says. */
export interface Habits {
  heads?: number;
  kv_heads?: number;
  head_dim?: number;
  multi_head?: boolean;
  vocab?: number;
  tied?: boolean;
  /** Biases: always, never, or as the named field says, with the family's fallback. */
  qkv_bias?: Bias;
  out_bias?: Bias;
  mlp_bias?: Bias;
  head_bias?: Bias;
  /** Learned positions: how many rows its table has beyond the context. */
  positions?: number;
  qk_norm?:
    | AttentionShape['qk_norm']
    | { field: string; kind: AttentionShape['qk_norm']; params: (h: Heads) => number; fallback?: boolean };
  norm?: 'rms' | 'layer';
  /** Vectors of the hidden width that one norm holds; 2 with a bias, 0 without weights. */
  norm_vectors?: 0 | 1 | 2;
  norms?: number;
  parallel?: boolean | { field: string };
  window?: WindowRule;
  activation?: string;
  /** Names of the matrices where they are not Llama's. */
  fused_qkv?: string;
  out?: string;
  mlp?: 'gated' | 'fused_gated' | [string, string];
}
export type Bias = boolean | { field: string; fallback: boolean };

export const biasOf = (f: ConfigFields, bias: Bias = false): boolean =>
  typeof bias === 'boolean' ? bias : f.flag(bias.field, bias.fallback);

export function attentionLinears(f: ConfigFields, h: Heads, habits: Habits): LinearShape[] {
  const biases = { qkv: biasOf(f, habits.qkv_bias), out: biasOf(f, habits.out_bias) };
  if (habits.fused_qkv === undefined) return separateAttention(h, biases, habits.out);
  return [
    linear(habits.fused_qkv, h.hidden, h.q_width + 2 * h.kv_width, biases.qkv, 'attention'),
    linear(habits.out ?? 'o_proj', h.q_width, h.hidden, biases.out, 'attention'),
  ];
}

/** Norms over queries and keys that a config of the family has, and their parameters. */
export function qkNormOf(
  f: ConfigFields,
  h: Heads,
  { qk_norm = 'none' }: Habits,
): { kind: AttentionShape['qk_norm']; params: number } {
  if (typeof qk_norm === 'string') return { kind: qk_norm, params: qkNormParams(h, qk_norm) };
  return f.flag(qk_norm.field, qk_norm.fallback ?? false)
    ? { kind: qk_norm.kind, params: qk_norm.params(h) }
    : { kind: 'none', params: 0 };
}

/** What stands outside the blocks, the same for all such decoders. */
export function frameOf(f: ConfigFields, family: string, hidden: number, habits: Habits): Omit<ModelShape, 'blocks'> {
  const { norm_vectors = 1, positions } = habits;
  return {
    family,
    hidden,
    vocab: f.count('vocab_size', 'vocab', habits.vocab),
    context: f.maybeCount('context', 'tokens'),
    tied: f.flag('tie_word_embeddings', habits.tied ?? false),
    head_bias: biasOf(f, habits.head_bias),
    position_params: positions === undefined ? 0 : (f.count('context', 'tokens') + positions) * hidden,
    other_params: norm_vectors * hidden,
  };
}

/** A decoder of dense blocks, all alike but for their windows. */
export function denseDecoder(f: ConfigFields, family: string, habits: Habits): ModelShape {
  const h = headsOf(f, habits);
  const style = habits.mlp ?? 'gated';
  const intermediate = f.count('intermediate', 'width', Array.isArray(style) ? 4 * h.hidden : undefined);
  const bias = biasOf(f, habits.mlp_bias);
  const mlp =
    style === 'gated'
      ? gatedMlp(h.hidden, intermediate, bias)
      : style === 'fused_gated'
        ? fusedGatedMlp(h.hidden, intermediate)
        : plainMlp(h.hidden, intermediate, bias, style);
  const qk = qkNormOf(f, h, habits);
  const parallel = typeof habits.parallel === 'object' ? f.flag(habits.parallel.field, false) : (habits.parallel ?? false);
  const norms = parallel ? 1 : (habits.norms ?? 2);
  return {
    ...frameOf(f, family, h.hidden, habits),
    blocks: blocksOf(windowsOf(f, h.layers, habits.window ?? 'none'), h, qk.kind, {
      linears: [...attentionLinears(f, h, habits), ...mlp],
      other_params: norms * (habits.norm_vectors ?? 1) * h.hidden + qk.params,
      mlp: {
        gated: !Array.isArray(style),
        activation: f.word('activation', habits.activation ?? 'silu'),
        intermediate,
        experts: null,
      },
      norm: habits.norm ?? 'rms',
      norms,
      parallel,
    }),
  };
}

export type ReadFamily = (f: ConfigFields, family: string) => ModelShape;

export const said = (field: string, fallback = false) => ({ field, fallback });

/** Reads `attention_bias` and `mlp_bias` as Llama does; what an unknown family with Llama's fields is read as. */
export const LLAMA: Habits = {
  qkv_bias: said('attention_bias'),
  out_bias: said('attention_bias'),
  mlp_bias: said('mlp_bias'),
};
