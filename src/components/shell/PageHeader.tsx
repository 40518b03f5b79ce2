import { ChevronLeft } from 'lucide-react';
import Link from 'next/link';
import type { ReactNode } from 'react';

interface PageHeaderProps {
  title: ReactNode;
  /** The list that this page belongs to. */
  back?: { href: string; name: string };
  /** Beside the title: a status. */
  beside?: ReactNode;
  /** Below the title: what it is, in a line. */
  children?: ReactNode;
  actions?: ReactNode;
}

export function PageHeader({ title, back, beside, children, actions }: PageHeaderProps) {
  return (
    <header className="mb-5 flex flex-wrap items-end justify-between gap-x-6 gap-y-3">
      <div className="min-w-0">
        {back && (
          <Link
            href={back.href}
            className="-ml-1 mb-1 inline-flex items-center gap-0.5 rounded-sm text-soft text-sm hover:text-ink"
          >
            <ChevronLeft aria-hidden className="size-4" />
            {back.name}
          </Link>
        )}
        <div className="flex min-h-8 flex-wrap items-center gap-x-3 gap-y-1">
          <h1 className="text-2xl [overflow-wrap:anywhere]">{title}</h1>
          {beside}
        </div>
        {children && <div className="mt-1 text-soft">{children}</div>}
      </div>
      {actions && <div className="flex flex-wrap gap-2">{actions}</div>}
    </header>
  );
}
