/** The fullest moment of forward and backward: at the loss, or somewhere in backward where gradients of weights have gathered. */

import type { ModelShape } from '../models/model-shape.ts';
import type { RunShape } from '../run-shape.ts';
import type { PlayedStep } from './activation-bytes.ts';
import { WIDTHS } from './played-run.ts';
import type { SteadyBytes } from './steady-bytes.ts';

export interface StepPeak {
  activations: number;
  logits: number;
  gradients: number;
}

export function peakOfStep(model: ModelShape, run: RunShape, steady: SteadyBytes, step: PlayedStep): StepPeak {
  const candidates = [...atLoss(run, steady, step), ...inBackward(model, run, steady, step)];
  return candidates.reduce((most, one) => (total(one) > total(most) ? one : most));
}

const total = ({ activations, logits, gradients }: StepPeak) => activations + logits + gradients;

/** Bytes that a block leaves behind after its forward. */
function left(run: RunShape, block: PlayedStep['blocks'][number]): number {
  if (!run.gradient_checkpointing) return block.kept;
  return block.escaped + (run.switches.offloads_checkpoints ? 0 : block.input);
}

/** Bytes of the logits that the caller still refers to during backward. */
const referred = (run: RunShape, step: PlayedStep) => (run.loss === 'kept-logits' ? step.head.logits * WIDTHS[run.precision] : 0);

/** Gradients of former micro-batches are there from the start. */
const gathered = (run: RunShape, steady: SteadyBytes) => (run.grad_accum > 1 ? steady.gradients : 0);

function atLoss(run: RunShape, steady: SteadyBytes, step: PlayedStep): StepPeak[] {
  const activations = step.blocks.reduce((all, block) => all + block.count * left(run, block), 0);
  // Autocast drops its copies of trained weights when the model's forward ends; blocks without checkpoints keep them anyway.
  const copies = run.gradient_checkpointing && !run.switches.head_on_trained_only ? steady.copies : 0;
  const gradients = gathered(run, steady);
  return [
    { activations: activations + copies, logits: step.head.forward, gradients },
    {
      activations,
      logits: step.head.backward + referred(run, step),
      gradients: Math.max(gradients, (steady.gradients * steady.frame_share) / 2),
    },
  ];
}

function inBackward(model: ModelShape, run: RunShape, steady: SteadyBytes, step: PlayedStep): StepPeak[] {
  const found: StepPeak[] = [];
  const layers = model.blocks.reduce((all, block) => all + block.count, 0);
  const a_block = (steady.gradients * (1 - steady.frame_share)) / Math.max(1, layers);
  const logits = referred(run, step);
  let behind = (steady.gradients * steady.frame_share) / 2;
  let below = step.blocks.reduce((all, block) => all + block.count * left(run, block), 0);
  for (const block of step.blocks.toReversed()) {
    const own = left(run, block);
    // Without checkpoints what the block keeps is part of its own backward.
    const most = Math.max(block.forward, block.backward);
    const work = run.gradient_checkpointing ? Math.max(block.input, own) + most : most;
    const at = (done: number) => ({
      activations: below - own * done + work,
      logits,
      gradients: Math.max(gathered(run, steady), behind + a_block * done),
    });
    found.push(at(1), at(block.count));
    below -= own * block.count;
    behind += a_block * block.count;
  }
  // The embedding's gradient comes last; a tied one is added to the head's.
  const words = model.tied && run.method === 'full' ? (steady.gradients * steady.frame_share) / 2 : 0;
  found.push({ activations: step.blocks[0]?.input ?? 0, logits, gradients: steady.gradients + words });
  return found;
}
