/** What lies on a device besides tensors: context, kernels, communicators, and what the allocator cannot use. */
import type { RunShape } from '../run-shape.ts';

/**
 * CUDA context with all kernels loaded, outside the allocator: 0.92 GiB (A100, torch 2.1: stas00/ml-engineering,
 * training/performance/README.md; 0.47 at the first tensor). Rows of Qwen's README close with 1.6 (CUDA 11.8, nothing lazy).
 */
const CONTEXT = 0.92 * 2 ** 30;
/** Bytes of NCCL’s buffers for each rank (same source: 1 to 2 GiB). */
export const COMMUNICATOR = 1.0 * 2 ** 30;
/** cuBLAS workspace, within the allocator: 8.1 MiB a stream, 32 MiB on Hopper (torch aten/src/ATen/cuda/CublasHandlePool.cpp). */
const WORKSPACE = 32 * 2 ** 20;
/**
 * The trainer's process on a CPU without tensors, and the share of what its blocks' forwards make that malloc holds on to, with
 * checkpoints or without. Measured here: `peak_memory_mb` of trainer 0.1.0 (torch 2.13.0+cpu, 2 cores), SmolLM-135M's shape with a
 * vocabulary of 400, fp32, rank 16 on all linears: 4,274 MB at 2 × 512 tokens, 2,292 and at 1 × 256 tokens 1,628 with checkpoints.
 */
const PROCESS = 0.9e9;
const HEAP = 0.35;

export function contextBytes(kind: 'gpu' | 'cpu', run: RunShape): number {
  if (kind === 'cpu') return PROCESS;
  return CONTEXT + (run.gpus > 1 && run.strategy !== 'none' ? COMMUNICATOR : 0);
}

/**
 * Shares by which the allocator reserves more than tensors take, of what comes and goes within a step: where all batches are of one
 * size (torchtune's e2e_flow.rst: 6.27 of 6.21 GiB, and fragments of a backward), where lengths vary, and where segments cannot grow
 * with them (fitted to the tuned rows of peft-, qwen- and swift-: between a few percent and, with long tails, all of it again).
 */
const SLACK = { fixed: 0.03, varying: 0.06, rigid: 0.12 };
/** More of it where parameters are gathered on streams of their own (fitted to the tuned rows of fsdp-: 15 to 20 % of all). */
export const SHARDED_SLACK = 0.15;

/** Bytes that the allocator holds beyond tensors. `passing`: of those that come and go within a step; `made`: by all blocks' forwards. */
export function slackBytes(kind: 'gpu' | 'cpu', run: RunShape, passing: number, made: number): number {
  if (kind === 'cpu') return passing > 0 ? HEAP * made : 0;
  const shape = run.packing ? 'fixed' : run.switches.expandable_segments ? 'varying' : 'rigid';
  const gathers = run.gpus > 1 && (run.strategy === 'fsdp' || run.strategy === 'zero3');
  return WORKSPACE + (SLACK[shape] + (gathers ? SHARDED_SLACK : 0)) * passing;
}
