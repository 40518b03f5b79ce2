/** What a run needs and takes on a device: the formulas' figures, moved and narrowed by what runs have measured. */

import type { DeviceFacts } from './devices/hardware.ts';
import type { Correction, Factor, MemoryEstimate, TimeEstimate } from './forecast.ts';
import { type Corrections, correctionOf } from './learning/correction.ts';
import type { RunFeatures } from './learning/observed-run.ts';
import { estimateMemory } from './memory/estimate-memory.ts';
import type { ModelShape } from './models/model-shape.ts';
import { countParameters } from './models/parameter-counts.ts';
import type { RunShape } from './run-shape.ts';
import { estimateTime } from './time/estimate-time.ts';
import { GUESSED_WITHIN, guessedLengths, type RowLengths } from './time/row-lengths.ts';
import { loadOf, type TokenLoad } from './time/token-load.ts';
import { usableBytes, type Verdict, verdictOf } from './verdict.ts';

/** Devices of one kind, with their price in US dollars an hour for one. */
export interface ForeseenDevice {
  type: string;
  count: number;
  hourly_rate: number;
  /** The catalogue's, of one: for a model that nothing is known of. */
  tokens_per_second: number;
  /** null: the planner does not know such a device. */
  facts: DeviceFacts | null;
}

/** A figure between the 5th and the 95th percentile of what it may be. */
export interface Range {
  figure: number;
  low: number;
  high: number;
}

/** Everything that memory and speed hang on. */
export interface KnownRun {
  model: ModelShape;
  run: RunShape;
  facts: DeviceFacts;
  /** null: not counted, so that a row may be as long as the limit; how long they are on average, the file's size tells. */
  lengths: RowLengths | null;
  size: { bytes: number; rows: number };
  /** Share of all tokens that the loss is taken on; memory counts with a batch where it is on every one. */
  trained_share: number;
  corrections: Corrections;
  assumptions: string[];
}

export interface JudgedRun {
  run: RunShape;
  device: DeviceFacts;
  features: RunFeatures;
  /** By the formulas alone. */
  memory: MemoryEstimate;
  time: TimeEstimate;
  correction: Correction;
  /** Of one device; bytes. */
  device_bytes: Range;
  seconds_per_step: Range;
  /** All devices together. */
  tokens_per_second: number;
  samples_per_second: number;
  verdict: Verdict;
}

/** Tokens of the longest row as it lies in a batch: cut, and padded. */
export function longestRow(lengths: RowLengths | null, limit: number, { pads_to }: RunShape['switches']): number {
  return Math.ceil(Math.min(lengths?.max ?? limit, limit) / pads_to) * pads_to;
}

/** How many tokens its batches have, on average. */
export function loadOfRun({ lengths, size, trained_share }: KnownRun, run: RunShape): TokenLoad {
  return loadOf(lengths ?? guessedLengths(size), run, trained_share);
}

/** What a run needs and takes, corrected by what was measured. */
export function judgeRun(known: KnownRun, run: RunShape): JudgedRun {
  const { model, facts, corrections } = known;
  const load = loadOfRun(known, run);
  const memory = estimateMemory(model, run, facts);
  const time = estimateTime(model, run, facts, load);
  const features = featuresOf(model, run, load);
  const correction = correctionOf(
    {
      memory: { low: memory.low_bytes / memory.device_bytes, high: memory.high_bytes / memory.device_bytes },
      time: { low: time.low_seconds / time.seconds_per_step, high: time.high_seconds / time.seconds_per_step },
    },
    corrections,
    { gpu: facts.name, kind: facts.kind, features },
  );
  const device_bytes = refusedByItsOwn(memory, corrected(memory.device_bytes, correction.memory), correction.memory, facts);
  return {
    run,
    device: facts,
    features,
    memory,
    time,
    correction,
    device_bytes,
    seconds_per_step: corrected(time.seconds_per_step, known.lengths === null ? uncounted(correction.time) : correction.time),
    tokens_per_second: time.tokens_per_second / correction.time.factor,
    samples_per_second: (run.micro_batch * run.grad_accum * run.gpus) / (time.seconds_per_step * correction.time.factor),
    verdict: verdictOf({ low_bytes: device_bytes.low, high_bytes: device_bytes.high }, facts),
  };
}

/**
 * Only the formulas and a measurement of the very run refuse it. One that went out of memory (a neighbour on the GPU is enough) and what
 * others' runs say may make it tight: they lift the lower end to what the device has, and no further.
 */
function refusedByItsOwn(formula: MemoryEstimate, range: Range, { same }: Factor, device: DeviceFacts): Range {
  const usable = usableBytes(device);
  return same || formula.low_bytes > usable ? range : { ...range, low: Math.min(range.low, usable) };
}

const corrected = (figure: number, { factor, low, high }: Factor): Range => ({
  figure: figure * factor,
  low: figure * low,
  high: figure * high,
});

/** With tokens that are guessed by the file's size the interval is wider, unless runs that equal this one have told its seconds. */
function uncounted(factor: Factor): Factor {
  if (factor.same) return factor;
  const wider = (bound: number) => Math.exp(Math.hypot(Math.log(bound / factor.factor), Math.log(GUESSED_WITHIN)));
  return { ...factor, low: factor.factor / wider(factor.low), high: factor.factor * wider(factor.high) };
}

/** What of a run says whether another was like it. */
function featuresOf(model: ModelShape, run: RunShape, load: TokenLoad): RunFeatures {
  const { adapter } = run;
  return {
    method: run.method,
    quantization: run.quantization,
    family: model.family,
    parameters: countParameters(model).total,
    rank: adapter?.rank ?? null,
    targets: adapter === null ? null : typeof adapter.targets === 'string' ? adapter.targets : adapter.targets.join(','),
    adapter_dtype: adapter?.dtype ?? null,
    tokens_worst: run.micro_batch * run.seq_len,
    tokens_mean: Math.round(run.micro_batch * load.padded),
    micro_batch: run.micro_batch,
    grad_accum: run.grad_accum,
    gradient_checkpointing: run.gradient_checkpointing,
    optimizer: run.optimizer,
    attention: run.attention,
    loss: run.loss,
    precision: run.precision,
    weights_dtype: run.weights_dtype,
    packing: run.packing,
    compile: run.compile,
    gpus: run.gpus,
    strategy: run.strategy,
  };
}
