'use client';
import { useId } from 'react';
import { classNames } from '#/components/class-names.ts';

interface SegmentsProps<T extends string> {
  label: string;
  value: T;
  options: readonly (readonly [value: T, label: string])[];
  onChange(value: T): void;
  className?: string;
}

/** One of a few, side by side; arrow keys move within it. */
export function Segments<T extends string>({ label, value, options, onChange, className }: SegmentsProps<T>) {
  const name = useId();
  return (
    <fieldset className={classNames('inline-flex rounded-md border bg-sunken p-0.5', className)}>
      <legend className="sr-only">{label}</legend>
      {options.map(([option, text]) => (
        <label
          key={option}
          className="cursor-pointer rounded-sm border border-transparent px-2.5 text-soft text-sm leading-6 transition-colors hover:text-ink has-checked:border-line has-checked:bg-panel has-checked:text-ink has-checked:shadow-lift has-focus-visible:outline-2 has-focus-visible:outline-accent"
        >
          <input
            type="radio"
            className="sr-only"
            name={name}
            value={option}
            checked={option === value}
            onChange={() => onChange(option)}
          />
          {text}
        </label>
      ))}
    </fieldset>
  );
}
