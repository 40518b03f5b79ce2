/** Habits of the library that runs, as somebody may say them of a run that is not ours. */
import * as z from 'zod';
import { toldRule } from '../../told-rule.ts';
import type { LibrarySwitches } from '../run-shape.ts';

const truth = z.boolean(toldRule('must be true or false'));
const multiple = toldRule('must be a whole number from 1 to 4096');

/** Each may be left out: then it is as in our trainer. */
export const AskedSwitches = z
  .strictObject({
    upcasts_frozen: truth,
    expandable_segments: truth,
    pads_to: z.int(multiple).min(1, multiple).max(4096, multiple),
    head_on_trained_only: truth,
    autocast: truth,
    passes_mask: truth,
    fused_kernels: truth,
    offloads_checkpoints: truth,
    keeps_quantized_inputs: truth,
    fused_optimizer: truth,
  } satisfies Record<keyof LibrarySwitches, z.ZodType>)
  .partial();

/** `ours` with what is said in its place. */
export function withAsked(ours: LibrarySwitches, asked: z.infer<typeof AskedSwitches> = {}): LibrarySwitches {
  const said = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
  return { ...ours, ...said };
}
