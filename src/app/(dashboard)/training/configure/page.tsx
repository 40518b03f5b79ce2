import type { Metadata } from 'next';
import { Suspense } from 'react';
import { ConfigurePage } from '#/components/training/ConfigurePage.tsx';

export const metadata: Metadata = { title: 'Start a training' };

export default function Page() {
  return (
    <Suspense>
      <ConfigurePage />
    </Suspense>
  );
}
