/** What a family's code does between its matrices, where no config says it: src/transformers/models/<family>, 5.23.0. */

/**
 * How a norm goes. Of RMSNorms, `llama` scales what was cast back to the input's dtype, `gemma` scales by 1 + weight before it casts,
 * `scaled` by the weight, `wide` by the weight as fp32. `layer` is torch's LayerNorm, `bare` that of fp32 without weights, `plus_one`
 * that with 1 + weight, `centred` one that is put together from single operations in fp32.
 */
export type NormStyle = 'llama' | 'gemma' | 'scaled' | 'wide' | 'layer' | 'bare' | 'plus_one' | 'centred';

export interface FamilyHabits {
  norm?: NormStyle;
  /** Norms of attention and MLP stand behind them instead of before. */
  norms_after?: boolean;
  /** Attention and MLP read the block's input side by side, each through a norm of its own (`use_parallel_residual`). */
  parallel?: boolean;
  /** Weights of the chosen experts are normed and stay fp32, else they go back to the logits' dtype. */
  router_keeps_fp32?: boolean;
  /** tanh over the scores before the softmax, which only eager attention can do; all else runs as eager, too. */
  caps_scores?: boolean;
  /** tanh over the logits. */
  caps_logits?: boolean;
  /** Logits are multiplied or divided by a number. */
  scales_logits?: boolean;
  /** Share of a head's dimensions that positions turn, where the family's configs say the same; the rest is put beside it again. */
  rotary_share?: number;
  /** Tables of positions and what they multiply are fp32. */
  rotary_fp32?: boolean;
  /** Layers with a window have tables of their own, or each layer spreads them anew. */
  rotary_by_window?: boolean;
  rotary_by_layer?: boolean;
  /** One head of keys is broadcast to all, which no fused kernel of SDPA takes: it works in fp32 with whole matrices of scores. */
  broadcasts_keys?: boolean;
}

export const FAMILY_HABITS: Record<string, FamilyHabits> = {
  gemma: { norm: 'gemma' },
  gemma2: { norm: 'gemma', caps_scores: true, caps_logits: true },
  gemma3_text: { norm: 'gemma', rotary_by_window: true },
  olmo: { norm: 'bare', rotary_fp32: true },
  olmo2: { norm: 'scaled', norms_after: true, rotary_fp32: true },
  olmo3: { norm: 'scaled', norms_after: true, rotary_fp32: true, rotary_by_window: true },
  mixtral: { router_keeps_fp32: true },
  phi: { rotary_share: 0.5 },
  phi3: { rotary_share: 1 },
  stablelm: { rotary_share: 0.25 },
  gpt_neox: { parallel: true, rotary_share: 0.25 },
  granite: { scales_logits: true },
  cohere: { norm: 'centred', scales_logits: true },
  cohere2: { norm: 'centred', scales_logits: true },
  glm: { rotary_share: 0.5, rotary_by_layer: true },
  glm4: { rotary_share: 0.5, rotary_by_layer: true },
  nemotron: { norm: 'plus_one', rotary_share: 0.5 },
  helium: { norm: 'wide', rotary_by_layer: true },
  falcon: { broadcasts_keys: true },
};

export const habitsOf = (family: string): FamilyHabits =>
  Object.hasOwn(FAMILY_HABITS, family) ? (FAMILY_HABITS[family] ?? {}) : {};
