import type { Metadata } from 'next';

import { FirstRunForm } from '#/components/account/FirstRunForm.tsx';

export const metadata: Metadata = { title: 'Set up' };

export default function Page() {
  return <FirstRunForm />;
}
