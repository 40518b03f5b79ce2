'use client';
import Link from 'next/link';
import { Alert } from '#/components/ui/Alert.tsx';
import { QueryFault } from '#/components/ui/QueryFault.tsx';
import { Skeleton } from '#/components/ui/Skeleton.tsx';
import { PageHeader } from './PageHeader.tsx';

interface AbsentProps {
  /** What the page is of: `job`. */
  what: string;
  /** The list that it would be in. */
  back: { href: string; name: string };
  missing: boolean;
  error: Error | null;
  retry(): unknown;
}

/** The page of one thing that cannot be shown: not there, not to be had, or still being fetched. */
export function Absent({ what, back, missing, error, retry }: AbsentProps) {
  if (missing) {
    return (
      <>
        <PageHeader title={`No such ${what}`} back={back} />
        <Alert tone="warn" title={`There is no ${what} here that you may see.`}>
          It may have been deleted, or its address was cut short.{' '}
          <Link href={back.href} className="font-medium text-accent underline">
            All your {what}s
          </Link>
        </Alert>
      </>
    );
  }
  if (error) {
    return (
      <>
        <PageHeader title={what.charAt(0).toUpperCase() + what.slice(1)} back={back} />
        <QueryFault what={`The ${what}`} error={error} retry={retry} />
      </>
    );
  }
  return (
    <div role="status">
      <span className="sr-only">The {what} is being fetched</span>
      <Skeleton className="mt-6 mb-3 h-8 w-64" />
      <Skeleton className="mb-6 h-4 w-80 max-w-full" />
      <Skeleton className="mb-4 h-20 rounded-lg" />
      <Skeleton className="h-96 rounded-lg" />
    </div>
  );
}
