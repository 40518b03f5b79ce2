import Link from 'next/link';
import type { ReactNode } from 'react';
import { classNames } from '#/components/class-names.ts';

interface RowHeadsProps {
  /** Class of the columns where there is room for them. */
  columns: string;
  /** From the left; those of `right` stand over figures. */
  names: readonly string[];
  right: readonly string[];
}

/** Names over the columns of linked rows; each cell says for itself what it is to those who do not see them. */
export function RowHeads({ columns, names, right }: RowHeadsProps) {
  return (
    <div
      aria-hidden
      className={classNames('hidden h-9 items-center gap-x-5 border-b px-4 font-medium text-soft text-xs lg:grid', columns)}
    >
      {names.map((name) => (
        <span key={name} className={right.includes(name) ? 'text-right' : undefined}>
          {name}
        </span>
      ))}
    </div>
  );
}

interface LinkedRowProps {
  columns: string;
  /** null: its page is gone. */
  href: string | null;
  name: string;
  /** Below the name. */
  about: string;
  /** Stands beside the name also where there are no columns. */
  badge: ReactNode;
  /** The other cells. */
  children: ReactNode;
}

/** One row of a list, which leads to its page wherever it is pressed. */
export function LinkedRow({ columns, href, name, about, badge, children }: LinkedRowProps) {
  return (
    <li
      className={classNames(
        'relative grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-5 gap-y-1.5 px-4 py-3 transition-colors hover:bg-hover/60 has-focus-visible:bg-hover/60',
        columns,
      )}
    >
      <div className="min-w-0">
        {href === null ? (
          <p className="truncate font-medium text-soft">{name}</p>
        ) : (
          <Link href={href} prefetch={false} className="block truncate font-medium after:absolute after:inset-0">
            {name}
          </Link>
        )}
        <p className="truncate text-soft text-sm">{about}</p>
      </div>
      <div className="justify-self-end lg:justify-self-start">{badge}</div>
      {children}
    </li>
  );
}
