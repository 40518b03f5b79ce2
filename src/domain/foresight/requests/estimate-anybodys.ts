/** Memory of a run of somebody whose stack is not known: what it may do otherwise widens the interval. */

import type { MemoryEstimate } from '../forecast.ts';
import { estimateMemory } from '../memory/estimate-memory.ts';
import type { PlannedRequest } from './estimate-request.ts';

/**
 * The figure is that of the habits in `run`; `high_bytes` is that of the other reading of an unsaid habit where it is more: on a
 * quantized base, what is not quantized may have become fp32 (`may_upcast`): PEFT's guide and the QLoRA repository do so, and TRL
 * before 0.27 (#4704). With it tuned rows as asked are foretold 22 % too high on average, without it 6 % too low.
 */
export function estimateAnybodys({
  model,
  run,
  device,
  may_upcast,
}: Pick<PlannedRequest, 'model' | 'run' | 'device' | 'may_upcast'>): MemoryEstimate {
  const memory = estimateMemory(model, run, device, 'anybodys');
  if (!may_upcast) return memory;
  const upcast = estimateMemory(model, { ...run, switches: { ...run.switches, upcasts_frozen: true } }, device);
  return {
    ...memory,
    high_bytes: Math.max(memory.high_bytes, upcast.high_bytes),
    assumptions: [...memory.assumptions, MAY_UPCAST],
  };
}

const MAY_UPCAST =
  'What is not quantized is taken to stay in 16 bits (as TRL from 0.27, LLaMA-Factory, ms-swift and torchtune keep it); with prepare_model_for_kbit_training of PEFT it becomes fp32: switches.upcasts_frozen says so, and high reaches that far.';
