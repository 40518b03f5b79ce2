'use client';
import type { ComponentProps, ReactNode } from 'react';
import { Panel } from './Panel.tsx';
import { QueryFault } from './QueryFault.tsx';
import { SkeletonRows } from './Skeleton.tsx';

interface QueryPanelProps<T> extends Omit<ComponentProps<typeof Panel>, 'children'> {
  query: { data: T | undefined; error: Error | null; refetch(): unknown };
  /** What is listed, in the plural: `datasets`. */
  what: string;
  /** How many rows hold the place meanwhile, and their height. */
  rows: number;
  row?: string;
  children(data: T): ReactNode;
}

/** A list on its own sheet: while it is fetched, when it cannot be had, and as it is. */
export function QueryPanel<T>({ query, what, rows, row, children, ...panel }: QueryPanelProps<T>) {
  const { data, error, refetch } = query;
  if (error && data === undefined) return <QueryFault what={`The ${what}`} error={error} retry={refetch} />;
  const name = what.charAt(0).toUpperCase() + what.slice(1);
  return (
    <Panel flush title={name} {...panel}>
      {data === undefined ? <SkeletonRows rows={rows} label={`${name} are being fetched`} className={row} /> : children(data)}
    </Panel>
  );
}
