/** What lies on a device besides tensors: context, kernels, communicators, and what the allocator cannot use. */
import type { RunShape } from './run-shape.ts';

/**
 * CUDA context with the kernels of a step loaded, outside the allocator: 0.47 GiB at the first tensor, up to 0.92 with all modules
 * loaded (A100, torch 2.1: stas00/ml-engineering, training/performance/README.md).
 */
const CONTEXT = 0.6 * 2 ** 30;
/** NCCL's buffers for each rank (same source: 1 to 2 GiB). */
const COMMUNICATOR = 1.0 * 2 ** 30;
/** cuBLAS workspace, within the allocator: 8.1 MiB a stream, 32 MiB on Hopper (torch aten/src/ATen/cuda/CublasHandlePool.cpp). */
const WORKSPACE = 32 * 2 ** 20;
/** Resident memory of the trainer on a CPU with its libraries loaded, before a model. */
const PROCESS = 0.55e9;

export function contextBytes(kind: 'gpu' | 'cpu', run: RunShape): number {
  if (kind === 'cpu') return PROCESS;
  return CONTEXT + (run.gpus > 1 && run.strategy !== 'none' ? COMMUNICATOR : 0);
}

/** Share by which the allocator reserves more than the tensors take, of all that comes and goes within a step. */
export function slackBytes(kind: 'gpu' | 'cpu', run: RunShape, steady: number, passing: number): number {
  if (kind === 'cpu') return 0;
  const fixed = run.packing || run.micro_batch === 1 || run.switches.expandable_segments;
  return WORKSPACE + 0.002 * steady + (fixed ? 0.03 : 0.1) * passing;
}
