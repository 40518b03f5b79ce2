'use client';
import Link from 'next/link';
import { useRouter } from 'next/navigation';
import { Alert } from '#/components/ui/Alert.tsx';
import { Button } from '#/components/ui/Button.tsx';
import { Field, Input } from '#/components/ui/Field.tsx';
import { PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN } from '#/domain/constants.ts';
import { useSignUp } from '#/hooks/useAccount.ts';
import { useHashToken } from '#/hooks/useHashToken.ts';
import { unplaced, violation } from '#/hooks/violation.ts';
import { formValues } from './form-values.ts';
import { PasswordField } from './PasswordField.tsx';

export function SignUpForm() {
  const router = useRouter();
  const signUp = useSignUp();
  const invitation = useHashToken();
  const error = signUp.error;
  const fault = unplaced(error, ['name', 'email', 'password']);
  return (
    <>
      <h1 className="text-2xl">Join this studio</h1>
      <p className="mt-1.5 mb-5 text-soft">
        {invitation === null
          ? 'Without an invitation you can join where the studio is open to everybody.'
          : 'Use the e-mail address that your invitation was made for.'}
      </p>
      <form
        className="grid gap-4"
        onSubmit={(event) => {
          const { name = '', email = '', password = '' } = formValues(event);
          const body = {
            email,
            password,
            ...(invitation ? { invitation } : {}),
            ...(name.trim() === '' ? {} : { name }),
          };
          signUp.mutate(body, { onSuccess: () => router.replace('/') });
        }}
      >
        <Field label="Name (optional)" error={violation(error, 'name')}>
          {(control) => <Input {...control} name="name" autoComplete="name" maxLength={120} />}
        </Field>
        <Field label="E-mail" error={violation(error, 'email')}>
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
        <Button type="submit" variant="primary" busy={signUp.isPending || signUp.isSuccess}>
          Join
        </Button>
      </form>
      <p className="mt-5 text-soft text-sm">
        Already a member?{' '}
        <Link href="/sign-in" className="font-medium text-accent underline">
          Sign in
        </Link>
      </p>
    </>
  );
}
