import type { Metadata } from 'next';
import { SignUpForm } from '#/components/account/SignUpForm.tsx';

export const metadata: Metadata = { title: 'Join' };

export default function Page() {
  return <SignUpForm />;
}
