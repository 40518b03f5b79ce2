/** What is foretold of a training: the forms that memory, time and advice come in. */

/** Bytes of one device at the fullest moment, by what holds them. */
export interface MemoryComponents {
  weights: number;
  adapter: number;
  gradients: number;
  optimizer: number;
  activations: number;
  logits: number;
  /** Buffers of the collectives. */
  communication: number;
  /** What the allocator holds beyond the tensors. */
  slack: number;
  /** Context, kernels, libraries: on the device, outside the allocator. */
  context: number;
}

export const MEMORY_PHASES = ['load', 'train_step', 'optimizer_step', 'evaluate', 'save'] as const;
export type MemoryPhase = (typeof MEMORY_PHASES)[number];

export interface MemoryEstimate {
  /** Bytes; all components but `context` sum up to `allocator_bytes`, with it to `device_bytes`. */
  components: MemoryComponents;
  /** Highest that the allocator reserves (`torch.cuda.max_memory_reserved`). */
  allocator_bytes: number;
  /** Highest that nvidia-smi and a scheduler see. */
  device_bytes: number;
  /** The fullest moment, and the peak of each, as the device sees it. */
  fullest: MemoryPhase;
  phases: Record<MemoryPhase, number>;
  /** 5th and 95th percentile of `device_bytes`, before any evidence. */
  low_bytes: number;
  high_bytes: number;
  /** Sentences: what was taken for granted. */
  assumptions: string[];
}

export interface TimeEstimate {
  /** Of one optimizer step, on all devices together. */
  seconds_per_step: number;
  /** All devices together; padding does not count. */
  tokens_per_second: number;
  /** 5th and 95th percentile of `seconds_per_step`, before any evidence. */
  low_seconds: number;
  high_seconds: number;
  assumptions: string[];
}

/** By what a formula's figure is multiplied, and between what its truth lies: what measured runs say of the formulas. */
export interface Factor {
  factor: number;
  /** 5th and 95th percentile, as multiples of the formula's own figure. */
  low: number;
  high: number;
  /** Finished runs of this method on this device and stack that it stands on. */
  runs: number;
  /** Runs of other methods and stacks on this device that it leans on besides; with `runs` 0: the formula's own interval. */
  near: number;
  /** A run of the caller's own that equals this one was measured, and nothing else counts. */
  same: boolean;
}

export interface Correction {
  /** Of `device_bytes`. */
  memory: Factor;
  /** Of `seconds_per_step`. */
  time: Factor;
}
