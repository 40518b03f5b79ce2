/** Peak memory of a training, by phase and component. */

import type { DeviceFacts } from '../devices/hardware.ts';
import type { MemoryComponents, MemoryEstimate, MemoryPhase } from '../forecast.ts';
import { MEMORY_PHASES } from '../forecast.ts';
import type { ModelShape } from '../models/model-shape.ts';
import type { RunShape } from '../run-shape.ts';
import { playStep } from './activation-bytes.ts';
import { boundsOf, memoryAssumptions, type Whose } from './memory-interval.ts';
import { contextBytes, slackBytes } from './overheads.ts';
import { steadyBytes } from './steady-bytes.ts';
import { peakOfStep } from './step-peak.ts';

/**
 * Foretells the memory of one device: pure arithmetic, the same in browser, worker and command line. Weights and states are counted
 * exactly, activations as autograd keeps them (`tape.ts`); context and allocator by measured constants. All in bytes. `whose` sets
 * the interval alone.
 */
export function estimateMemory(model: ModelShape, run: RunShape, device: DeviceFacts, whose: Whose = 'ours'): MemoryEstimate {
  const steady = steadyBytes(model, run);
  const step = playStep(model, run, device);
  const context = contextBytes(device.kind, run);
  const peak = peakOfStep(model, run, steady, step);
  const held = steady.weights + steady.adapter + steady.optimizer;
  const empty = { activations: 0, logits: 0, gradients: 0, optimizer: 0, communication: 0 };
  const resting = { weights: steady.weights, adapter: steady.adapter };
  const forward = Math.max(step.head.forward, ...step.blocks.map((block) => block.forward));
  const tensors: Record<MemoryPhase, Omit<MemoryComponents, 'slack' | 'context'>> = {
    load: { ...empty, weights: steady.weights, adapter: steady.loading },
    train_step: { ...resting, optimizer: steady.optimizer, communication: steady.communication, ...peak },
    optimizer_step: {
      ...empty,
      ...resting,
      gradients: steady.gradients,
      optimizer: steady.optimizer + steady.stepping,
      communication: steady.communication,
    },
    evaluate: { ...empty, ...resting, optimizer: steady.optimizer, activations: 0, logits: forward },
    save: { ...empty, ...resting, optimizer: steady.optimizer },
  };
  const made = step.blocks.reduce((all, { kept, count }) => all + kept * count, 0);
  const phases = {} as Record<MemoryPhase, number>;
  let fullest: MemoryPhase = 'train_step';
  let components: MemoryComponents | null = null;
  for (const phase of MEMORY_PHASES) {
    const inside = Object.values(tensors[phase]).reduce((all, bytes) => all + bytes, 0);
    const stays = phase === 'load' ? steady.weights : held;
    const slack = slackBytes(device.kind, run, Math.max(0, inside - stays), made);
    phases[phase] = Math.ceil(inside + slack + context);
    if (components === null || phases[phase] > phases[fullest]) {
      fullest = phase;
      components = { ...tensors[phase], slack, context };
    }
  }
  const rounded = roundUp(components ?? { ...tensors.train_step, slack: 0, context });
  const bounds = boundsOf(model, run, device, whose);
  const passing = rounded.activations + rounded.logits + rounded.gradients;
  const allocator_bytes = Object.entries(rounded).reduce((all, [name, bytes]) => (name === 'context' ? all : all + bytes), 0);
  const device_bytes = allocator_bytes + rounded.context;
  return {
    components: rounded,
    allocator_bytes,
    device_bytes,
    fullest,
    phases: { ...phases, [fullest]: device_bytes },
    low_bytes: Math.max(0, Math.floor(device_bytes * bounds.low - bounds.around)),
    high_bytes: Math.ceil(device_bytes * bounds.high + bounds.passing * passing + bounds.around),
    assumptions: memoryAssumptions(model, run, device),
  };
}

function roundUp(components: MemoryComponents): MemoryComponents {
  return Object.fromEntries(
    Object.entries(components).map(([name, bytes]) => [name, Math.ceil(bytes)]),
  ) as unknown as MemoryComponents;
}
