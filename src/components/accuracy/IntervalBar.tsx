import { classNames } from '#/components/class-names.ts';

interface IntervalBarProps {
  foretold: { figure: number; low: number; high: number };
  /** null: not measured yet. */
  measured: number | null;
}

/** The interval on its track, with the figure in it and what was measured. It only shows what words beside it say. */
export function IntervalBar({ foretold: { figure, low, high }, measured }: IntervalBarProps) {
  const ends = [low, high, ...(measured === null ? [] : [measured])];
  const [least, most] = [Math.min(...ends), Math.max(...ends)];
  const room = Math.max(most - least, most * 0.05) * 0.25;
  const from = Math.max(0, least - room);
  const at = (value: number) => `${(100 * (value - from)) / Math.max(most + room - from, Number.MIN_VALUE)}%`;
  const covered = measured !== null && measured >= low && measured <= high;
  return (
    <div aria-hidden className="relative my-2 h-2 rounded-full bg-sunken">
      <div
        className="absolute inset-y-0 min-w-0.5 rounded-full bg-accent/25"
        style={{ left: at(low), right: `calc(100% - ${at(high)})` }}
      />
      <div className="absolute -inset-y-0.5 w-0.5 -translate-x-1/2 bg-accent" style={{ left: at(figure) }} />
      {measured !== null && (
        <div
          className={classNames(
            'absolute top-1/2 size-3 -translate-x-1/2 -translate-y-1/2 rounded-full border-2 border-panel',
            covered ? 'bg-ink' : 'bg-copper',
          )}
          style={{ left: at(measured) }}
        />
      )}
    </div>
  );
}
