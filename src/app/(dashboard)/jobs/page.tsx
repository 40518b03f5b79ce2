import type { Metadata } from 'next';
import { Suspense } from 'react';
import { JobsPage } from '#/components/jobs/JobsPage.tsx';

export const metadata: Metadata = { title: 'Jobs' };

export default function Page() {
  return (
    <Suspense>
      <JobsPage />
    </Suspense>
  );
}
