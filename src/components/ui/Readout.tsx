import type { ReactNode } from 'react';
import { classNames } from '#/components/class-names.ts';

export interface Reading {
  label: string;
  value: ReactNode;
  /** Smaller, after the value: a unit or a second figure. */
  note?: ReactNode;
}

/** Figures side by side as on an instrument: name above, value below, hairlines between. */
export function Readout({ readings, className }: { readings: Reading[]; className?: string }) {
  return (
    <dl
      className={classNames(
        'grid grid-cols-2 gap-px overflow-hidden rounded-lg border bg-line shadow-lift sm:grid-cols-[repeat(auto-fit,minmax(8.5rem,1fr))]',
        className,
      )}
    >
      {readings.map(({ label, value, note }) => (
        <div key={label} className="min-w-0 bg-panel px-4 py-2.5">
          <dt className="text-soft text-xs">{label}</dt>
          <dd className="mt-0.5 flex min-h-6 flex-wrap items-baseline gap-x-1.5 font-medium text-lg">
            {value}
            {note !== undefined && <span className="font-normal text-soft text-sm">{note}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Names and values in two columns, for settings and facts. */
export function Facts({ facts, className }: { facts: [label: string, value: ReactNode][]; className?: string }) {
  return (
    <dl className={classNames('grid grid-cols-[max-content_minmax(0,1fr)] gap-x-5 gap-y-1.5', className)}>
      {facts.map(([label, value]) => (
        <div key={label} className="col-span-2 grid grid-cols-subgrid">
          <dt className="text-soft">{label}</dt>
          <dd className="min-w-0 [overflow-wrap:anywhere]">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
