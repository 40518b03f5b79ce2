/** What each device holds where several train together, and what their exchange takes. */
import type { RunShape } from '../run-shape.ts';

/** Shares of a device: 1 is all of it. */
export interface Shares {
  frozen: number;
  trained: number;
  gradients: number;
  optimizer: number;
}

/** By strategy and number of devices: DeepSpeed's stages (arXiv 1910.02054, figure 1), FSDP's full shard as stage 3. */
export function sharesOf({ strategy, gpus }: RunShape): Shares {
  const part = 1 / Math.max(1, gpus);
  if (strategy === 'zero1') return { frozen: 1, trained: 1, gradients: 1, optimizer: part };
  if (strategy === 'zero2') return { frozen: 1, trained: 1, gradients: part, optimizer: part };
  if (strategy === 'zero3' || strategy === 'fsdp') return { frozen: part, trained: part, gradients: part, optimizer: part };
  return { frozen: 1, trained: 1, gradients: 1, optimizer: 1 };
}

/** Elements of DeepSpeed's reduce and gather buckets (deepspeed/runtime/zero/config.py: 5e8, `overlap_comm` has two). */
const ZERO_BUCKET = 5e8;
/**
 * Of stage 3 the trainers' configurations leave them to transformers, which makes them as large as the hidden size squared
 * (integrations/deepspeed.py; "auto" in the zero3 files of Qwen, LLaMA-Factory, axolotl and ms-swift).
 */
const zero3Bucket = (hidden: number) => hidden ** 2;
/** `stage3_max_live_parameters` there. */
const ZERO_LIVE = 1e9;

export interface Exchange {
  /** Trained parameters, and bytes of one in the arithmetic. */
  trained: number;
  width: number;
  gradients: number;
  hidden: number;
  /** Bytes of the largest block, and of what stands outside blocks, as they are gathered. */
  block: number;
  frame: number;
  all: number;
}

/** Bytes of buffers and gathered parameters on each device. */
export function exchangeBytes({ strategy, gpus }: RunShape, size: Exchange): number {
  if (gpus <= 1 || strategy === 'none') return 0;
  // DistributedDataParallel's buckets hold every gradient a second time (`gradient_as_bucket_view` is off by default).
  if (strategy === 'ddp') return size.gradients;
  // The block at work and the next one, and the root, whose parameters stay gathered.
  if (strategy === 'fsdp') return Math.min(size.all, size.frame + 2 * size.block);
  const bucket = strategy === 'zero3' ? zero3Bucket(size.hidden) : ZERO_BUCKET;
  const buckets = 2 * Math.min(bucket, size.trained) * size.width;
  if (strategy === 'zero3') return buckets + Math.min(size.all, Math.max(ZERO_LIVE * size.width, size.frame + size.block));
  return buckets;
}
