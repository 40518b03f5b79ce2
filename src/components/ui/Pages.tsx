import { ChevronLeft, ChevronRight } from 'lucide-react';
import { formatCount } from '#/components/units.ts';
import { Button } from './Button.tsx';

interface PagesProps {
  /** From 1. */
  page: number;
  pages: number;
  onPage(page: number): void;
}

/** Leads through the pages of a list; nothing where there is one page only. */
export function Pages({ page, pages, onPage }: PagesProps) {
  if (pages <= 1) return null;
  return (
    <nav aria-label="Pages" className="flex items-center justify-end gap-2 border-t px-4 py-2 text-soft text-sm">
      Page {formatCount(page)} of {formatCount(pages)}
      <Button size="icon" aria-label="Newer" disabled={page <= 1} onClick={() => onPage(page - 1)}>
        <ChevronLeft aria-hidden />
      </Button>
      <Button size="icon" aria-label="Older" disabled={page >= pages} onClick={() => onPage(page + 1)}>
        <ChevronRight aria-hidden />
      </Button>
    </nav>
  );
}
