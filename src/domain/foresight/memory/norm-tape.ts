/** Norms on the tape. */

import type { BlockShape } from '../models/model-shape.ts';
import { habitsOf, type NormStyle } from './family-habits.ts';
import type { PlayedRun } from './played-run.ts';
import type { Tensor } from './tape.ts';

export function normStyle(play: PlayedRun, block: BlockShape): NormStyle {
  return habitsOf(play.model.family).norm ?? (block.norm === 'rms' ? 'llama' : 'layer');
}

/** A norm over vectors of `size`. Its output has the input's dtype, but for LayerNorm under autocast on CUDA: fp32. */
export function playNorm(play: PlayedRun, style: NormStyle, x: Tensor, size: number): Tensor {
  const { tape, weight_width, full, on_cpu, autocast } = play;
  const vectors = x.elements / size;
  const weight = () => tape.weight(size, weight_width, full);
  const fused = play.run.compile || play.run.switches.fused_kernels;
  if (fused) {
    const statistics = tape.tensor(vectors * (style === 'layer' || style === 'bare' ? 2 : 1), 4, false);
    return tape.step([x, weight()], tape.tensor(x.elements, x.width, false), [x, statistics]);
  }
  if (style === 'centred') return playCentred(play, x, size);
  if (style === 'plus_one') {
    const scale = tape.plain([weight()]);
    return tape.step([x, scale], tape.tensor(x.elements, x.width, false), [
      x,
      scale,
      tape.tensor(2 * vectors, on_cpu ? x.width : 4, false),
    ]);
  }
  if (style === 'layer' || style === 'bare') {
    // Autocast's list of fp32 operations has layer_norm on CUDA (aten/src/ATen/autocast_mode.h), not on the CPU.
    const input = style === 'bare' || (autocast !== null && !on_cpu) ? tape.cast(x, 4) : x;
    const statistics = tape.tensor(2 * vectors, on_cpu ? input.width : 4, false);
    const inputs = style === 'bare' ? [input] : [input, weight()];
    const out = tape.step(inputs, tape.tensor(x.elements, input.width, false), [input, statistics]);
    return style === 'bare' ? tape.cast(out, x.width) : out;
  }
  const input = tape.cast(x, 4);
  const rsqrt = tape.apply(tape.plain([tape.apply(input, 'input')], vectors), 'output');
  const normed = tape.multiply(input, rsqrt);
  if (style === 'llama') return tape.multiply(weight(), tape.cast(normed, x.width));
  const wide = style === 'scaled' ? weight() : tape.cast(weight(), 4);
  return tape.cast(tape.multiply(style === 'gemma' ? tape.plain([wide]) : wide, normed), x.width);
}

/** CohereLayerNorm: what is left of the mean is taken twice, once for the variance. */
function playCentred(play: PlayedRun, x: Tensor, size: number): Tensor {
  const { tape, weight_width, full } = play;
  const input = tape.cast(x, 4);
  const mean = () => tape.plain([input], x.elements / size);
  const variance = tape.plain([tape.apply(tape.plain([input, mean()]), 'input')], x.elements / size);
  const normed = tape.multiply(tape.plain([input, mean()]), tape.apply(variance, 'output'));
  return tape.cast(tape.multiply(tape.cast(tape.weight(size, weight_width, full), 4), normed), x.width);
}
