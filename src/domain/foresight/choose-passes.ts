/** How a step's rows go through a device: in how many passes, and what is kept of each for the way back. */

export interface Passes {
  /** Rows in one forward pass. */
  micro_batch: number;
  /** Forward passes a step. */
  grad_accum: number;
  gradient_checkpointing: boolean;
}

/** What a way of passing needs, as far as it decides. */
export interface PassesNeed {
  fits: boolean;
  device_bytes: number;
  seconds_per_step: number;
}

/** The product stays, so that steps and what is learnt do not change. */
function ways({ micro_batch, grad_accum }: Passes): Passes[] {
  const rows = micro_batch * grad_accum;
  const whole = Array.from({ length: micro_batch }, (_, less) => micro_batch - less).filter((micro) => rows % micro === 0);
  return [false, true].flatMap((gradient_checkpointing) =>
    whole.map((micro) => ({ micro_batch: micro, grad_accum: rows / micro, gradient_checkpointing })),
  );
}

/**
 * The fastest way that fits, of those that split passes no further than they must: as many rows in one as fit without
 * checkpointing, or with it. What was asked for is kept where that fits; where nothing does, what needs the least.
 */
export function choosePasses(asked: Passes, need: (passes: Passes) => PassesNeed): Passes {
  const judged = ways(asked).map((passes) => ({ passes, ...need(passes) }));
  const fastestFit = (gradient_checkpointing: boolean) =>
    judged.find((one) => one.fits && one.passes.gradient_checkpointing === gradient_checkpointing);
  // Accumulation that was asked for is a wish; one pass a step is only where a form begins.
  const kept = judged.filter((one) => one.fits && asked.grad_accum > 1 && one.passes.grad_accum === asked.grad_accum);
  const fits = kept.length > 0 ? kept : [fastestFit(false), fastestFit(true)].filter((one) => one !== undefined);
  const [chosen] =
    fits.length > 0
      ? fits.toSorted((a, b) => a.seconds_per_step - b.seconds_per_step)
      : judged.toSorted((a, b) => a.device_bytes - b.device_bytes);
  return chosen?.passes ?? asked;
}
