/** Between what the truth lies while no run has been measured. */
import type { ModelShape } from './model-shape.ts';
import type { RunShape } from './run-shape.ts';

/** 5th and 95th percentile as multiples of the foretold bytes. */
export interface Bounds {
  low: number;
  high: number;
}

export function boundsOf(model: ModelShape, run: RunShape): Bounds {
  let spread = run.method === 'full' ? 0.12 : 0.15;
  if (run.gpus > 1 && run.strategy !== 'none') spread += 0.08;
  if (model.blocks.some(({ mlp }) => mlp.experts !== null)) spread += 0.08;
  if (run.compile || run.switches.fused_kernels) spread += 0.05;
  return { low: 1 / (1 + spread), high: 1 + 1.2 * spread };
}
