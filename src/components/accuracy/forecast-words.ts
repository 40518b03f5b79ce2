/** How forecasts are told: a range with one unit, and what it stands on. */
import { formatCount, formatDuration, formatOf } from '#/components/units.ts';
import type { AccuracyPoint } from '#/contract/accuracy.ts';
import { formatBytes } from '#/domain/bytes.ts';
import type { Foretold } from '#/domain/foresight/learning/observed-run.ts';

/** `7.90 GB` and `8.60 GB` → `7.90–8.60 GB`; what is the same is said once. */
export function rangeWords(low: string, high: string): string {
  if (low === high) return low;
  const [, figure, unit] = /^([\d.,]+) (\D+)$/.exec(low) ?? [];
  return unit !== undefined && high.endsWith(` ${unit}`) ? `${figure}–${high}` : `${low} – ${high}`;
}

export const memoryWords = formatBytes;

/** Seconds of one step, to three digits. */
export const stepWords = (seconds: number): string =>
  `${seconds >= 100 ? formatCount(seconds) : Number(seconds.toPrecision(3))} s`;

export const hoursWords = (hours: number): string => formatDuration(hours * 3_600_000);

export const costWords = (usd: number): string => `$${usd.toFixed(2)}`;

const METHODS = { lora: 'LoRA', qlora: 'QLoRA', dora: 'DoRA', full: 'Full fine-tune' } as const;
export const methodWords = (method: keyof typeof METHODS): string => METHODS[method];

/** What a figure stands on, after a comma. */
export function standsOn({ runs, near, same }: Pick<Foretold, 'runs' | 'near' | 'same'>): string {
  if (same) return runs === 1 ? 'from a run of yours that equals it' : `from ${formatCount(runs)} runs of yours that equal it`;
  if (runs > 0) return `from ${formatOf(runs, 'run')} like this`;
  if (near > 0) return `by formula and ${formatOf(near, 'other run')} on this device`;
  return 'by formula alone';
}

/** How many of all lay in their interval; null of none. */
export function coverageOf(figures: readonly { runs: number; covered: number }[]): { runs: number; covered: number } | null {
  const runs = figures.reduce((sum, one) => sum + one.runs, 0);
  return runs === 0 ? null : { runs, covered: figures.reduce((sum, one) => sum + one.covered, 0) };
}

/** Where a run's job is told of; null where it was deleted since. */
export const jobPage = ({ job }: Pick<AccuracyPoint, 'job'>): string | null => (job === null ? null : `/jobs/${job.id}`);
