import type { Metadata } from 'next';

import { SignInLink } from '#/components/account/SignInLink.tsx';

export const metadata: Metadata = { title: 'Sign in' };

export default function Page() {
  return <SignInLink />;
}
