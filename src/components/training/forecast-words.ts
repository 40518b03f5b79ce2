import type { Tone } from '#/components/ui/Badge.tsx';
import { formatDuration } from '#/components/units.ts';
import { GB } from '#/domain/bytes.ts';
import type { Range } from '#/domain/foresight/judge-run.ts';
import type { Verdict } from '#/domain/foresight/verdict.ts';

export const VERDICT_WORDS: Record<Verdict, { word: string; tone: Tone }> = {
  fits: { word: 'Fits', tone: 'good' },
  tight: { word: 'Tight', tone: 'warn' },
  will_not_fit: { word: 'Will not fit', tone: 'bad' },
};

const HOUR_MS = 3_600_000;

export const formatUsd = (usd: number): string => `$${usd.toFixed(2)}`;
/** In one piece: a line breaks between two durations, not within one. */
export const formatHours = (hours: number): string => formatDuration(hours * HOUR_MS).replaceAll(' ', '\u00a0');
export const formatGb = (bytes: number): string => (bytes / GB).toFixed(bytes < 100 * GB ? 1 : 0);

/** An interval in one unit, where it has any width when it is written: `$0.18 – $0.44`. */
export function formatBetween({ low, high }: Range, format: (value: number) => string): string | null {
  const [from, to] = [format(low), format(high)];
  return from === to ? null : `${from} – ${to}`;
}
