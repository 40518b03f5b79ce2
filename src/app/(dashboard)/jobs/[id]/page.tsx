import type { Metadata } from 'next';
import { JobPage } from '#/components/jobs/JobPage.tsx';

export const metadata: Metadata = { title: 'Job' };

export default function Page() {
  return <JobPage />;
}
