/** Attention on the tape: projections, norms of queries and keys, rotary embedding and the three implementations. */

import type { AttentionShape, BlockShape } from '../models/model-shape.ts';
import { playLinear } from './adapted-linear.ts';
import { habitsOf, type NormStyle } from './family-habits.ts';
import { playNorm } from './norm-tape.ts';
import type { PlayedRun } from './played-run.ts';
import type { Tensor } from './tape.ts';

export function playAttention(play: PlayedRun, block: BlockShape, x: Tensor, style: NormStyle): Tensor {
  const { tape, tokens } = play;
  const { heads, kv_heads, head_dim, qk_norm } = block.attention;
  const linears = block.linears.filter(({ part }) => part === 'attention');
  if (linears.some(({ name }) => name === 'kv_b_proj')) return playLatent(play, block, x, style);
  const outs = linears.slice(0, -1).map((linear) => playLinear(play, linear, x));
  const [first, second, third] = outs;
  const last = linears.at(-1);
  if (first === undefined || last === undefined) return x;
  const widths = { q: tokens * heads * head_dim, kv: tokens * kv_heads * head_dim };
  const fused = second === undefined || third === undefined;
  const q = fused ? tape.view(first, widths.q) : first;
  const k = fused ? tape.view(first, widths.kv) : second;
  const v = fused ? tape.view(first, widths.kv) : third;
  const normed = (input: Tensor, all: number) =>
    qk_norm === 'none' ? input : playNorm(play, style, input, qk_norm === 'head' ? head_dim : all);
  const query = playRotary(play, normed(q, heads * head_dim), head_dim);
  const key = playRotary(play, normed(k, kv_heads * head_dim), head_dim);
  return playLinear(play, last, playScores(play, block.attention, query, key, v));
}

/** DeepSeek's latent attention: keys and values, and where they are wide queries, come through a narrow normed place. */
function playLatent(play: PlayedRun, block: BlockShape, x: Tensor, style: NormStyle): Tensor {
  const { tape, tokens } = play;
  const named = (name: string) => block.linears.find((linear) => linear.name === name);
  const [narrow, wide, values, out] = [
    named('q_a_proj'),
    named('q_b_proj') ?? named('q_proj'),
    named('kv_b_proj'),
    named('o_proj'),
  ];
  const both = named('kv_a_proj_with_mqa');
  if (wide === undefined || values === undefined || out === undefined || both === undefined) return x;
  const queries = narrow === undefined ? x : playNorm(play, style, playLinear(play, narrow, x), narrow.outputs);
  const rope = both.outputs - values.inputs;
  const rotate = (part: Tensor) => playRotary(play, part, rope);
  const q = playLinear(play, wide, queries);
  const turned = rotate(tape.view(q, tokens * block.attention.heads * rope));
  const query = tape.plain([tape.view(q, q.elements - turned.elements), turned], q.elements);
  const low = playLinear(play, both, x);
  const normed = playNorm(play, style, tape.view(low, tokens * values.inputs), values.inputs);
  const kv = playLinear(play, values, normed);
  const key = tape.plain([tape.view(kv, kv.elements - tokens * out.inputs), rotate(tape.view(low, tokens * rope))], q.elements);
  const value = tape.view(kv, tokens * out.inputs);
  return playLinear(play, out, playScores(play, block.attention, query, key, value));
}

/** q cos + rotate_half(q) sin; fused kernels recompute it. */
function playRotary(play: PlayedRun, x: Tensor, head_dim: number): Tensor {
  const { tape, run, shared } = play;
  const { rotary_share, rotary_fp32 = false, rotary_by_layer = false } = habitsOf(play.model.family);
  if (play.model.position_params > 0) return x;
  if (run.compile || run.switches.fused_kernels) return tape.plain([x]);
  if (rotary_by_layer && shared.layer !== play.tape) {
    shared.layer = play.tape;
    shared.cos = null;
    shared.sin = null;
  }
  shared.cos ??= tape.tensor(tableElements(play, head_dim), rotary_fp32 ? 4 : play.stream_width, false);
  shared.sin ??= tape.tensor(tableElements(play, head_dim), rotary_fp32 ? 4 : play.stream_width, false);
  const turning = rotary_share === undefined ? x : tape.view(x, x.elements * rotary_share);
  const turned = tape.plain([tape.multiply(turning, shared.cos), tape.multiply(tape.plain([turning]), shared.sin)]);
  const whole =
    rotary_share === undefined ? turned : tape.plain([turned, tape.view(x, x.elements - turning.elements)], x.elements);
  return tape.cast(whole, rotary_fp32 ? x.width : whole.width);
}

/** Cosines or sines of a batch: all rows share them unless packs say their positions. */
function tableElements({ run, tokens, length, model }: PlayedRun, head_dim: number): number {
  return (run.packing ? tokens : length) * head_dim * (habitsOf(model.family).rotary_share ?? 1);
}

/** If scores are masked by a tensor of [rows, 1, length, length] instead of by the kernel's own causal rule. */
function needsMask({ run, length }: PlayedRun, { window }: AttentionShape): boolean {
  return run.packing || run.switches.passes_mask || (window !== null && length >= window);
}

function playScores(play: PlayedRun, shape: AttentionShape, query: Tensor, key: Tensor, value: Tensor): Tensor {
  const { tape, autocast, rows, length, tokens, run, on_cpu } = play;
  const { heads, kv_heads, head_dim } = shape;
  const caps = habitsOf(play.model.family).caps_scores ?? false;
  const all = kv_heads < heads ? tokens * heads * head_dim : value.elements;
  if (run.attention === 'eager' || (caps && run.attention === 'sdpa')) return playEager(play, shape, query, key, value, caps);
  const { broadcasts_keys = false } = habitsOf(play.model.family);
  if (broadcasts_keys && run.attention === 'sdpa' && kv_heads === 1 && heads > 1) return playMath(play, shape, query, key, value);
  const masked = run.attention === 'sdpa' && needsMask(play, shape);
  // transformers/integrations/sdpa_attention.py `use_gqa_in_sdpa`: a mask or wide heads, and keys and values are repeated.
  const repeats = run.attention === 'sdpa' && kv_heads < heads && (masked || head_dim > 256);
  const wide = (x: Tensor) => tape.autocast(repeats ? tape.plain([x], all) : x, autocast);
  const [q, k, v] = [tape.autocast(query, autocast), wide(key), wide(value)];
  const out = tape.tensor(all, q.width, false);
  // Flash keeps the log of each row's sum; the memory-efficient kernel, which takes masks, rounds rows up to 32, a mask's to 16.
  const rounded = masked && !on_cpu ? Math.ceil(length / 32) * 32 : length;
  const sums = tape.tensor(rows * heads * rounded, 4, false);
  const bias = masked ? [tape.tensor(rows * length * (on_cpu ? length : Math.ceil(length / 16) * 16), q.width, false)] : [];
  tape.step([q, k, v], out, [q, k, v, out, sums, ...bias]);
  // Output lies in memory as the queries do: put together from parts they lie head by head, and must be copied to lie token by token.
  return habitsOf(play.model.family).rotary_share === undefined ? out : tape.plain([out]);
}

/** `_scaled_dot_product_attention_math` (aten/src/ATen/native/transformers/attention.cpp): all in fp32, keys and values for each head. */
function playMath(
  play: PlayedRun,
  { heads, kv_heads, head_dim }: AttentionShape,
  query: Tensor,
  key: Tensor,
  value: Tensor,
): Tensor {
  const { tape, autocast, rows, length, tokens } = play;
  const all = kv_heads < heads ? tokens * heads * head_dim : value.elements;
  const wide = (x: Tensor) => tape.plain([tape.cast(tape.autocast(x, autocast), 4)], all);
  const [q, k, v] = [wide(query), wide(key), wide(value)];
  const scores = tape.step([q, k], tape.tensor(rows * heads * length ** 2, 4, false), [
    ...(k.grad ? [q] : []),
    ...(q.grad ? [k] : []),
    // The sizes by which queries and keys were scaled.
    tape.tensor(2, 8, false),
  ]);
  const softmax = tape.apply(tape.plain([scores]), 'output');
  const keeps = [...(v.grad ? [softmax] : []), ...(softmax.grad ? [v] : [])];
  const out = tape.cast(tape.step([softmax, v], tape.tensor(all, 4, false), keeps), autocast ?? query.width);
  return tape.plain([out]);
}

/** `eager_attention_forward`: scores, their fp32 softmax and its copy in the values' dtype. */
function playEager(
  play: PlayedRun,
  { heads, kv_heads, head_dim }: AttentionShape,
  query: Tensor,
  key: Tensor,
  value: Tensor,
  caps: boolean,
): Tensor {
  const { tape, autocast, rows, length, tokens } = play;
  const all = kv_heads < heads ? tokens * heads * head_dim : value.elements;
  const scores = rows * heads * length * length;
  const wide = (x: Tensor) => (kv_heads < heads ? tape.plain([x], all) : x);
  const [q, k] = [tape.autocast(query, autocast), tape.autocast(wide(key), autocast)];
  let raw = tape.step([q, k], tape.tensor(scores, q.width, false), [...(k.grad ? [q] : []), ...(q.grad ? [k] : [])]);
  raw = tape.plain([raw]);
  if (caps) raw = tape.plain([tape.apply(tape.plain([raw]), 'output')]);
  const softmax = tape.apply(tape.cast(tape.plain([raw]), 4), 'output');
  const weights = tape.autocast(tape.cast(softmax, query.width), autocast);
  const v = tape.autocast(wide(value), autocast);
  const keeps = [...(v.grad ? [weights] : []), ...(weights.grad ? [v] : [])];
  return tape.plain([tape.step([weights, v], tape.tensor(all, v.width, false), keeps)]);
}
