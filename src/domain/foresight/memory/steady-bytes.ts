/** What lies on a device from the first step to the last: weights, adapter, gradients, states. */
import type { ModelShape } from '../models/model-shape.ts';
import type { RunShape } from '../run-shape.ts';
import { stateBytes, stepBytes } from './optimizer-state.ts';
import { adapterWidth, frozenWidth, WIDTHS } from './played-run.ts';
import { exchangeBytes, sharesOf } from './sharding.ts';
import {
  adapterTensors,
  blockBytes,
  blockParameters,
  frameParameters,
  largestMatrix,
  modelParameters,
  weightBytes,
} from './weight-bytes.ts';

export interface SteadyBytes {
  weights: number;
  adapter: number;
  gradients: number;
  optimizer: number;
  communication: number;
  /** What the optimizer holds while it steps. */
  stepping: number;
  /** What loading holds besides the weights as they are trained on. */
  loading: number;
  /** Of the gradients, the share of head, embedding and last norm, whose backward comes first or last. */
  frame_share: number;
  /** Bytes of the copies that autocast makes of trained fp32 weights, all of them. */
  copies: number;
}

export function steadyBytes(model: ModelShape, run: RunShape): SteadyBytes {
  const full = run.method === 'full';
  const shares = sharesOf(run);
  const tensors = full ? fullTensors(model) : adapterTensors(model, run);
  const trained = tensors.reduce((all, { elements, count }) => all + elements * count, 0);
  const width = full ? frozenWidth(run) : adapterWidth(run);
  const masters = run.strategy.startsWith('zero') && width === 2;
  // DeepSpeed steps in fp32: a master copy beside the states, both of fp32 (Megatron's and its 12 bytes a parameter).
  const state_width = masters ? 4 : width;
  const states = tensors.reduce((all, { elements, count }) => all + count * stateBytes(run.optimizer, elements, state_width), 0);
  const weights = weightBytes(model, run);
  const gradients = trained * width * shares.gradients;
  const compute = WIDTHS[run.precision];
  const gathered = full ? compute : null;
  const blocks = model.blocks.map((block) => (gathered ? blockParameters(block) * gathered : blockBytes(block, run)));
  const frame = frameParameters(model) * (gathered ?? frozenWidth(run));
  return {
    weights: weights * (full ? shares.trained : shares.frozen),
    adapter: full ? 0 : trained * width * shares.trained,
    gradients,
    optimizer: (states + (masters ? trained * 4 : 0)) * shares.optimizer,
    communication: exchangeBytes(run, {
      trained,
      width,
      gradients,
      hidden: model.hidden,
      block: Math.max(0, ...blocks),
      frame,
      all: full ? modelParameters(model) * compute : weights,
    }),
    stepping: stepBytes(run, trained * shares.optimizer, Math.max(0, ...tensors.map((one) => one.elements)), width),
    loading: loadingBytes(model, run),
    frame_share: full && trained > 0 ? frameParameters(model) / trained : 0,
    copies: run.precision !== 'fp32' && width === 4 ? trained * compute : 0,
  };
}

/**
 * transformers 5 quantizes one matrix after another as it loads them (core_model_loading.py: no threads where it quantizes). Where
 * what is not quantized becomes fp32, the allocator still holds it in 16 bits, which fp32 does not fit into (peft/utils/other.py
 * empties the cache only after all of them, and none did before: huggingface/peft #3265).
 */
function loadingBytes(model: ModelShape, run: RunShape): number {
  if (run.quantization === 'none') return 0;
  const narrow = { ...run, switches: { ...run.switches, upcasts_frozen: false } };
  const upcast = weightBytes(model, run) - weightBytes(model, narrow);
  return Math.max(largestMatrix(model) * 2, upcast);
}

interface TensorSize {
  elements: number;
  count: number;
}

/** The parameters of a full fine-tune, by size. */
function fullTensors(model: ModelShape): TensorSize[] {
  const blocks = model.blocks.flatMap((block) => [
    ...block.linears.map((linear) => ({ elements: linear.inputs * linear.outputs, count: block.count * linear.count })),
    ...block.linears
      .filter(({ bias }) => bias)
      .map((linear) => ({ elements: linear.outputs, count: block.count * linear.count })),
    { elements: block.other_params, count: block.count },
  ]);
  const words = model.vocab * model.hidden;
  const outside = frameParameters(model) - words * (model.tied ? 1 : 2);
  return [...blocks, { elements: words, count: model.tied ? 1 : 2 }, { elements: outside, count: 1 }];
}
