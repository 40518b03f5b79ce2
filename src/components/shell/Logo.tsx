/** Two factors of a low-rank matrix, one tall and one wide: they make an L. */
export function Logo({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 20 20" aria-hidden="true" className={className}>
      <rect x="2" y="1.5" width="5" height="17" rx="1" fill="var(--color-accent)" />
      <rect x="9" y="13.5" width="9.5" height="5" rx="1" fill="var(--color-copper)" />
    </svg>
  );
}

export function Wordmark() {
  return (
    <span className="flex items-center gap-2 font-semibold text-lg tracking-tight">
      <Logo className="size-5" />
      Lowrank
    </span>
  );
}
