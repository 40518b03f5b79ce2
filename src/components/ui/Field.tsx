'use client';
import { CircleAlert } from 'lucide-react';
import { type ComponentProps, type ReactNode, useId } from 'react';
import { classNames } from '#/components/class-names.ts';

const control =
  'w-full min-w-0 rounded-md border border-edge/80 bg-panel px-2.5 text-ink transition-colors hover:border-edge aria-invalid:border-bad disabled:cursor-not-allowed disabled:bg-sunken disabled:text-soft';

export function Input({ className, ...rest }: ComponentProps<'input'>) {
  return <input className={classNames(control, 'h-9 read-only:bg-sunken', className)} {...rest} />;
}

export function Select({ className, ...rest }: ComponentProps<'select'>) {
  return <select className={classNames(control, 'h-9 pr-2', className)} {...rest} />;
}

interface FieldProps {
  label: string;
  /** A word of help below the control. */
  hint?: ReactNode;
  /** What is wrong, and the way out. */
  error?: string | undefined;
  className?: string;
  children(control: { id: string; 'aria-describedby': string | undefined; 'aria-invalid': true | undefined }): ReactNode;
}

/** A labelled control with its help, and its error beside it. */
export function Field({ label, hint, error, className, children }: FieldProps) {
  const id = useId();
  const described = [hint ? `${id}-hint` : '', error ? `${id}-error` : ''].filter(Boolean).join(' ') || undefined;
  return (
    <div className={classNames('grid content-start gap-1.5', className)}>
      <label htmlFor={id} className="font-medium text-sm">
        {label}
      </label>
      {children({ id, 'aria-describedby': described, 'aria-invalid': error ? true : undefined })}
      {error && (
        <p id={`${id}-error`} className="flex gap-1.5 text-bad text-sm">
          <CircleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
          {error}
        </p>
      )}
      {hint && (
        <p id={`${id}-hint`} className="text-soft text-sm">
          {hint}
        </p>
      )}
    </div>
  );
}
