import type { ComponentProps } from 'react';
import { classNames } from '#/components/class-names.ts';
import { Scroll } from './Scroll.tsx';

/** Wide tables scroll inside their own frame, never the page. */
export function Table({ className, label, ...rest }: ComponentProps<'table'> & { label: string }) {
  return (
    <Scroll label={label} className="overflow-x-auto rounded-lg">
      <table className={classNames('w-full border-collapse text-left', className)} {...rest} />
    </Scroll>
  );
}

export function Th({ className, ...rest }: ComponentProps<'th'>) {
  return (
    <th
      scope="col"
      className={classNames('h-9 whitespace-nowrap border-b px-4 font-medium text-soft text-xs', className)}
      {...rest}
    />
  );
}

export function Td({ className, ...rest }: ComponentProps<'td'>) {
  return <td className={classNames('border-b px-4 py-2.5 align-middle group-last:border-b-0', className)} {...rest} />;
}
