'use client';
import Link from 'next/link';
import { useRouter } from 'next/navigation';
import { useEffect, useState } from 'react';
import { Alert } from '#/components/ui/Alert.tsx';
import { Field, Input } from '#/components/ui/Field.tsx';
import { useFirstRun, useFirstRunState } from '#/hooks/useAccount.ts';
import { useHashToken } from '#/hooks/useHashToken.ts';
import { violation } from '#/hooks/violation.ts';
import { NewAccountForm } from './NewAccountForm.tsx';

export function FirstRunForm() {
  const router = useRouter();
  const state = useFirstRunState();
  const firstRun = useFirstRun();
  const [token, setToken] = useState('');
  const linked = useHashToken();
  useEffect(() => {
    if (linked) setToken(linked);
  }, [linked]);
  if (state.isPending && state.failureCount === 0) return <p className="sr-only">Looking up whether this studio has its owner</p>;
  if (state.data?.needed === false && !firstRun.isSuccess) {
    return (
      <>
        <h1 className="mb-4 text-2xl">Set up already</h1>
        <Alert
          tone="info"
          title="This studio has its owner."
          actions={
            <Link href="/sign-in" className="font-medium text-accent underline">
              Go to sign-in
            </Link>
          }
        >
          Set-up happens once. Others join by invitation.
        </Alert>
      </>
    );
  }
  return (
    <>
      <h1 className="text-2xl">Make this studio yours</h1>
      <p className="mt-1.5 mb-5 text-soft">
        The first account owns the studio and may invite others. Everything stays on this machine.
      </p>
      <NewAccountForm
        action="Create the owner"
        busy={firstRun.isPending || firstRun.isSuccess}
        error={firstRun.error}
        email_hint="You sign in with it; nothing is sent to it."
        shown={['setup_token']}
        onSubmit={(account) =>
          firstRun.mutate({ setup_token: token.trim(), ...account }, { onSuccess: () => router.replace('/') })
        }
      >
        <Field
          label="Set-up token"
          hint="The terminal in which the studio was started shows it."
          error={violation(firstRun.error, 'setup_token')}
        >
          {(control) => (
            <Input
              {...control}
              className="font-mono"
              autoComplete="off"
              spellCheck={false}
              required
              value={token}
              onChange={(event) => setToken(event.target.value)}
            />
          )}
        </Field>
      </NewAccountForm>
    </>
  );
}
