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
  verdict: 'fits' | 'tight' | 'will_not_fit' | null;
  interval_mb: { low: number; high: number } | null;
  advice: string[];
  /** Finished runs that the figures stand on. */
  evidence: { runs: number };
  warnings: string[];
  errors: string[];
}

/** Where no memory model is asked: nothing is known, and that is said. */
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
  warnings: ['Memory and speed are not estimated: whether it fits shows when it starts.'],
  errors: [],
};

/** The part of it that an estimate carries, too. */
export type MemoryVerdict = Pick<MemoryFigures, 'verdict' | 'interval_mb' | 'advice' | 'evidence'>;
