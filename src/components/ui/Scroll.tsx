import type { ComponentProps } from 'react';

// Whoever has no mouse scrolls with the arrow keys, for which the region must take the focus.
const REACHABLE = { tabIndex: 0 } as const;

/** A region that scrolls by itself, named and within reach of the keyboard. */
export function Scroll({ label, ...rest }: ComponentProps<'section'> & { label: string }) {
  return <section aria-label={label} {...REACHABLE} {...rest} />;
}
