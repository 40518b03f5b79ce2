/** Families with experts, as transformers 5 keeps them: fused parameters behind a router. */
import * as z from 'zod';
import { CONFIG_LIMITS, ConfigFault, type ConfigFields } from './config-fields.ts';
import { attentionLinears, biasOf, frameOf, type Habits, qkNormOf, type ReadFamily, said } from './llama-like.ts';
import type { BlockShape, LinearShape, ModelShape } from './model-shape.ts';
import { blocksOf, fusedExperts, gatedMlp, type Heads, headsOf, linear, windowsOf } from './shape-parts.ts';

interface ExpertHabits extends Habits {
  router: { name: string; is_module: boolean };
  peft?: PeftNames;
  /** Field of the width of one expert; Llama's own where it is none of its own. */
  width: 'moe_intermediate_size' | 'intermediate';
  experts_bias?: boolean;
  /** One parameter for each head. */
  sinks?: boolean;
  /** Width of what every token goes through, and whether a gate of its own weighs it. */
  shared?: (f: ConfigFields, width: number) => { width: number; gate: boolean };
  /** Layers with a dense MLP instead. */
  dense?: (f: ConfigFields, layers: number) => number;
  attention?: (f: ConfigFields, h: Heads) => { linears: LinearShape[]; params: number };
}

/**
 * Names from before the experts were fused that PEFT 0.21 still takes for the parameters of today, and with `all-linear` takes all;
 * dense linears of the same names are then passed over (peft/utils/transformers_weight_conversion.py, `_convert_peft_config_moe`).
 */
type PeftNames = 'mixtral' | 'qwen2_moe';

const REACHED: Record<PeftNames, Record<string, readonly string[]>> = {
  mixtral: { gate: ['gate'], gate_up_proj: ['w1', 'w3'], down_proj: ['w2'] },
  qwen2_moe: { gate: ['gate'], gate_up_proj: ['gate_proj', 'up_proj'], down_proj: ['down_proj'] },
};

function reach(linears: LinearShape[], peft: PeftNames | undefined): LinearShape[] {
  const names = peft === undefined ? {} : REACHED[peft];
  return linears.map((one) => {
    if (!one.is_module) return { ...one, reached_by: names[one.name] ?? [] };
    const taken = Object.values(names).some((old) => old.includes(one.name));
    return taken ? { ...one, reached_by: [] } : one;
  });
}

const HEADS: Habits = { qkv_bias: said('attention_bias'), out_bias: said('attention_bias') };

const GATE = { name: 'gate', is_module: false };

/** How many of Qwen's layers are dense: named ones, and all but each n-th. */
function denseOfQwen(f: ConfigFields, layers: number): number {
  const step = f.count('decoder_sparse_step', 'layers', 1);
  const named = new Set(f.list('mlp_only_layers', z.int().min(0).max(CONFIG_LIMITS.layers)) ?? []);
  const lost = [...named].filter((at) => at < layers && (at + 1) % step === 0).length;
  return layers - Math.floor(layers / step) + lost;
}

/** DeepSeek's latent attention: queries (where `q_lora_rank`) and keys with values go through a narrow place. */
function latentAttention(f: ConfigFields, h: Heads): { linears: LinearShape[]; params: number } {
  const bias = f.flag('attention_bias', false);
  if (!f.says('q_lora_rank')) throw new ConfigFault('q_lora_rank is missing; null: queries take no narrow place');
  const q_rank = f.maybeCount('q_lora_rank', 'width');
  const kv_rank = f.count('kv_lora_rank', 'width');
  const rope = f.count('qk_rope_head_dim', 'heads');
  const nope = f.count('qk_nope_head_dim', 'heads');
  const v_dim = f.count('v_head_dim', 'heads');
  const q_width = h.heads * (rope + nope);
  const queries =
    q_rank === null
      ? [linear('q_proj', h.hidden, q_width, false, 'attention')]
      : [linear('q_a_proj', h.hidden, q_rank, bias, 'attention'), linear('q_b_proj', q_rank, q_width, false, 'attention')];
  return {
    linears: [
      ...queries,
      linear('kv_a_proj_with_mqa', h.hidden, kv_rank + rope, bias, 'attention'),
      linear('kv_b_proj', kv_rank, h.heads * (nope + v_dim), false, 'attention'),
      linear('o_proj', h.heads * v_dim, h.hidden, bias, 'attention'),
    ],
    params: (q_rank ?? 0) + kv_rank,
  };
}

const DEEPSEEK: ExpertHabits = {
  router: GATE,
  width: 'moe_intermediate_size',
  peft: 'qwen2_moe',
  attention: latentAttention,
  shared: (f, width) => ({ width: width * f.countOrZero('n_shared_experts', 'experts', 0), gate: false }),
  dense: (f, layers) => Math.min(layers, f.countOrZero('first_k_dense_replace', 'layers', 0)),
};

const FAMILIES: Record<string, ExpertHabits> = {
  mixtral: { router: GATE, peft: 'mixtral', width: 'intermediate', window: 'all' },
  qwen2_moe: {
    qkv_bias: said('qkv_bias', true),
    window: 'upper',
    router: GATE,
    width: 'moe_intermediate_size',
    shared: (f) => ({ width: f.count('shared_expert_intermediate_size', 'width'), gate: true }),
    dense: denseOfQwen,
  },
  qwen3_moe: {
    ...HEADS,
    qk_norm: 'head',
    window: 'upper',
    router: GATE,
    peft: 'qwen2_moe',
    width: 'moe_intermediate_size',
    dense: denseOfQwen,
  },
  olmoe: { ...HEADS, qk_norm: 'all', router: GATE, peft: 'qwen2_moe', width: 'intermediate' },
  phimoe: {
    ...HEADS,
    head_bias: said('lm_head_bias'),
    norm: 'layer',
    norm_vectors: 2,
    window: 'all',
    router: { name: 'router', is_module: true },
    width: 'intermediate',
  },
  gpt_oss: {
    qkv_bias: said('attention_bias', true),
    out_bias: said('attention_bias', true),
    head_dim: 64,
    window: { all_but_each: 2, window: 128 },
    router: { name: 'router', is_module: false },
    width: 'intermediate',
    experts_bias: true,
    sinks: true,
  },
  granitemoe: { ...HEADS, router: { name: 'router', is_module: false }, width: 'intermediate' },
  deepseek_v2: DEEPSEEK,
  deepseek_v3: DEEPSEEK,
};

function expertDecoder(f: ConfigFields, family: string, habits: ExpertHabits): ModelShape {
  const latent = habits.attention !== undefined;
  const head_dim = latent ? f.count('qk_rope_head_dim', 'heads') + f.count('qk_nope_head_dim', 'heads') : habits.head_dim;
  const read = headsOf(f, { ...habits, head_dim });
  // A config may say head_dim of latent attention, and means the rotated part.
  const h = latent ? { ...read, head_dim: head_dim ?? read.head_dim } : read;
  const count = f.count('experts', 'experts');
  const per_token = f.count('num_experts_per_tok', 'experts');
  if (per_token > count) throw new ConfigFault(`num_experts_per_tok ${per_token} is more than the ${count} experts`);
  const width = f.count(habits.width, 'width');
  const shared = habits.shared?.(f, width) ?? { width: 0, gate: false };
  const bias = habits.experts_bias ?? false;
  const { router } = habits;
  const attention = habits.attention?.(f, h) ?? { linears: attentionLinears(f, h, habits), params: 0 };
  const qk = qkNormOf(f, h, habits);
  const both: Pick<BlockShape, 'norm' | 'norms' | 'parallel' | 'other_params'> = {
    norm: habits.norm ?? 'rms',
    norms: 2,
    parallel: false,
    other_params: 2 * (habits.norm_vectors ?? 1) * h.hidden + qk.params + attention.params + (habits.sinks ? h.heads : 0),
  };
  const activation = f.word('activation', 'silu');
  const experts = { count, per_token, intermediate: width, shared_intermediate: shared.width };
  const sparse: Omit<BlockShape, 'count' | 'attention'> = {
    ...both,
    linears: reach(
      [
        ...attention.linears,
        { ...linear(router.name, h.hidden, count, bias, 'router'), is_module: router.is_module },
        ...fusedExperts(h.hidden, width, count, bias),
        ...(shared.width > 0 ? gatedMlp(h.hidden, shared.width, false) : []),
        ...(shared.gate ? [linear('shared_expert_gate', h.hidden, 1, false, 'router')] : []),
      ],
      habits.peft,
    ),
    mlp: { gated: true, activation, intermediate: 0, experts },
  };
  const dense = habits.dense?.(f, h.layers) ?? 0;
  const windows = windowsOf(f, h.layers, habits.window ?? 'none');
  // Which of the dense layers see a window is not followed up: then all are taken to see everything.
  const far = windows.length === 1 ? (windows[0]?.window ?? null) : null;
  const frame = frameOf(f, family, h.hidden, habits);
  if (dense === 0) return { ...frame, blocks: blocksOf(windows, h, qk.kind, sparse) };
  const intermediate = f.count('intermediate', 'width');
  const plain: Omit<BlockShape, 'count' | 'attention'> = {
    ...both,
    linears: reach([...attention.linears, ...gatedMlp(h.hidden, intermediate, biasOf(f, habits.mlp_bias))], habits.peft),
    mlp: { gated: true, activation, intermediate, experts: null },
  };
  const some = (layers: number) => (layers > 0 ? [{ count: layers, window: far }] : []);
  return {
    ...frame,
    blocks: [...blocksOf(some(dense), h, qk.kind, plain), ...blocksOf(some(h.layers - dense), h, qk.kind, sparse)],
  };
}

export const EXPERT_FAMILIES: Record<string, ReadFamily> = Object.fromEntries(
  Object.entries(FAMILIES).map(([family, habits]): [string, ReadFamily] => [family, (f, name) => expertDecoder(f, name, habits)]),
);
