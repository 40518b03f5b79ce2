/** A model as the planner sees it: its matrices and how data goes through them, in plain numbers. */

/** A matrix that multiplies activations. */
export interface LinearShape {
  /** Last part of its module's name, as `target_modules` of an adapter writes it. */
  name: string;
  inputs: number;
  outputs: number;
  bias: boolean;
  part: 'attention' | 'mlp' | 'expert' | 'router';
  /** How many of it a block has: experts, each of its own. */
  count: number;
  /** False: a parameter of its own and no `nn.Linear`, so quantization leaves it as it is. */
  is_module: boolean;
  /**
   * Names in `target_modules` by which PEFT reaches it, none: never, several: only by all together and with as many times the rank.
   * Absent: its own name. `all-linear` takes whatever can be reached.
   */
  reached_by?: readonly string[];
}

export interface AttentionShape {
  heads: number;
  kv_heads: number;
  /** Of queries and keys; values of latent attention are narrower, as its `o_proj` tells. */
  head_dim: number;
  /** Tokens that a token sees of those before it; null: all. */
  window: number | null;
  /** Norm over queries and keys before they meet. */
  qk_norm: 'none' | 'head' | 'all';
}

export interface ExpertsShape {
  count: number;
  per_token: number;
  intermediate: number;
  /** Width of what every token goes through besides; 0: none. */
  shared_intermediate: number;
}

/** Blocks that are all alike. */
export interface BlockShape {
  /** How many of the model's blocks are such. */
  count: number;
  linears: LinearShape[];
  /** Parameters of a block outside its linears: norms, mostly. Biases belong to their linear. */
  other_params: number;
  attention: AttentionShape;
  mlp: {
    /** gate × up, as in SwiGLU; false: one matrix up, one down. */
    gated: boolean;
    /** As config.json names it: silu, gelu_pytorch_tanh, gelu, relu2 … */
    activation: string;
    /** Of the dense part; 0 where there are experts alone. */
    intermediate: number;
    experts: ExpertsShape | null;
  };
  norm: 'rms' | 'layer';
  /** Norms over the hidden width that a block has; those of queries and keys aside. */
  norms: number;
  /** Attention and MLP read the same normed input. */
  parallel: boolean;
}

export interface ModelShape {
  /** `model_type` of config.json */
  family: string;
  hidden: number;
  vocab: number;
  /** Tokens of its longest input; null: not said. */
  context: number | null;
  /** The head is the embedding's own matrix. */
  tied: boolean;
  head_bias: boolean;
  /** Learned positions and whatever else is looked up besides the words. */
  position_params: number;
  /** Outside blocks, embedding, positions and head: the last norm. */
  other_params: number;
  blocks: BlockShape[];
}
