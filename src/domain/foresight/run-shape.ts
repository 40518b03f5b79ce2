/** One training as the planner sees it: everything that changes bytes or seconds, whoever asks. */

export const RUN_METHODS = ['lora', 'qlora', 'dora', 'full'] as const;
export const QUANTIZATIONS = ['none', 'nf4', 'nf4-dq', 'int8'] as const;
export const OPTIMIZERS = ['adamw', 'adamw_8bit', 'paged_adamw_8bit', 'adafactor', 'lion', 'sgd'] as const;
export const ATTENTIONS = ['sdpa', 'flash', 'eager'] as const;
export const LOSSES = ['standard', 'kept-logits', 'chunked', 'fused'] as const;
export const PRECISIONS = ['bf16', 'fp16', 'fp32'] as const;
export const ADAPTER_DTYPES = ['fp32', 'bf16'] as const;
export const STRATEGIES = ['none', 'ddp', 'fsdp', 'zero1', 'zero2', 'zero3'] as const;

export interface AdapterShape {
  rank: number;
  /** Names of linears, or a word for many of them. */
  targets: readonly string[] | 'all-linear' | 'attention';
  dtype: (typeof ADAPTER_DTYPES)[number];
  dropout: number;
}

/** Habits of a library that change bytes; `OUR_SWITCHES` are those of the trainer that comes along. */
export interface LibrarySwitches {
  /** `prepare_model_for_kbit_training` of PEFT: every 16-bit tensor that is not quantized becomes fp32. */
  upcasts_frozen: boolean;
  /** Of the CUDA allocator: segments that grow, so that odd lengths waste little. */
  expandable_segments: boolean;
  /** Lengths are padded to a multiple of this. */
  pads_to: number;
  /** The head sees only the tokens that the loss is taken on. */
  head_on_trained_only: boolean;
  /** Runs under `torch.autocast`, as transformers' Trainer does when told bf16 or fp16; else in the weights' own dtype. */
  autocast: boolean;
  /** Padded batches come with an attention mask, so that SDPA repeats keys and values and keeps the mask as a bias in each layer. */
  passes_mask: boolean;
  /** Norms, rotary embeddings and gates of Liger or Unsloth, which keep less. */
  fused_kernels: boolean;
  /** Inputs of checkpointed blocks wait in the host's memory. */
  offloads_checkpoints: boolean;
  /** Frozen 4-bit linears keep their inputs: bitsandbytes before July 2024 (#1270). */
  keeps_quantized_inputs: boolean;
  /** Optimizer of torch in one kernel: no copies of what it updates. */
  fused_optimizer: boolean;
}

export interface RunShape {
  method: (typeof RUN_METHODS)[number];
  quantization: (typeof QUANTIZATIONS)[number];
  /** null: every weight is trained */
  adapter: AdapterShape | null;
  /** Tokens of the longest row of a batch, padded; with packing, of a pack. */
  seq_len: number;
  /** Rows (with packing: packs) in one forward pass of one device. */
  micro_batch: number;
  grad_accum: number;
  /** Share of a batch's tokens that the loss is taken on, in the worst batch. */
  trained_share: number;
  gradient_checkpointing: boolean;
  optimizer: (typeof OPTIMIZERS)[number];
  attention: (typeof ATTENTIONS)[number];
  loss: (typeof LOSSES)[number];
  /** Of the arithmetic: autocast where the weights are of another dtype. */
  precision: (typeof PRECISIONS)[number];
  weights_dtype: (typeof PRECISIONS)[number];
  packing: boolean;
  compile: boolean;
  gpus: number;
  strategy: (typeof STRATEGIES)[number];
  switches: LibrarySwitches;
}

/** What the trainer that comes along does. */
export const OUR_SWITCHES: LibrarySwitches = {
  upcasts_frozen: false,
  expandable_segments: true,
  pads_to: 64,
  head_on_trained_only: true,
  autocast: true,
  passes_mask: false,
  fused_kernels: false,
  offloads_checkpoints: false,
  keeps_quantized_inputs: false,
  fused_optimizer: true,
};
