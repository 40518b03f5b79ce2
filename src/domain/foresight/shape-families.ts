/** Families by `model_type`, as transformers 5.23 builds them (src/transformers/models/<family>/modeling_<family>.py). */
import type { ConfigFields } from './config-fields.ts';
import { denseDecoder, type Habits } from './llama-like.ts';
import type { ModelShape } from './model-shape.ts';

export type ReadFamily = (f: ConfigFields, family: string) => ModelShape;

const said = (field: string, fallback = false) => ({ field, fallback });

/** Reads `attention_bias` and `mlp_bias` as Llama does; what an unknown family with Llama's fields is read as. */
export const LLAMA: Habits = {
  qkv_bias: said('attention_bias'),
  out_bias: said('attention_bias'),
  mlp_bias: said('mlp_bias'),
};

const GEMMA: Habits = { head_dim: 256, tied: true, activation: 'gelu_pytorch_tanh', ...attentionBias(false) };

function attentionBias(fallback: boolean): Habits {
  return { qkv_bias: said('attention_bias', fallback), out_bias: said('attention_bias', fallback) };
}

const DENSE: Record<string, Habits> = {
  llama: LLAMA,
  mistral: { window: 'all' },
  ministral: { window: 'all' },
  qwen2: { qkv_bias: true, window: 'upper' },
  qwen3: { ...attentionBias(false), qk_norm: 'head', head_dim: 128, window: 'upper' },
  gemma: GEMMA,
  gemma2: { ...GEMMA, norms: 4, window: { all_but_each: 2, window: 4096 } },
  // Configs of the Hub leave out what the class has as default.
  gemma3_text: {
    ...GEMMA,
    norms: 4,
    qk_norm: 'head',
    heads: 8,
    kv_heads: 4,
    vocab: 262_208,
    window: { all_but_each: 6, window: 4096 },
  },
  phi: {
    qkv_bias: true,
    out_bias: true,
    mlp_bias: true,
    head_bias: true,
    out: 'dense',
    mlp: ['fc1', 'fc2'],
    norm: 'layer',
    norm_vectors: 2,
    parallel: true,
    qk_norm: { field: 'qk_layernorm', kind: 'head', params: (h) => 4 * h.head_dim },
    activation: 'gelu_new',
  },
  phi3: { fused_qkv: 'qkv_proj', mlp: 'fused_gated', window: 'all' },
  gpt_neox: {
    qkv_bias: said('attention_bias', true),
    out_bias: said('attention_bias', true),
    mlp_bias: true,
    fused_qkv: 'query_key_value',
    out: 'dense',
    mlp: ['dense_h_to_4h', 'dense_4h_to_h'],
    norm: 'layer',
    norm_vectors: 2,
    activation: 'gelu',
  },
};

export const FAMILIES: Record<string, ReadFamily> = {
  ...Object.fromEntries(
    Object.entries(DENSE).map(([family, habits]): [string, ReadFamily] => [family, (f, name) => denseDecoder(f, name, habits)]),
  ),
};
