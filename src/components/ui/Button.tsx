import { cva, type VariantProps } from 'class-variance-authority';
import { LoaderCircle } from 'lucide-react';
import Link from 'next/link';
import type { ComponentProps, ReactNode } from 'react';
import { classNames } from '#/components/class-names.ts';

const button = cva(
  'inline-flex shrink-0 items-center justify-center gap-2 whitespace-nowrap rounded-md border font-medium transition-colors disabled:opacity-55 disabled:cursor-not-allowed aria-disabled:opacity-55 aria-disabled:cursor-not-allowed [&_svg]:size-4 [&_svg]:shrink-0',
  {
    variants: {
      variant: {
        primary: 'border-transparent bg-accent text-on-accent enabled:hover:bg-accent-strong',
        secondary: 'border-edge/70 bg-panel text-ink hover:bg-hover',
        ghost: 'border-transparent text-soft hover:bg-hover hover:text-ink',
        danger: 'border-transparent bg-bad text-on-bad hover:opacity-90',
      },
      size: { md: 'h-9 px-3.5 text-base', sm: 'h-7 px-2.5 text-sm', icon: 'size-8' },
    },
    defaultVariants: { variant: 'secondary', size: 'md' },
  },
);

type Looks = VariantProps<typeof button>;

/** While `busy` it cannot be pressed again and shows that work is under way. */
export function Button({
  variant,
  size,
  busy,
  className,
  children,
  disabled,
  type = 'button',
  ...rest
}: ComponentProps<'button'> & Looks & { busy?: boolean }) {
  return (
    <button
      type={type}
      className={classNames(button({ variant, size }), className)}
      disabled={disabled || busy}
      aria-busy={busy}
      {...rest}
    >
      {busy && <LoaderCircle aria-hidden className="animate-turn" />}
      {children}
    </button>
  );
}

export function ButtonLink({ variant, size, className, ...rest }: ComponentProps<typeof Link> & Looks & { children: ReactNode }) {
  return <Link className={classNames(button({ variant, size }), className)} {...rest} />;
}

/** A link that the browser saves rather than opens. */
export function DownloadLink({ variant, size, className, children, ...rest }: ComponentProps<'a'> & Looks) {
  return (
    <a download className={classNames(button({ variant, size }), className)} {...rest}>
      {children}
    </a>
  );
}
