/** Errors of predictions against measured rows. */
import { median, quantile } from '../figures.ts';
import type { MeasuredRow } from './measured-row.ts';
import type { Prediction } from './predictions.ts';

export interface Judged {
  row: MeasuredRow;
  measured: number;
  foretold: number;
  /** (foretold − measured) / measured: below 0 too little was foretold. */
  error: number;
  /** Between the 5th and the 95th percentile; null: no interval was given. */
  covered: boolean | null;
  parts: string;
}

function judge(
  row: MeasuredRow,
  measured: number,
  foretold: number,
  [low, high]: [number | null, number | null],
  parts: string,
): Judged {
  const covered = low === null || high === null ? null : low <= measured && measured <= high;
  return { row, measured, foretold, error: (foretold - measured) / measured, covered, parts };
}

/** Memory by the counter that was read; the interval, which is of the device's, goes with it. null: not measured. */
export function judgeMemory(row: MeasuredRow, said: Prediction): Judged | null {
  const { memory_gb, memory_kind } = row.measured;
  if (memory_gb === undefined || memory_kind === undefined) return null;
  const foretold = said[memory_kind];
  const scaled = (bound: number | null) => (bound === null ? null : (bound * foretold) / said.device);
  return judge(row, memory_gb, foretold, [scaled(said.low), scaled(said.high)], said.parts);
}

export function judgeTime(row: MeasuredRow, said: Prediction): Judged | null {
  const { seconds_per_step } = row.measured;
  if (seconds_per_step === undefined || said.seconds === null) return null;
  return judge(row, seconds_per_step, said.seconds, [said.low_seconds, said.high_seconds], '');
}

export const SCORE_HEAD =
  '| rows | n | median | p95 | worst | mean, signed | in the interval |\n| --- | --- | --- | --- | --- | --- | --- |';

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** A line of a table: absolute relative errors, their signed mean, and how many lie in the interval. */
export function scoreLine(title: string, judged: readonly Judged[]): string {
  if (judged.length === 0) return `| ${title} | 0 | | | | | |`;
  const sizes = judged.map(({ error }) => Math.abs(error));
  const signed = judged.reduce((sum, { error }) => sum + error, 0) / judged.length;
  const bounded = judged.filter(({ covered }) => covered !== null);
  const inside = bounded.length === 0 ? '' : percent(bounded.filter(({ covered }) => covered).length / bounded.length);
  return `| ${title} | ${judged.length} | ${percent(median(sizes))} | ${percent(quantile(sizes, 0.95))} | ${percent(Math.max(...sizes))} | ${signed < 0 ? '−' : '+'}${percent(Math.abs(signed))} | ${inside} |`;
}
