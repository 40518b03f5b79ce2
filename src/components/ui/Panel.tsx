import type { ComponentProps, ReactNode } from 'react';
import { classNames } from '#/components/class-names.ts';

interface PanelProps extends Omit<ComponentProps<'section'>, 'title'> {
  title?: ReactNode;
  /** A word beside the title. */
  aside?: ReactNode;
  /** Without room around its content, for tables and logs. */
  flush?: boolean;
}

/** One subject on its own sheet. */
export function Panel({ title, aside, flush, className, children, ...rest }: PanelProps) {
  return (
    <section className={classNames('min-w-0 rounded-lg border bg-panel shadow-lift', className)} {...rest}>
      {title !== undefined && (
        <header className="flex min-h-11 flex-wrap items-center justify-between gap-x-4 gap-y-1 border-b px-4 py-1.5">
          <h2 className="text-base">{title}</h2>
          {aside}
        </header>
      )}
      <div className={flush ? undefined : 'p-4'}>{children}</div>
    </section>
  );
}
