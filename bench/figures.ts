/** A quantile of measured values, by the nearest rank. */
export function quantile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? Number.NaN;
}

export function median(values: number[]): number {
  return quantile(values, 0.5);
}

export const ms = (value: number): string => `${value < 10 ? value.toFixed(2) : value.toFixed(1)} ms`;

/** One line of the table that a bench prints and docs/benchmarks.md keeps. */
export interface Figure {
  what: string;
  value: string;
}

export function printFigures(title: string, figures: Figure[]): void {
  console.log(`\n### ${title}\n\n| figure | value |\n| --- | --- |`);
  for (const { what, value } of figures) console.log(`| ${what} | ${value} |`);
}
