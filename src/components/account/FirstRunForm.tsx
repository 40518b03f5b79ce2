'use client';
import Link from 'next/link';
import { useRouter } from 'next/navigation';
import { useEffect, useState } from 'react';
import { Alert } from '#/components/ui/Alert.tsx';
import { Button } from '#/components/ui/Button.tsx';
import { Field, Input } from '#/components/ui/Field.tsx';
import { PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN } from '#/domain/constants.ts';
import { useFirstRun, useFirstRunState } from '#/hooks/useAccount.ts';
import { useHashToken } from '#/hooks/useHashToken.ts';
import { unplaced, violation } from '#/hooks/violation.ts';
import { formValues } from './form-values.ts';
import { PasswordField } from './PasswordField.tsx';

export function FirstRunForm() {
  const router = useRouter();
  const state = useFirstRunState();
  const firstRun = useFirstRun();
  const [token, setToken] = useState('');
  const linked = useHashToken();
  useEffect(() => {
    if (linked) setToken(linked);
  }, [linked]);
  const error = firstRun.error;
  const fault = unplaced(error, ['setup_token', 'name', 'email', 'password']);
  if (state.data?.needed === false && !firstRun.isSuccess) {
    return (
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
    );
  }
  return (
    <>
      <h1 className="text-2xl">Make this studio yours</h1>
      <p className="mt-1.5 mb-5 text-soft">
        The first account owns the studio and may invite others. Everything stays on this machine.
      </p>
      <form
        className="grid gap-4"
        onSubmit={(event) => {
          const { setup_token = '', name = '', email = '', password = '' } = formValues(event);
          const body = { setup_token: setup_token.trim(), email, password, ...(name.trim() === '' ? {} : { name }) };
          firstRun.mutate(body, { onSuccess: () => router.replace('/') });
        }}
      >
        <Field
          label="Set-up token"
          hint="The terminal in which the studio was started shows it."
          error={violation(error, 'setup_token')}
        >
          {(control) => (
            <Input
              {...control}
              name="setup_token"
              className="font-mono"
              autoComplete="off"
              spellCheck={false}
              required
              value={token}
              onChange={(event) => setToken(event.target.value)}
            />
          )}
        </Field>
        <Field label="Name (optional)" error={violation(error, 'name')}>
          {(control) => <Input {...control} name="name" autoComplete="name" maxLength={120} />}
        </Field>
        <Field label="E-mail" hint="You sign in with it; nothing is sent to it." error={violation(error, 'email')}>
          {(control) => <Input {...control} name="email" type="email" autoComplete="username" required />}
        </Field>
        <PasswordField
          label="Password"
          name="password"
          autoComplete="new-password"
          minLength={PASSWORD_LENGTH_MIN}
          maxLength={PASSWORD_LENGTH_MAX}
          hint={`At least ${PASSWORD_LENGTH_MIN} characters.`}
          error={violation(error, 'password')}
        />
        {fault !== null && <Alert tone="bad" title={fault} />}
        <Button type="submit" variant="primary" busy={firstRun.isPending || firstRun.isSuccess}>
          Create the owner
        </Button>
      </form>
    </>
  );
}
