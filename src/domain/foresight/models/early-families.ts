/** Families from before Llama, and those that keep their names of matrices. */
import { ConfigFault, type ConfigFields } from './config-fields.ts';
import { denseDecoder, frameOf, type Habits, type ReadFamily, said } from './llama-like.ts';
import type { BlockShape, ModelShape } from './model-shape.ts';
import { blocksOf, headsOf, linear, plainMlp } from './shape-parts.ts';

const BIASED: Habits = { multi_head: true, qkv_bias: true, out_bias: true, mlp_bias: true, norm: 'layer', norm_vectors: 2 };

const GPT2: Habits = {
  ...BIASED,
  tied: true,
  positions: 0,
  fused_qkv: 'c_attn',
  out: 'c_proj',
  mlp: ['c_fc', 'c_proj'],
  activation: 'gelu_new',
};

const GPTJ: Habits = {
  ...BIASED,
  qkv_bias: false,
  out_bias: false,
  head_bias: true,
  out: 'out_proj',
  mlp: ['fc_in', 'fc_out'],
  parallel: true,
  activation: 'gelu_new',
};

const NEOX_NAMES: Habits = { fused_qkv: 'query_key_value', out: 'dense', mlp: ['dense_h_to_4h', 'dense_4h_to_h'] };

const EARLY: Record<string, Habits> = {
  gpt2: GPT2,
  gpt_neo: { ...GPT2, qkv_bias: false, fused_qkv: undefined, out: 'out_proj' },
  gptj: GPTJ,
  codegen: { ...GPTJ, fused_qkv: 'qkv_proj' },
  gpt_neox: {
    ...BIASED,
    ...NEOX_NAMES,
    qkv_bias: said('attention_bias', true),
    out_bias: said('attention_bias', true),
    activation: 'gelu',
  },
  phi: {
    ...BIASED,
    multi_head: false,
    head_bias: true,
    out: 'dense',
    mlp: ['fc1', 'fc2'],
    parallel: true,
    qk_norm: { field: 'qk_layernorm', kind: 'head', params: (h) => 4 * h.head_dim },
    activation: 'gelu_new',
  },
  mpt: {
    multi_head: true,
    norm: 'layer',
    tied: true,
    fused_qkv: 'Wqkv',
    out: 'out_proj',
    mlp: ['up_proj', 'down_proj'],
    activation: 'gelu',
  },
};

function gptBigCode(f: ConfigFields, family: string): ModelShape {
  return denseDecoder(f, family, {
    ...GPT2,
    ...(f.flag('multi_query', true) ? { multi_head: false, kv_heads: 1 } : {}),
    activation: 'gelu_pytorch_tanh',
  });
}

function opt(f: ConfigFields, family: string): ModelShape {
  const bias = said('enable_bias', true);
  const shape = denseDecoder(f, family, {
    ...BIASED,
    qkv_bias: bias,
    out_bias: bias,
    mlp_bias: bias,
    tied: true,
    // Its table starts two rows late: OPTLearnedPositionalEmbedding.
    positions: 2,
    out: 'out_proj',
    mlp: ['fc1', 'fc2'],
    norm_vectors: f.flag('layer_norm_elementwise_affine', true) ? 2 : 0,
    activation: 'relu',
  });
  if (f.count('word_embed_proj_dim', 'width', shape.hidden) !== shape.hidden)
    throw new ConfigFault('word_embed_proj_dim is not hidden_size: words of another width than the blocks are not planned for');
  return f.flag('do_layer_norm_before', true) ? shape : { ...shape, other_params: 0 };
}

function bloom(f: ConfigFields, family: string): ModelShape {
  const shape = denseDecoder(f, family, { ...BIASED, ...NEOX_NAMES, tied: true, activation: 'gelu' });
  // A norm follows the embedding, too.
  return { ...shape, other_params: 2 * shape.other_params };
}

/** Falcon's three generations: 1B/RW (as GPT), 7B (one key-value head), 40B and on (groups, two norms). */
function falcon(f: ConfigFields, family: string): ModelShape {
  const grouped = f.flag('new_decoder_architecture', false);
  const single = !grouped && f.flag('multi_query', true);
  const parallel = f.flag('parallel_attn', true);
  const h = headsOf(f);
  const kv_heads = single ? 1 : grouped ? h.kv_heads : h.heads;
  const kv_width = kv_heads * h.head_dim;
  const bias = f.flag('bias', false);
  const intermediate = f.count('ffn_hidden_size', 'width', 4 * h.hidden);
  const norms = parallel ? f.countOrZero('num_ln_in_parallel_attn', 'experts', grouped ? 2 : 1) : 2;
  if (norms > 2) throw new ConfigFault('num_ln_in_parallel_attn is neither 1 nor 2');
  const block: Omit<BlockShape, 'count' | 'attention'> = {
    linears: [
      linear('query_key_value', h.hidden, h.q_width + 2 * kv_width, bias, 'attention'),
      linear('dense', h.q_width, h.hidden, bias, 'attention'),
      ...plainMlp(h.hidden, intermediate, bias, ['dense_h_to_4h', 'dense_4h_to_h']),
    ],
    other_params: norms === 2 ? 4 * h.hidden : 2 * h.hidden,
    mlp: { gated: false, activation: f.word('activation', 'gelu'), intermediate, experts: null },
    norm: 'layer',
    norms: norms === 2 ? 2 : 1,
    parallel: parallel && norms !== 2,
  };
  return {
    ...frameOf(f, family, h.hidden, { tied: true, norm_vectors: 2 }),
    blocks: blocksOf([{ count: h.layers, window: null }], { ...h, kv_heads, kv_width }, 'none', block),
  };
}

/** Qwen 1, by its own code (modeling_qwen.py on the Hub): `intermediate_size` is both halves of the gated MLP together. */
function qwen(f: ConfigFields, family: string): ModelShape {
  const h = headsOf(f, { head_dim: f.maybeCount('kv_channels', 'heads') ?? undefined });
  const both = f.count('intermediate', 'width');
  if (both % 2 !== 0) throw new ConfigFault('intermediate_size is odd: the MLP of qwen has two halves');
  const bias = !f.flag('no_bias', true);
  const block: Omit<BlockShape, 'count' | 'attention'> = {
    linears: [
      linear('c_attn', h.hidden, 3 * h.q_width, true, 'attention'),
      linear('c_proj', h.q_width, h.hidden, bias, 'attention'),
      linear('w1', h.hidden, both / 2, bias, 'mlp'),
      linear('w2', h.hidden, both / 2, bias, 'mlp'),
      linear('c_proj', both / 2, h.hidden, bias, 'mlp'),
    ],
    other_params: 2 * h.hidden,
    mlp: { gated: true, activation: 'silu', intermediate: both / 2, experts: null },
    norm: 'rms',
    norms: 2,
    parallel: false,
  };
  return { ...frameOf(f, family, h.hidden, {}), blocks: blocksOf([{ count: h.layers, window: null }], h, 'none', block) };
}

export const EARLY_FAMILIES: Record<string, ReadFamily> = {
  ...Object.fromEntries(
    Object.entries(EARLY).map(([family, habits]): [string, ReadFamily] => [family, (f, name) => denseDecoder(f, name, habits)]),
  ),
  gpt_bigcode: gptBigCode,
  opt,
  bloom,
  falcon,
  qwen,
};
