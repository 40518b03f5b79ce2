/** Families by `model_type`, as transformers 5.23 builds them (src/transformers/models/<family>/modeling_<family>.py). */
import { EARLY_FAMILIES } from './early-families.ts';
import { EXPERT_FAMILIES } from './expert-families.ts';
import { denseDecoder, type Habits, LLAMA, type ReadFamily, said } from './llama-like.ts';

const attentionBias = (fallback: boolean): Habits => ({
  qkv_bias: said('attention_bias', fallback),
  out_bias: said('attention_bias', fallback),
});

const GEMMA: Habits = { ...attentionBias(false), head_dim: 256, tied: true, activation: 'gelu_pytorch_tanh' };

const QWEN2: Habits = { qkv_bias: true, window: 'upper' };

const STABLELM: Habits = {
  qkv_bias: said('use_qkv_bias'),
  norm: 'layer',
  norm_vectors: 2,
  parallel: { field: 'use_parallel_residual' },
  qk_norm: { field: 'qk_layernorm', kind: 'head', params: (h) => h.q_width + h.kv_width },
};

const OLMO2: Habits = { ...attentionBias(false), qk_norm: 'all' };

const COHERE: Habits = {
  ...attentionBias(false),
  tied: true,
  norm: 'layer',
  parallel: true,
  qk_norm: { field: 'use_qk_norm', kind: 'head', params: (h) => h.q_width + h.kv_width },
};

const GLM: Habits = { qkv_bias: said('attention_bias', true), head_dim: 128, mlp: 'fused_gated' };

const DENSE: Record<string, Habits> = {
  llama: LLAMA,
  // By its own code (modeling_baichuan.py on the Hub).
  baichuan: { multi_head: true, fused_qkv: 'W_pack' },
  mistral: { window: 'all' },
  ministral: { window: 'all' },
  ministral3: { window: 'all' },
  qwen2: QWEN2,
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
  phi3: { fused_qkv: 'qkv_proj', mlp: 'fused_gated', window: 'all' },
  stablelm: STABLELM,
  // The name before the family came into transformers.
  stablelm_epoch: STABLELM,
  olmo: { ...attentionBias(false), norm: 'layer', norm_vectors: 0 },
  olmo2: OLMO2,
  olmo3: { ...OLMO2, window: { all_but_each: 4, window: 4096 } },
  starcoder2: {
    qkv_bias: said('use_bias', true),
    out_bias: said('use_bias', true),
    mlp_bias: said('use_bias', true),
    tied: true,
    mlp: ['c_fc', 'c_proj'],
    norm: 'layer',
    norm_vectors: 2,
    window: 'all',
    activation: 'gelu_pytorch_tanh',
  },
  cohere: COHERE,
  cohere2: { ...COHERE, qk_norm: 'none', window: { all_but_each: 4, window: 4096 } },
  granite: LLAMA,
  smollm3: { ...LLAMA, tied: true },
  glm: GLM,
  glm4: { ...GLM, norms: 4 },
  seed_oss: { ...LLAMA, qkv_bias: said('attention_bias', true), out_bias: said('attention_out_bias'), head_dim: 128 },
  nemotron: { ...LLAMA, mlp: ['up_proj', 'down_proj'], norm: 'layer', norm_vectors: 2, activation: 'relu2' },
  arcee: { ...LLAMA, mlp: ['up_proj', 'down_proj'], activation: 'relu2' },
  helium: { ...LLAMA, out_bias: false },
};

export const FAMILIES: Record<string, ReadFamily> = {
  ...Object.fromEntries(
    Object.entries(DENSE).map(([family, habits]): [string, ReadFamily] => [family, (f, name) => denseDecoder(f, name, habits)]),
  ),
  ...EARLY_FAMILIES,
  ...EXPERT_FAMILIES,
};
