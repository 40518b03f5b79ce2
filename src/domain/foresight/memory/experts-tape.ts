/** A mixture of experts on the tape: router, copies of the tokens for each of their experts, expert matrices, the sum. */

import type { BlockShape, LinearShape } from '../models/model-shape.ts';
import { playLinear } from './adapted-linear.ts';
import { habitsOf } from './family-habits.ts';
import { playActivation, playGate } from './gate-tape.ts';
import { adapterRank, adapterWidth, type PlayedRun } from './played-run.ts';
import type { Tensor } from './tape.ts';

/** transformers/integrations/moe.py `grouped_mm_experts_forward`, which autocast does not know: all stays in its own dtype. */
export function playExperts(play: PlayedRun, block: BlockShape, x: Tensor): Tensor {
  const { tape, tokens, model, autocast } = play;
  const { experts, activation, gated } = block.mlp;
  const wide = block.linears.find(({ part, inputs }) => part === 'expert' && inputs === model.hidden);
  const narrow = block.linears.find(({ part, outputs }) => part === 'expert' && outputs === model.hidden);
  const router = block.linears.find(({ part }) => part === 'router');
  if (experts === null || wide === undefined || narrow === undefined || router === undefined) return x;
  const copies = tokens * experts.per_token;
  const numbers = () => tape.tensor(copies, 8, false);
  const logits = tape.linear(x, playMatrix(play, router), tokens * experts.count, autocast);
  const chances = tape.apply(tape.cast(logits, 4), 'output');
  let top = tape.step([chances], tape.tensor(copies, 4, false), [numbers()]);
  const sum = tape.plain([top], tokens);
  if (habitsOf(model.family).router_keeps_fp32) top = tape.multiply(top, sum);
  else top = tape.cast(top, logits.width);
  const weights = tape.step([top], tape.tensor(copies, top.width, false), [numbers()]);
  const routed = tape.step([x], tape.tensor(copies * model.hidden, x.width, false), [numbers()]);
  const ends = tape.tensor(experts.count, 4, false);
  const inner = playGrouped(play, routed, playMatrix(play, wide), copies * wide.outputs, ends);
  const half = copies * experts.intermediate;
  const acted = playActivation(play, activation, gated ? tape.view(inner, half) : inner);
  const hidden = gated ? tape.multiply(acted, tape.view(inner, half)) : acted;
  const out = playGrouped(play, hidden, playMatrix(play, narrow), copies * model.hidden, ends);
  const weighted = tape.multiply(out, weights);
  const back = tape.step([weighted], tape.tensor(copies * model.hidden, weighted.width, false), [numbers()]);
  const together = tape.cast(tape.plain([back], tokens * model.hidden), x.width);
  const shared = block.linears.filter(({ part }) => part === 'mlp');
  const down = shared.at(-1);
  if (down === undefined || experts.shared_intermediate === 0) return together;
  const beside = playLinear(play, down, playGate(play, shared.slice(0, -1), activation, gated, x));
  const weigher = block.linears.find(({ part, outputs }) => part === 'router' && outputs === 1);
  if (weigher === undefined) return tape.add(together, beside);
  return tape.add(together, tape.multiply(tape.apply(playLinear(play, weigher, x), 'output'), beside));
}

function playGrouped(play: PlayedRun, x: Tensor, matrix: Tensor, elements: number, ends: Tensor): Tensor {
  const keeps = [...(matrix.grad ? [x] : []), ...(x.grad ? [matrix] : []), ends];
  return play.tape.step([x, matrix], play.tape.tensor(elements, x.width, false), keeps);
}

/** A parameter that is no module: PEFT adapts it by adding BA to it as a whole (peft/tuners/lora/layer.py `ParamWrapper`). */
function playMatrix(play: PlayedRun, linear: LinearShape): Tensor {
  const { tape, run, weight_width, full, autocast } = play;
  const size = linear.count * linear.inputs * linear.outputs;
  const rank = linear.count * adapterRank(run, linear);
  if (rank === 0) return tape.weight(size, weight_width, full);
  // Of experts the factors are brought to the parameter's dtype before they are multiplied, of a router their product is.
  const factor = (side: number) => {
    const own = tape.autocast(tape.weight(rank * side, adapterWidth(run), true), autocast);
    return linear.count > 1 && autocast === null ? tape.cast(own, weight_width) : own;
  };
  const [a, b] = [factor(linear.inputs), factor(linear.outputs)];
  const product = tape.step([a, b], tape.tensor(size, a.width, false), [a, b]);
  return tape.plain([tape.cast(product, weight_width)]);
}
