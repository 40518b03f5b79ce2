/** What blocks of all families are put together from. */
import * as z from 'zod';
import { ConfigFault, type ConfigFields } from './config-fields.ts';
import type { AttentionShape, BlockShape, LinearShape } from './model-shape.ts';

/** An `nn.Linear` (or Conv1D) that a block has once. */
export function linear(name: string, inputs: number, outputs: number, bias: boolean, part: LinearShape['part']): LinearShape {
  return { name, inputs, outputs, bias, part, count: 1, is_module: true };
}

export interface Heads {
  hidden: number;
  layers: number;
  heads: number;
  kv_heads: number;
  head_dim: number;
  /** Widths that queries and that keys (and values) have together. */
  q_width: number;
  kv_width: number;
}

interface HeadHabits {
  heads?: number;
  kv_heads?: number;
  /** Of the family where the config says none; otherwise hidden / heads. */
  head_dim?: number;
  /** Each head has keys and values of its own, whatever the config says. */
  multi_head?: boolean;
}

/** Sizes of the attention. */
export function headsOf(f: ConfigFields, habit: HeadHabits = {}): Heads {
  const hidden = f.count('hidden', 'width');
  const layers = f.count('layers', 'layers');
  const heads = f.count('heads', 'heads', habit.heads);
  const kv_heads = habit.multi_head ? heads : f.count('kv_heads', 'heads', habit.kv_heads ?? heads);
  if (heads % kv_heads !== 0)
    throw new ConfigFault(`num_key_value_heads ${kv_heads} does not divide num_attention_heads ${heads}`);
  const said = f.maybeCount('head_dim', 'heads') ?? habit.head_dim ?? null;
  if (said === null && hidden % heads !== 0)
    throw new ConfigFault(`num_attention_heads ${heads} does not divide hidden_size ${hidden}`);
  const head_dim = said ?? hidden / heads;
  return { hidden, layers, heads, kv_heads, head_dim, q_width: heads * head_dim, kv_width: kv_heads * head_dim };
}

/** The four matrices of grouped-query attention under the names that most families use. */
export function separateAttention(h: Heads, biases: { qkv: boolean; out: boolean }, out = 'o_proj'): LinearShape[] {
  return [
    linear('q_proj', h.hidden, h.q_width, biases.qkv, 'attention'),
    linear('k_proj', h.hidden, h.kv_width, biases.qkv, 'attention'),
    linear('v_proj', h.hidden, h.kv_width, biases.qkv, 'attention'),
    linear(out, h.q_width, h.hidden, biases.out, 'attention'),
  ];
}

export function gatedMlp(hidden: number, intermediate: number, bias: boolean): LinearShape[] {
  return [
    linear('gate_proj', hidden, intermediate, bias, 'mlp'),
    linear('up_proj', hidden, intermediate, bias, 'mlp'),
    linear('down_proj', intermediate, hidden, bias, 'mlp'),
  ];
}

/** Gate and up as one matrix. */
export function fusedGatedMlp(hidden: number, intermediate: number): LinearShape[] {
  return [
    linear('gate_up_proj', hidden, 2 * intermediate, false, 'mlp'),
    linear('down_proj', intermediate, hidden, false, 'mlp'),
  ];
}

export function plainMlp(hidden: number, intermediate: number, bias: boolean, [up, down]: [string, string]): LinearShape[] {
  return [linear(up, hidden, intermediate, bias, 'mlp'), linear(down, intermediate, hidden, bias, 'mlp')];
}

/** Experts as transformers 5 keeps them: one 3-D parameter for all gates and ups, one for all downs. */
export function fusedExperts(hidden: number, intermediate: number, count: number, bias: boolean): LinearShape[] {
  const expert = { bias, part: 'expert', count, is_module: false } as const;
  return [
    { name: 'gate_up_proj', inputs: hidden, outputs: 2 * intermediate, ...expert },
    { name: 'down_proj', inputs: intermediate, outputs: hidden, ...expert },
  ];
}

/** Parameters of the norms over queries and keys: of one head, shared by all, or over all heads. */
export function qkNormParams(h: Heads, kind: AttentionShape['qk_norm']): number {
  return kind === 'none' ? 0 : kind === 'head' ? 2 * h.head_dim : h.q_width + h.kv_width;
}

export type WindowRule =
  | 'none'
  /** Every layer, where the config names a window. */
  | 'all'
  /** Layers from `max_window_layers` on, where `use_sliding_window`. */
  | 'upper'
  /** All but each n-th layer, unless `sliding_window_pattern` says another n. */
  | { all_but_each: number; window: number };

/** How many layers see how far: `layer_types` of the config before the family's rule. */
export function windowsOf(f: ConfigFields, layers: number, rule: WindowRule): Array<{ count: number; window: number | null }> {
  const window =
    rule === 'none' ? null : f.countOrZero('sliding_window', 'tokens', typeof rule === 'object' ? rule.window : 0) || null;
  const off = rule === 'upper' && !f.flag('use_sliding_window', false);
  const sliding = window === null || off ? 0 : slidingLayers(f, layers, rule);
  return [
    { count: sliding, window },
    { count: layers - sliding, window: null },
  ].filter(({ count }) => count > 0);
}

function slidingLayers(f: ConfigFields, layers: number, rule: WindowRule): number {
  const types = f.list('layer_types', z.string());
  if (types !== null) {
    if (types.length !== layers) throw new ConfigFault(`layer_types has ${types.length} entries for ${layers} layers`);
    return types.filter((type) => type === 'sliding_attention').length;
  }
  if (rule === 'upper') return Math.max(0, layers - f.countOrZero('max_window_layers', 'layers', 28));
  if (typeof rule !== 'object') return layers;
  return layers - Math.floor(layers / f.count('sliding_window_pattern', 'layers', rule.all_but_each));
}

/** One block for each window that its layers have. */
export function blocksOf(
  windows: Array<{ count: number; window: number | null }>,
  h: Heads,
  qk_norm: AttentionShape['qk_norm'],
  rest: Omit<BlockShape, 'count' | 'attention'>,
): BlockShape[] {
  const { heads, kv_heads, head_dim } = h;
  return windows.map(({ count, window }) => ({ count, ...rest, attention: { heads, kv_heads, head_dim, window, qk_norm } }));
}
