'use client';
import { formatExact, formatRelative } from '#/components/units.ts';
import { useNow } from '#/hooks/useNow.ts';

/** An instant as people say it; the exact one shows on hover. */
export function Time({ at }: { at: string }) {
  const instant = Date.parse(at);
  const now = useNow(instant > Date.now() - 120_000 ? 5_000 : 30_000);
  return (
    <time dateTime={at} title={formatExact(instant)} className="whitespace-nowrap">
      {formatRelative(instant, now)}
    </time>
  );
}
