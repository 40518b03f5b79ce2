/** Seconds of a training step: a roofline over its products and memory traffic, above what its host needs to start the kernels. */

import type { DeviceFacts } from '../devices/hardware.ts';
import type { TimeEstimate } from '../forecast.ts';
import type { BlockShape, ModelShape } from '../models/model-shape.ts';
import { countAdapterParameters, countParameters } from '../models/parameter-counts.ts';
import type { RunShape } from '../run-shape.ts';
import { type BlockWork, blockWork, computeBytes, type Product } from './block-work.ts';
import { communicationSeconds } from './time-communication.ts';
import { TIME_CONSTANTS as K } from './time-constants.ts';
import type { TokenLoad } from './token-load.ts';

/** What the terms of a step are taken from. */
interface Rates {
  /** Operations a second of large products. */
  ops: number;
  /** The same of fused attention. */
  attention_ops: number;
  /** Bytes a second of memory that kernels reach. */
  bytes: number;
  /** Bytes of a number in the arithmetic. */
  width: number;
}

/** Forward, backward to the inputs, backward to the weights, and the second forward of checkpointing. */
interface Passes {
  forward: number;
  /** Products through matrices that stay as they are. */
  frozen: number;
  /** Products through matrices that are trained. */
  trained: number;
}

/**
 * Foretells a step's seconds (2 operations a weight and token in each pass: Kaplan et al., arXiv 2001.08361, table 1) on `gpus` devices.
 * Of tokens, `load` says how many a row has on average. The interval is the formula's own, without evidence of any run.
 */
export function estimateTime(model: ModelShape, run: RunShape, device: DeviceFacts, load: TokenLoad): TimeEstimate {
  const assumptions: string[] = [];
  const rates = ratesOf(run, device, assumptions);
  const micro_s = microStep(model, run, device, load, rates);
  const trainable = trainableParameters(model, run);
  const optimizer_s = optimizerSeconds(run, rates, trainable);
  const withLink = (link: number): number => {
    const exchanged = communicationSeconds(model, run, { ...device, link }, trainable, micro_s);
    return run.grad_accum * (micro_s + exchanged.each_pass) + exchanged.each_step + optimizer_s;
  };
  const seconds = withLink(device.link);
  const times = device.link < K.uncertain_link.below ? K.uncertain_link.times : 1;
  const tokens = run.gpus * run.grad_accum * run.micro_batch * load.tokens;
  const spread = spreadOf(run, device);
  if (device.kind === 'cpu') {
    const giga = Math.round(device.fp32_flops / 1e9);
    assumptions.push(
      `The processor is counted with ${giga} billion fp32 operations a second: say its cores, or measure, for better.`,
    );
  }
  if (load.padded > load.tokens)
    assumptions.push('Tokens a second are those of the texts: what pads them to one length takes time and is not counted.');
  return {
    seconds_per_step: seconds,
    tokens_per_second: tokens / seconds,
    low_seconds: withLink(device.link * times) / spread,
    high_seconds: withLink(device.link / times) * spread,
    assumptions,
  };
}

function ratesOf(run: RunShape, device: DeviceFacts, assumptions: string[]): Rates {
  const no_bf16 = run.precision === 'bf16' && device.bf16_flops === null;
  if (no_bf16) assumptions.push(`${device.name} has no bf16: counted as fp16.`);
  const ops = { fp32: device.fp32_flops, fp16: device.fp16_flops, bf16: device.bf16_flops ?? device.fp16_flops }[run.precision];
  const reached = ops * device.efficiency;
  return {
    ops: reached,
    attention_ops: reached * device.attention_share,
    bytes: device.bandwidth * K.bandwidth_share,
    width: computeBytes(run.precision),
  };
}

function passesOf(run: RunShape): Passes {
  const again = run.gradient_checkpointing ? 1 : 0;
  return { forward: 1 + again, frozen: 2 + again, trained: 3 + again };
}

/** Forward and backward of one micro-batch on one device. */
function microStep(model: ModelShape, run: RunShape, device: DeviceFacts, load: TokenLoad, rates: Rates): number {
  const passes = passesOf(run);
  const blocks = model.blocks.reduce((sum, block) => {
    const work = blockWork(block, model, run, load);
    const busy = blockSeconds(work, run, passes, rates);
    const launched =
      work.kernels *
      (passes.forward + K.backward_kernels) *
      device.launch_s *
      (run.compile ? K.compiled_launch : 1) *
      (run.strategy === 'zero3' ? K.zero3_launch : 1);
    return sum + block.count * (Math.max(busy, launched) + dequantizeSeconds(block, run, rates));
  }, 0);
  return blocks + headSeconds(model, run, load, rates);
}

function blockSeconds(work: BlockWork, run: RunShape, passes: Passes, rates: Rates): number {
  const products = work.products.reduce((sum, product) => sum + productSeconds(product, rates), 0);
  const moved =
    work.traffic * (run.compile || run.switches.fused_kernels ? K.compiled_traffic : 1) * (passes.forward + 2) * K.traffic_scale;
  const fixed = work.fixed_traffic * passes.forward;
  // Backward through attention: 2.5 times its forward (FlashAttention-2, arXiv 2307.08691, section 4.1).
  const attention = (work.attention_ops * (passes.forward + 2.5)) / rates.attention_ops;
  const adapters = (work.adapter_ops * passes.trained) / rates.ops;
  const each = run.method === 'full' ? passes.trained : passes.frozen;
  return products * each + adapters + attention + (moved + fixed) / rates.bytes;
}

/** One product: its operations, or its matrix and activations through memory where that is longer. */
function productSeconds({ inputs, outputs, copies, tokens }: Product, { ops, bytes, width }: Rates): number {
  const counted = (2 * inputs * outputs * tokens) / ops;
  const moved = (width * (inputs * outputs + tokens * (inputs + outputs))) / bytes;
  return copies * Math.max(counted, moved);
}

/** Quantized matrices become 16-bit ones in every pass that needs them: additive, however many tokens there are. */
function dequantizeSeconds(block: BlockShape, run: RunShape, rates: Rates): number {
  if (run.quantization === 'none') return 0;
  const weights = block.linears.reduce(
    (sum, { inputs, outputs, count, is_module }) => sum + (is_module ? inputs * outputs * count : 0),
    0,
  );
  const passes = run.gradient_checkpointing ? 3 : 2;
  return (passes * K.dequantized_bytes[run.quantization] * weights * K.dequantize_scale) / rates.bytes;
}

/** The head and the loss over its logits, with what embeds the tokens. */
function headSeconds(model: ModelShape, run: RunShape, load: TokenLoad, rates: Rates): number {
  const all = run.micro_batch * load.padded;
  const seen = run.switches.head_on_trained_only ? run.micro_batch * load.tokens * load.trained_share : all;
  const product = productSeconds({ inputs: model.hidden, outputs: model.vocab, copies: 1, tokens: seen }, rates);
  const logits = (seen * model.vocab * K.logit_traffic[run.loss]) / rates.bytes;
  return product * (run.method === 'full' ? 3 : 2) + logits;
}

function trainableParameters(model: ModelShape, run: RunShape): number {
  if (run.adapter === null) return countParameters(model).total;
  const counted = countAdapterParameters(model, run.adapter, run.method === 'dora');
  return counted.ok ? counted.params : 0;
}

/** Gradients clipped and weights moved: memory traffic over all that is trained. */
function optimizerSeconds(run: RunShape, rates: Rates, trainable: number): number {
  const width = run.adapter === null ? (run.weights_dtype === 'fp32' ? 4 : 2) : run.adapter.dtype === 'fp32' ? 4 : 2;
  const sharded = run.strategy === 'none' || run.strategy === 'ddp' ? 1 : run.gpus;
  return ((trainable / sharded) * width * K.optimizer_passes[run.optimizer]) / (rates.bytes * K.optimizer_share);
}

/** By what the figure may be off, either way, from the 5th to the 95th percentile. */
function spreadOf(run: RunShape, device: DeviceFacts): number {
  const by_evidence = device.stacks >= 3 ? K.spread.several : device.stacks > 0 ? K.spread.one : K.spread.none;
  const unusual = run.method === 'dora' || run.quantization === 'int8' || run.compile || run.gpus > 1;
  return unusual ? by_evidence * K.spread.unusual : by_evidence;
}
