/** Seed catalogue: price in US dollars an hour and the throughput assumed when no model is known, in tokens a second a GPU. */
export const GPU_CONFIGURATIONS = {
  'A100-80GB': { hourly_rate: 3.5, tokens_per_second: 1800 },
  'A100-40GB': { hourly_rate: 2.8, tokens_per_second: 1500 },
  H100: { hourly_rate: 4.2, tokens_per_second: 2200 },
  'V100-32GB': { hourly_rate: 2.1, tokens_per_second: 1200 },
  CPU: { hourly_rate: 0, tokens_per_second: 40 },
} as const;
export type GpuType = keyof typeof GPU_CONFIGURATIONS;

const ALIASES: Record<string, GpuType> = { a100: 'A100-80GB', v100: 'V100-32GB' };

/** The catalogue's own name for what a client wrote (case does not matter), or null. */
export function findGpuType(name: string): GpuType | null {
  const lower = name.toLowerCase();
  return ALIASES[lower] ?? (Object.keys(GPU_CONFIGURATIONS) as GpuType[]).find((type) => type.toLowerCase() === lower) ?? null;
}
