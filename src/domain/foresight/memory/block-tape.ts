/** A block's forward pass on the tape, operation by operation as transformers 5.23 runs it. */

import type { BlockShape } from '../models/model-shape.ts';
import { playLinear } from './adapted-linear.ts';
import { playAttention } from './attention-tape.ts';
import { playExperts } from './experts-tape.ts';
import { habitsOf } from './family-habits.ts';
import { playGate } from './gate-tape.ts';
import { normStyle, playNorm } from './norm-tape.ts';
import type { PlayedRun } from './played-run.ts';
import type { Tensor } from './tape.ts';

/** Plays a block; `x` is what the one before gave. */
export function playBlock(play: PlayedRun, block: BlockShape, x: Tensor): Tensor {
  const { tape } = play;
  const { norms_after = false, parallel = block.parallel } = habitsOf(play.model.family);
  const style = normStyle(play, block);
  const norm = (input: Tensor) => playNorm(play, style, input, play.model.hidden);
  if (parallel) {
    const first = norm(x);
    const second = block.norms > 1 ? norm(x) : first;
    return tape.add(tape.add(playAttention(play, block, first, style), playMlp(play, block, second)), x);
  }
  const before = norms_after ? (input: Tensor) => input : norm;
  const after = norms_after || block.norms === 4 ? norm : (input: Tensor) => input;
  const first = before(x);
  const attended = after(playAttention(play, block, first, style));
  tape.refer(first);
  const middle = tape.add(x, attended);
  const second = before(middle);
  const mixed = after(playMlp(play, block, second));
  tape.refer(second);
  return tape.add(middle, mixed);
}

function playMlp(play: PlayedRun, block: BlockShape, x: Tensor): Tensor {
  const { experts, gated, activation } = block.mlp;
  const dense = block.linears.filter(({ part }) => part === 'mlp');
  if (experts !== null) return playExperts(play, block, x);
  const down = dense.at(-1);
  if (down === undefined) return x;
  return playLinear(play, down, playGate(play, dense.slice(0, -1), activation, gated, x));
}
