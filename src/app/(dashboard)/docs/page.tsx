import type { Metadata } from 'next';
import { DocsPage } from '#/components/docs/DocsPage.tsx';

export const metadata: Metadata = { title: 'API reference' };

export default function Page() {
  return <DocsPage />;
}
