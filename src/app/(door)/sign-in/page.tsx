import type { Metadata } from 'next';
import { SignInForm } from '#/components/account/SignInForm.tsx';

export const metadata: Metadata = { title: 'Sign in' };

export default function Page() {
  return <SignInForm />;
}
