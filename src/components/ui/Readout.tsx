import type { ReactNode } from 'react';
import { classNames } from '#/components/class-names.ts';

export interface Reading {
  label: string;
  value: ReactNode;
  /** Smaller, after the value: a unit or a second figure. */
  note?: ReactNode;
}

/** Figures side by side as on an instrument: name above, value below, hairlines between. `foot` closes it below. */
export function Readout({ readings, foot, className }: { readings: Reading[]; foot?: ReactNode; className?: string }) {
  return (
    <div className={classNames('overflow-hidden rounded-lg border bg-panel shadow-lift', className)}>
      <dl className="-mr-px -mb-px grid grid-cols-2 sm:grid-cols-4 xl:auto-cols-fr xl:grid-flow-col xl:grid-cols-none">
        {readings.map(({ label, value, note }) => (
          <div key={label} className="min-w-0 border-r border-b px-3.5 py-2 sm:py-2.5 2xl:px-4">
            <dt className="text-soft text-xs">{label}</dt>
            <dd className="mt-0.5 flex min-h-6 flex-wrap items-baseline gap-x-1.5 font-medium text-lg">
              {value}
              {note !== undefined && <span className="font-normal text-soft text-sm">{note}</span>}
            </dd>
          </div>
        ))}
      </dl>
      {foot && <div className="border-t">{foot}</div>}
    </div>
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
