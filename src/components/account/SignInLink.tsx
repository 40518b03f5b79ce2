'use client';
import Link from 'next/link';
import { useRouter } from 'next/navigation';
import { useEffect, useRef } from 'react';
import { Alert } from '#/components/ui/Alert.tsx';
import { Progress } from '#/components/ui/Progress.tsx';
import { sameOriginPath } from '#/hooks/same-origin-path.ts';
import { useSignInLink } from '#/hooks/useAccount.ts';
import { useHashToken } from '#/hooks/useHashToken.ts';

/** Spends the token behind the # (which no server log ever holds), then goes to the page that the link was made for. */
export function SignInLink() {
  const router = useRouter();
  const { mutate, error } = useSignInLink();
  const token = useHashToken();
  const sent = useRef<string | null>(null);
  useEffect(() => {
    // A link works once: a second sending of the same one would only be refused.
    if (!token || sent.current === token) return;
    sent.current = token;
    mutate(token, { onSuccess: ({ path }) => router.replace(sameOriginPath(path, location.origin)) });
  }, [token, mutate, router]);
  if (token !== null && error === null) {
    return (
      <div role="status" className="grid gap-3">
        <h1 className="text-2xl">Signing in</h1>
        <Progress value={null} label="Signing in" />
        <p className="text-soft">The link is being checked.</p>
      </div>
    );
  }
  return (
    <>
      <h1 className="mb-4 text-2xl">This link does not open</h1>
      <Alert tone="bad" title={error?.message ?? 'The address lacks the part behind the # sign: copy the whole link.'}>
        A link works once and for a short time. Make another on the studio’s machine:
        <code className="my-1.5 block font-mono text-ink text-sm">npm run lowrank -- sign-in-link</code>
        or{' '}
        <Link href="/sign-in" className="font-medium text-accent underline">
          sign in with your password
        </Link>
        .
      </Alert>
    </>
  );
}
