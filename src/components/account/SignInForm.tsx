'use client';
import { useRouter } from 'next/navigation';
import { useEffect } from 'react';
import { Alert } from '#/components/ui/Alert.tsx';
import { Button } from '#/components/ui/Button.tsx';
import { Field, Input } from '#/components/ui/Field.tsx';
import { sameOriginPath } from '#/hooks/same-origin-path.ts';
import { useFirstRunState, useSignIn } from '#/hooks/useAccount.ts';
import { violation } from '#/hooks/violation.ts';
import { formValues } from './form-values.ts';
import { PasswordField } from './PasswordField.tsx';

export function SignInForm() {
  const router = useRouter();
  const firstRun = useFirstRunState();
  const signIn = useSignIn();
  const needed = firstRun.data?.needed === true;
  useEffect(() => {
    if (needed) router.replace('/first-run');
  }, [needed, router]);
  // Nothing is shown before it is known which of the two pages this is.
  if (needed || (firstRun.isPending && firstRun.failureCount === 0))
    return <p className="sr-only">Looking up whether this studio has its owner</p>;
  const error = signIn.error;
  return (
    <>
      <h1 className="mb-5 text-2xl">Sign in</h1>
      <form
        className="grid gap-4"
        onSubmit={(event) => {
          const { email = '', password = '' } = formValues(event);
          const to = new URLSearchParams(location.search).get('to');
          signIn.mutate({ email, password }, { onSuccess: () => router.replace(sameOriginPath(to, location.origin)) });
        }}
      >
        <Field label="E-mail" error={violation(error, 'email')}>
          {(control) => <Input {...control} name="email" type="email" autoComplete="username" required />}
        </Field>
        <PasswordField label="Password" name="password" autoComplete="current-password" error={violation(error, 'password')} />
        {error && (
          <Alert tone="bad" title={error.message}>
            A forgotten password is set anew on the machine itself:{' '}
            <code className="font-mono text-sm">npm run lowrank -- reset-password {signIn.variables?.email}</code>
          </Alert>
        )}
        <Button type="submit" variant="primary" busy={signIn.isPending || signIn.isSuccess}>
          {signIn.isPending ? 'Signing in' : 'Sign in'}
        </Button>
      </form>
    </>
  );
}
