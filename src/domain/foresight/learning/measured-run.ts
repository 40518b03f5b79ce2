/** What a run measured of itself, from the words of its trainer, and how far that lies from what was foretold. */
import * as z from 'zod';
import { findDevice } from '../devices/known-devices.ts';
import { StoredForecast } from './observed-run.ts';

const figure = z.number().positive().nullable();

/** What one run measured. Null: it did not. */
export const MeasuredRun = z.object({
  /** Where it ran: the catalogue's name of the device, or its driver's where that is none of ours. */
  gpu: z.string(),
  stack_version: z.string(),
  /** Bytes that tensors took at most, that the allocator held, and that the device held; the last is the process on a CPU. */
  allocated_bytes: figure,
  reserved_bytes: figure,
  device_bytes: figure,
  /** It ran out of the device's memory, and all that there is of it, in bytes, was too little. */
  at_least_bytes: figure,
  seconds_per_step: figure,
  /** Of all attempts together, and US dollars for them; of a completed job alone. */
  hours: z.number().min(0).nullable(),
  cost: z.number().min(0).nullable(),
});
export type MeasuredRun = z.infer<typeof MeasuredRun>;

/** One line of a trainer as the job's events keep it. */
export interface TrainerWord {
  attempt: number;
  type: string;
  data: Record<string, unknown>;
}

const megabytes = z.number().min(0).nullable();
/** Of each line what is looked at here; whatever else it says is its own affair. */
const Hello = z.object({
  versions: z.record(z.string(), z.string()),
  device: z.enum(['cpu', 'cuda']),
  gpus: z.array(z.object({ name: z.string(), memory_mb: z.number().min(0) })),
});
const Probe = z.object({
  longest_pass_tokens: z.number().min(0),
  peak_allocated_mb: megabytes,
  peak_reserved_mb: megabytes,
  device_memory_mb: z.number().min(0),
  expected_seconds_per_step: z.number().min(0),
});
const Done = z.object({ summary: z.object({ peak_memory_mb: z.number().min(0), peak_reserved_mb: megabytes }) });
const Fault = z.object({ code: z.string() });

/** The types of events that `measureRun` reads. */
export const MEASURING_WORDS = ['hello', 'probe', 'done', 'error'] as const;

const STACK = ['torch', 'transformers', 'peft', 'bitsandbytes'];

/** The libraries that decide bytes and seconds, to their minor version, and the trainer: runs under another are another kind. */
export function stackVersion(versions: Record<string, string>): string {
  const libraries = STACK.flatMap((name) => {
    const [minor] = /^\d+\.\d+/.exec(versions[name] ?? '') ?? [];
    return minor === undefined ? [] : [`${name} ${minor}`];
  });
  return [...libraries, ...(versions.trainer === undefined ? [] : [`trainer ${versions.trainer}`])].join(', ');
}

/**
 * What a job's run measured: of the attempt that met the largest pass, for an attempt that went on from a checkpoint may meet no such
 * again. `whole`: what all attempts took together, of a training that went to its end. Null when none came as far as to say where it ran.
 */
export function measureRun(words: readonly TrainerWord[], whole: { hours: number; cost: number } | null): MeasuredRun | null {
  const attempts = [...new Set(words.map(({ attempt }) => attempt))].map((attempt) => measureAttempt(words, attempt));
  const best = attempts.flatMap((one) => one ?? []).toSorted((a, b) => b.longest_pass_tokens - a.longest_pass_tokens)[0];
  if (best === undefined) return null;
  const { longest_pass_tokens: _, ...measured } = best;
  return { ...measured, hours: whole?.hours ?? null, cost: whole?.cost ?? null };
}

function measureAttempt(
  words: readonly TrainerWord[],
  attempt: number,
): (Omit<MeasuredRun, 'hours' | 'cost'> & { longest_pass_tokens: number }) | null {
  const said = <T>(type: (typeof MEASURING_WORDS)[number], schema: z.ZodType<T>): T | null => {
    const word = words.findLast((one) => one.attempt === attempt && one.type === type);
    return word === undefined ? null : (schema.safeParse(word.data).data ?? null);
  };
  const hello = said('hello', Hello);
  if (hello === null) return null;
  const [gpu] = hello.gpus;
  const on_gpu = hello.device === 'cuda' && gpu !== undefined;
  const probe = said('probe', Probe);
  const done = said('done', Done)?.summary;
  const starved = on_gpu && said('error', Fault)?.code === 'out_of_memory';
  const bytes = (...mb: (number | null | undefined)[]) => {
    const most = Math.max(...mb.map((one) => one ?? 0));
    return starved ? null : bytesOf(most);
  };
  const reserved = bytes(probe?.peak_reserved_mb, done?.peak_reserved_mb);
  // What the allocator took after the probe, the device holds besides.
  const later = on_gpu ? Math.max(0, (done?.peak_reserved_mb ?? 0) - (probe?.peak_reserved_mb ?? 0)) : 0;
  return {
    gpu: on_gpu ? (findDevice(gpu.name)?.name ?? gpu.name) : 'CPU',
    stack_version: stackVersion(hello.versions),
    allocated_bytes: on_gpu ? bytes(probe?.peak_allocated_mb, done?.peak_memory_mb) : null,
    reserved_bytes: on_gpu ? reserved : null,
    device_bytes: on_gpu
      ? bytes(probe === null ? null : probe.device_memory_mb + later)
      : bytes(probe?.device_memory_mb, done?.peak_memory_mb),
    at_least_bytes: starved ? bytesOf(gpu.memory_mb) : null,
    seconds_per_step: probe !== null && probe.expected_seconds_per_step > 0 ? probe.expected_seconds_per_step : null,
    longest_pass_tokens: probe?.longest_pass_tokens ?? 0,
  };
}

const bytesOf = (mb: number) => (mb > 0 && Number.isFinite(mb * 1e6) ? Math.round(mb * 1e6) : null);

/** ln(measured / formula) of what can be compared; the rest is null. */
export interface RunResiduals {
  memory: number | null;
  time: number | null;
  memory_at_least: number | null;
}

/** So many times more or less than the formula says is no measurement, and would bend everybody's forecasts. Our own choice. */
const RATIO_MAX = 1000;

const NOTHING: RunResiduals = { memory: null, time: null, memory_at_least: null };

/**
 * How far a run lies from what the formulas say of it. Where only the allocator was measured, its figure is held against the allocator's.
 * Of a run on another device than was asked about nothing can be said.
 */
export function residualsOf(forecast: StoredForecast, measured: MeasuredRun): RunResiduals {
  if (deviceName(forecast.gpu) !== measured.gpu) return NOTHING;
  const ln = (actual: number | null, formula: number | null | undefined) => {
    const residual = actual === null || formula == null ? null : Math.log(actual / formula);
    return residual === null || Math.abs(residual) > Math.log(RATIO_MAX) ? null : residual;
  };
  const { device_bytes, allocator_bytes, seconds_per_step } = forecast;
  return {
    memory:
      measured.device_bytes === null
        ? ln(measured.reserved_bytes, allocator_bytes)
        : ln(measured.device_bytes, device_bytes.formula),
    time: ln(measured.seconds_per_step, seconds_per_step?.formula),
    memory_at_least: ln(measured.at_least_bytes, device_bytes.formula),
  };
}

/** A device as groups of runs are named after it. */
export const deviceName = (gpu: string): string => findDevice(gpu)?.name ?? gpu;

/** What a finished job is kept as: null where nothing was foretold of it, or it never came to say where it ran. */
export function observeRun(
  config: Record<string, unknown>,
  words: readonly TrainerWord[],
  whole: Parameters<typeof measureRun>[1],
): { forecast: StoredForecast; measured: MeasuredRun; residuals: RunResiduals } | null {
  const forecast = StoredForecast.safeParse(config.forecast).data;
  const measured = measureRun(words, whole);
  if (forecast === undefined || measured === null) return null;
  return { forecast, measured, residuals: residualsOf(forecast, measured) };
}
