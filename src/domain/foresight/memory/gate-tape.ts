/** What lies between the outer matrices of an MLP on the tape. */

import type { LinearShape } from '../models/model-shape.ts';
import { playLinear } from './adapted-linear.ts';
import type { PlayedRun } from './played-run.ts';
import type { Tensor } from './tape.ts';

/** From the normed input to that of the down projection. */
export function playGate(play: PlayedRun, linears: LinearShape[], activation: string, gated: boolean, x: Tensor): Tensor {
  const { tape } = play;
  const outs = linears.map((linear) => playLinear(play, linear, x));
  const [first, second] = outs;
  if (first === undefined) return x;
  if (!gated) return playActivation(play, activation, first);
  const half = first.elements / 2;
  const gate = second === undefined ? tape.view(first, half) : first;
  const up = second ?? tape.view(first, half);
  if (play.run.compile || play.run.switches.fused_kernels)
    return tape.step([gate, up], tape.tensor(gate.elements, gate.width, false), [gate, up]);
  return tape.multiply(playActivation(play, activation, gate), up);
}

/** By config.json's name of the function, as transformers/activations.py has it. */
export function playActivation(play: PlayedRun, activation: string, x: Tensor): Tensor {
  const { tape, autocast, on_cpu } = play;
  if (activation === 'relu') return tape.apply(x, 'output');
  if (play.run.compile) return tape.apply(x, 'input');
  if (activation === 'relu2') {
    const kept = tape.apply(x, 'output');
    return tape.apply(autocast === null || on_cpu ? kept : tape.cast(kept, 4), 'input');
  }
  if (activation === 'gelu_new' || activation === 'gelu_fast') {
    // 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³))): x for the power and the product, tanh's output, both factors.
    const inner = tape.plain([x, tape.apply(x, 'input')]);
    const half = tape.plain([x]);
    return tape.multiply(half, tape.plain([tape.apply(inner, 'output')]));
  }
  if (activation === 'quick_gelu') return tape.multiply(x, tape.apply(tape.plain([x]), 'output'));
  return tape.apply(x, 'input');
}
