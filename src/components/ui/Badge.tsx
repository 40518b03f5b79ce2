import { cva, type VariantProps } from 'class-variance-authority';
import type { ComponentProps } from 'react';
import { classNames } from '#/components/class-names.ts';

const badge = cva(
  'inline-flex h-5.5 items-center gap-1.5 whitespace-nowrap rounded-sm px-1.5 font-medium text-xs [&_svg]:size-3.5',
  {
    variants: {
      tone: {
        plain: 'bg-hover text-soft',
        accent: 'bg-accent-wash text-accent',
        good: 'bg-good-wash text-good',
        warn: 'bg-warn-wash text-warn',
        bad: 'bg-bad-wash text-bad',
      },
    },
    defaultVariants: { tone: 'plain' },
  },
);
export type Tone = NonNullable<VariantProps<typeof badge>['tone']>;

export function Badge({ tone, className, ...rest }: ComponentProps<'span'> & VariantProps<typeof badge>) {
  return <span className={classNames(badge({ tone }), className)} {...rest} />;
}
