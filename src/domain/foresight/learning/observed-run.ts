/** What was foretold of a run as it is kept with its job, so that what it measures can be held against it. */
import * as z from 'zod';
import {
  ADAPTER_DTYPES,
  ATTENTIONS,
  LOSSES,
  OPTIMIZERS,
  PRECISIONS,
  QUANTIZATIONS,
  RUN_METHODS,
  STRATEGIES,
} from '../run-shape.ts';

/**
 * Which formulas a forecast was made with. Whoever changes a constant or a term of memory or time raises it: what runs say of
 * other formulas corrects none of these.
 */
export const FORMULAS = 2;

const count = z.int().min(0);
const positive = z.number().positive();

/** All of a run that changes bytes or seconds a step, in numbers and words of our own: no name that somebody gave is in it. */
export const RunFeatures = z.object({
  method: z.enum(RUN_METHODS),
  quantization: z.enum(QUANTIZATIONS),
  /** `model_type` of config.json */
  family: z.string().max(100),
  parameters: count,
  /** Of the adapter; null: every weight is trained. */
  rank: count.nullable(),
  targets: z.string().max(1000).nullable(),
  adapter_dtype: z.enum(ADAPTER_DTYPES).nullable(),
  /** In one forward pass of one device, padding and all: at most, and on average. */
  tokens_worst: count,
  tokens_mean: count,
  micro_batch: count,
  grad_accum: count,
  gradient_checkpointing: z.boolean(),
  optimizer: z.enum(OPTIMIZERS),
  attention: z.enum(ATTENTIONS),
  loss: z.enum(LOSSES),
  precision: z.enum(PRECISIONS),
  weights_dtype: z.enum(PRECISIONS),
  packing: z.boolean(),
  compile: z.boolean(),
  gpus: count,
  strategy: z.enum(STRATEGIES),
});
export type RunFeatures = z.infer<typeof RunFeatures>;

const FEATURES = RunFeatures.keyof().options;

/**
 * A short name of features that are equal, the same in browser and server: 16 hexadecimal digits. FNV-1a twice over, from two
 * offsets (Fowler, Noll, Vo; draft-eastlake-fnv): it has to tell one person's runs apart and hides nothing.
 */
export function featureKey(features: RunFeatures): string {
  const text = JSON.stringify(FEATURES.map((name) => features[name]));
  return [0x811c9dc5, 0x01000193].map((offset) => fnv1a(text, offset).toString(16).padStart(8, '0')).join('');
}

function fnv1a(text: string, offset: number): number {
  let hash = offset;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return hash;
}

/** A figure with the interval that nine of ten truths lie in. */
const Range = z.object({ figure: z.number().min(0), low: z.number().min(0), high: z.number().min(0) });

/** The same of what is learnt, with what it stands on: see `Factor`. */
const Foretold = z.object({
  figure: positive,
  low: positive,
  high: positive,
  /** Before any run corrected it: what residuals are taken against. */
  formula: positive,
  runs: count,
  near: count,
  same: z.boolean(),
});
export type Foretold = z.infer<typeof Foretold>;

/** `forecast` of a job's stored configuration, written with the job. Null: there is nothing to count it with. */
export const StoredForecast = z.object({
  formulas: z.int(),
  /** The device that was asked about: the catalogue's name. */
  gpu: z.string().max(200),
  features: RunFeatures,
  /** Bytes that the allocator reserves at most. */
  allocator_bytes: positive,
  /** Bytes that the device holds at most. */
  device_bytes: Foretold,
  seconds_per_step: Foretold.nullable(),
  hours: Range.nullable(),
  /** US dollars for all devices, storage included */
  cost: Range.nullable(),
});
export type StoredForecast = z.infer<typeof StoredForecast>;

/** The same of any model: runs of image models correct nothing yet, and have no features. */
export const ToldForecast = StoredForecast.extend({ features: RunFeatures.nullable() });
export type ToldForecast = z.infer<typeof ToldForecast>;

/** What was foretold of a job, read from its stored configuration; null where nothing was, or in no form that we know. */
export function forecastOf(config: Record<string, unknown>): ToldForecast | null {
  if (config.forecast === undefined) return null;
  return ToldForecast.safeParse(config.forecast).data ?? null;
}
