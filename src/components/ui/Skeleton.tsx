import { classNames } from '#/components/class-names.ts';

/** Holds the place of what is being fetched, at its size, so that nothing jumps. */
export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden className={classNames('animate-breathe rounded-sm bg-hover', className)} />;
}

/** Several lines of it, with a word for those who cannot see them. */
export function SkeletonRows({ rows, label, className }: { rows: number; label: string; className?: string }) {
  return (
    <div role="status" className="divide-y">
      <span className="sr-only">{label}</span>
      {Array.from({ length: rows }, (_, row) => row).map((row) => (
        <div key={row} className={classNames('flex h-14 items-center gap-6 px-4', className)}>
          <Skeleton className="h-3.5 w-1/4" />
          <Skeleton className="h-3.5 w-16" />
          <Skeleton className="hidden h-3.5 flex-1 sm:block" />
          <Skeleton className="h-3.5 w-12" />
        </div>
      ))}
    </div>
  );
}
