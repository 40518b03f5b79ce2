import { formatBytes, GB, MB } from './bytes.ts';
import type { Forecast } from './foresight/foresee.ts';
import type { Verdict } from './foresight/verdict.ts';

/** What is said of a training's memory and speed, before it runs. */
export interface VramBreakdown {
  model_params_gb: number | null;
  activations_gb: number | null;
  gradients_gb: number | null;
  optimizer_gb: number | null;
  total_with_buffer_gb: number | null;
}

/** What a memory model says of a training that has no error; it may add errors of its own. */
export interface MemoryFigures {
  estimated_vram_mb: number | null;
  vram_breakdown: VramBreakdown;
  time_per_step_ms: number | null;
  throughput: { samples_per_second: number | null; tokens_per_second: number | null };
  verdict: Verdict | null;
  interval_mb: { low: number; high: number } | null;
  advice: string[];
  /** Finished runs that the figures stand on. */
  evidence: { runs: number };
  warnings: string[];
  errors: string[];
}

/** Where model or device are not known: nothing is known, and that is said. */
export const UNKNOWN_MEMORY: MemoryFigures = {
  estimated_vram_mb: null,
  vram_breakdown: {
    model_params_gb: null,
    activations_gb: null,
    gradients_gb: null,
    optimizer_gb: null,
    total_with_buffer_gb: null,
  },
  time_per_step_ms: null,
  throughput: { samples_per_second: null, tokens_per_second: null },
  verdict: null,
  interval_mb: null,
  advice: [],
  evidence: { runs: 0 },
  warnings: ['Memory and speed are not known, of this model or this device: whether it fits shows when it starts.'],
  errors: [],
};

const inMb = (bytes: number): number => Math.round(bytes / MB);
const inGb = (bytes: number): number => Number((bytes / GB).toFixed(3));

/** A forecast's figures, of one device, as the doors tell them. */
export function memoryFigures({ foreseen, plan, evidence }: Forecast): MemoryFigures {
  if (foreseen === null) return UNKNOWN_MEMORY;
  const { components } = foreseen.memory;
  const { device_bytes, seconds_per_step, verdict } = foreseen;
  const why = misfit(foreseen);
  return {
    estimated_vram_mb: inMb(device_bytes.figure),
    vram_breakdown: {
      model_params_gb: inGb(components.weights + components.adapter),
      activations_gb: inGb(components.activations + components.logits),
      gradients_gb: inGb(components.gradients),
      optimizer_gb: inGb(components.optimizer),
      total_with_buffer_gb: inGb(device_bytes.figure),
    },
    time_per_step_ms: Number((seconds_per_step.figure * 1000).toPrecision(4)),
    throughput: {
      samples_per_second: Number(foreseen.samples_per_second.toPrecision(4)),
      tokens_per_second: Number(foreseen.tokens_per_second.toPrecision(4)),
    },
    verdict,
    interval_mb: { low: inMb(device_bytes.low), high: inMb(device_bytes.high) },
    advice: foreseen.advice.map(({ sentence }) => sentence),
    evidence,
    warnings: [
      ...(verdict === 'tight' ? [`Memory is tight: ${why}`] : []),
      ...(plan.gradient_checkpointing
        ? [`Gradient checkpointing is on, and each pass takes ${plan.micro_batch} of its rows: else it would not fit.`]
        : []),
    ],
    errors: verdict === 'will_not_fit' ? [`It does not fit: ${why}`] : [],
  };
}

/** What a run needs against what its device has, and what would make it fit, in sentences. */
export function misfit({ device_bytes, device, advice }: NonNullable<Forecast['foreseen']>): string {
  const need = `${formatBytes(device_bytes.low)} to ${formatBytes(device_bytes.high)} on each ${device.name}, which has ${formatBytes(device.memory_bytes)}.`;
  const way = advice.find(({ available, verdict }) => available && verdict === 'fits');
  return way === undefined ? need : `${need} ${way.sentence}`;
}
