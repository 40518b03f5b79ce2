'use client';
import { usePathname, useRouter } from 'next/navigation';
import { type ReactNode, useEffect } from 'react';
import { QueryFault } from '#/components/ui/QueryFault.tsx';
import { useMe } from '#/hooks/useAccount.ts';
import { StudioFrame } from './StudioFrame.tsx';

/** Every page behind the sign-in: it shows to a signed-in person and leads everybody else to the sign-in page and back. */
export function AppShell({ children }: { children: ReactNode }) {
  const path = usePathname();
  return (
    <StudioFrame path={path}>
      <SignedIn>{children}</SignedIn>
    </StudioFrame>
  );
}

function SignedIn({ children }: { children: ReactNode }) {
  const { data: me, error, isPending, refetch } = useMe();
  const router = useRouter();
  const stranger = !isPending && me === null;
  useEffect(() => {
    if (!stranger) return;
    const here = location.pathname + location.search;
    router.replace(here === '/' ? '/sign-in' : `/sign-in?to=${encodeURIComponent(here)}`);
  }, [stranger, router]);
  if (error && me === undefined) return <QueryFault what="Your account" error={error} retry={refetch} />;
  if (!me) return <p className="sr-only">Looking up who is signed in</p>;
  return children;
}
