import type { Metadata } from 'next';
import { AccuracyPage } from '#/components/accuracy/AccuracyPage.tsx';

export const metadata: Metadata = { title: 'Accuracy' };

export default function Page() {
  return <AccuracyPage />;
}
