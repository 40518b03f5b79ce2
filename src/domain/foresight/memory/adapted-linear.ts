/** A linear on the tape: plain, quantized, and with what LoRA and DoRA put beside it. */

import type { LinearShape } from '../models/model-shape.ts';
import { adapterRank, adapterWidth, type PlayedRun } from './played-run.ts';
import type { Tensor } from './tape.ts';

/** The output of a linear of a block, with its adapter where it has one. */
export function playLinear(play: PlayedRun, shape: LinearShape, x: Tensor): Tensor {
  const base = playBase(play, shape, x);
  if (adapterRank(play.run, shape) === 0) return base;
  const adapted = play.run.method === 'dora' ? playDora(play, shape, x, base) : playLora(play, shape, x, base);
  play.tape.refer(x);
  return adapted;
}

function playBase(play: PlayedRun, shape: LinearShape, x: Tensor): Tensor {
  const { tape, tokens, run } = play;
  const size = shape.inputs * shape.outputs;
  const outputs = (x.elements / shape.inputs) * shape.outputs;
  if (run.quantization === 'none' || !shape.is_module)
    return tape.linear(x, tape.weight(size, play.weight_width, play.full), outputs, play.autocast);
  // bitsandbytes autograd/_functions.py: MatMul4Bit keeps the packed weight alone, MatMul8bitLt its input as well (0.50.2);
  // both make the matrix whole again for the input's gradient. Int8 also holds its input's int8 form while it multiplies.
  const compute = play.autocast ?? 2;
  const four = run.quantization !== 'int8';
  const input = four ? tape.cast(x, compute) : x;
  const keeps = !four || run.switches.keeps_quantized_inputs ? [input] : [];
  const workspace = size * (four ? compute : x.width) + (four ? 0 : 3 * tokens * shape.inputs);
  const out = tape.step([input], tape.tensor(outputs, input.width, false), keeps, { forward: workspace, backward: workspace });
  // MatMul8bitLt keeps it as `ctx.tensors` instead of by `save_for_backward`, so that a checkpoint that is not reentrant (what
  // transformers 5 makes) cannot drop it. Measured here, torch 2.13.0: 4 inputs of 4 stay, reentrant none.
  if (!four && input.grad) tape.escape(input);
  // peft/tuners/lora/bnb.py clones what a 4-bit linear gives.
  return tape.cast(out, x.width);
}

/** If PEFT casts the input to the adapter's dtype: its layers for quantized linears do not under autocast, if it is that of CUDA. */
const castsInput = ({ run, autocast, on_cpu }: PlayedRun) => run.quantization === 'none' || autocast === null || on_cpu;

/** Of peft/tuners/lora/layer.py `Linear.forward`: B(A(dropout(x))) × scaling on top of the base. */
function playLora(play: PlayedRun, shape: LinearShape, x: Tensor, base: Tensor): Tensor {
  const { tape } = play;
  const cast = castInput(play, x);
  const low = lowRank(play, shape, dropped(play, cast));
  tape.refer(cast);
  return tape.cast(tape.add(base, tape.plain([low])), base.width);
}

const castInput = (play: PlayedRun, x: Tensor) => (castsInput(play) ? play.tape.cast(x, adapterWidth(play.run)) : x);

function lowRank(play: PlayedRun, shape: LinearShape, x: Tensor): Tensor {
  const { tape, autocast } = play;
  const rank = adapterRank(play.run, shape);
  const rows = x.elements / shape.inputs;
  const down = tape.linear(x, tape.weight(rank * shape.inputs, adapterWidth(play.run), true), rows * rank, autocast);
  return tape.linear(down, tape.weight(rank * shape.outputs, adapterWidth(play.run), true), rows * shape.outputs, autocast);
}

/** CUDA's fused dropout keeps a byte an element; the CPU's the factors in the input's own dtype. */
function dropped(play: PlayedRun, x: Tensor): Tensor {
  const { tape, run, on_cpu } = play;
  if ((run.adapter?.dropout ?? 0) === 0) return x;
  return tape.step([x], tape.tensor(x.elements, x.width, false), [tape.tensor(x.elements, on_cpu ? x.width : 1, false)]);
}

/**
 * Of peft/tuners/lora/dora.py `DoraLinearLayer.forward`: the magnitude over the norm of W + BA scales both results. The norm is
 * taken outside the graph, with W and BA made whole in the adapter's dtype: a few matrices for a moment.
 */
function playDora(play: PlayedRun, shape: LinearShape, input: Tensor, base: Tensor): Tensor {
  const { tape, autocast } = play;
  const width = adapterWidth(play.run);
  const cast = castInput(play, input);
  const x = dropped(play, cast);
  const size = shape.inputs * shape.outputs;
  // W, BA and scaling × BA and their sum in x's dtype, and BA as it came out of the matmul; the identity that goes through A and B.
  const moment = size * (4 * x.width + (autocast ?? width)) + shape.inputs ** 2 * (width + (autocast ?? 0));
  const norm = tape.tensor(shape.outputs, x.width, false);
  const magnitude = tape.weight(shape.outputs, width, true);
  const scale = tape.step([magnitude], tape.tensor(shape.outputs, x.width, false), [norm], { forward: moment });
  const low = lowRank(play, shape, x);
  let whole = shape.bias ? tape.plain([base]) : base;
  if (x !== cast) {
    const matrix = play.weight_width === x.width ? tape.weight(size, x.width, false) : tape.tensor(size, x.width, false);
    whole = tape.linear(x, matrix, base.elements, autocast);
  }
  const scaled = tape.multiply(tape.plain([scale]), whole);
  const adapted = tape.plain([tape.multiply(scale, low)]);
  return tape.cast(tape.add(base, tape.add(scaled, adapted)), base.width);
}
