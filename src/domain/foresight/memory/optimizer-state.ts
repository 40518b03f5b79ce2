/** What an optimizer keeps of each trained parameter, and what it holds while it steps. */
import type { RunShape } from '../run-shape.ts';

/** Tensors of fewer elements keep fp32 states in 8-bit optimizers: bitsandbytes optim/optimizer.py `min_8bit_size`. */
const EIGHT_BIT_MIN = 4096;
/** Values that share a fp32 maximum there. */
const EIGHT_BIT_BLOCK = 256;

/** Bytes of the states of a tensor. `width`: of the parameter, which torch's states have, too. */
export function stateBytes(optimizer: RunShape['optimizer'], elements: number, width: number): number {
  if (optimizer === 'adamw') return 2 * elements * width;
  if (optimizer === 'lion') return elements * width;
  // torch.optim.SGD as transformers' Trainer sets it up has no momentum.
  if (optimizer === 'sgd') return 0;
  if (optimizer === 'adafactor') return adafactorBytes(elements);
  if (elements < EIGHT_BIT_MIN) return 2 * elements * 4;
  return 2 * (elements + Math.ceil(elements / EIGHT_BIT_BLOCK) * 4);
}

/** A fp32 mean for each row and column (transformers/optimization.py, no first moment): of a square matrix, which is the least. */
const adafactorBytes = (elements: number) => 2 * Math.sqrt(elements) * 4;

/**
 * Bytes that a step holds for itself. torch's foreach AdamW takes the root of all second moments at once; transformers'
 * Adafactor works through one tensor after another in fp32: the update, its square and what it is divided by.
 */
export function stepBytes(run: RunShape, elements: number, largest: number, width: number): number {
  if (run.optimizer === 'adafactor') return 3 * largest * 4;
  return run.optimizer === 'adamw' && !run.switches.fused_optimizer ? elements * width : 0;
}
