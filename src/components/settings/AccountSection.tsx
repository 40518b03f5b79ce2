'use client';
import { LogOut } from 'lucide-react';
import { useRef } from 'react';
import { formValues } from '#/components/account/form-values.ts';
import { PasswordField } from '#/components/account/PasswordField.tsx';
import { Alert } from '#/components/ui/Alert.tsx';
import { Button } from '#/components/ui/Button.tsx';
import { Facts } from '#/components/ui/Readout.tsx';
import { PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN } from '#/domain/constants.ts';
import { tell, tellFault } from '#/hooks/notify.ts';
import { type Person, useChangePassword, useSignOut } from '#/hooks/useAccount.ts';
import { unplaced, violation } from '#/hooks/violation.ts';
import { Section } from './Section.tsx';

export function AccountSection({ me }: { me: Person }) {
  const signOut = useSignOut();
  return (
    <>
      <Section title="Account" about="Who you are in this studio.">
        <Facts
          facts={[
            ['Name', me.name || '–'],
            ['E-mail', me.email],
            ['Role', me.role === 'administrator' ? 'Administrator' : 'User'],
          ]}
        />
        <Button
          className="mt-4"
          busy={signOut.isPending}
          onClick={() => signOut.mutate(undefined, { onError: (error) => tellFault(error.message) })}
        >
          {!signOut.isPending && <LogOut aria-hidden />}
          Sign out
        </Button>
      </Section>
      <Section title="Password" about="Changing it ends every other session of yours at once.">
        <ChangePassword />
      </Section>
    </>
  );
}

function ChangePassword() {
  const change = useChangePassword();
  const form = useRef<HTMLFormElement>(null);
  const error = change.error;
  const fault = unplaced(error, ['current_password', 'new_password']);
  return (
    <form
      ref={form}
      className="grid max-w-md gap-4"
      onSubmit={(event) => {
        const { current_password = '', new_password = '' } = formValues(event);
        change.mutate(
          { current_password, new_password },
          {
            onSuccess: () => {
              form.current?.reset();
              tell('The password is changed');
            },
          },
        );
      }}
    >
      <PasswordField
        label="Current password"
        name="current_password"
        autoComplete="current-password"
        error={violation(error, 'current_password')}
      />
      <PasswordField
        label="New password"
        name="new_password"
        autoComplete="new-password"
        minLength={PASSWORD_LENGTH_MIN}
        maxLength={PASSWORD_LENGTH_MAX}
        hint={`At least ${PASSWORD_LENGTH_MIN} characters.`}
        error={violation(error, 'new_password')}
      />
      {fault !== null && <Alert tone="bad" title={fault} />}
      <Button type="submit" className="justify-self-start" busy={change.isPending}>
        Change the password
      </Button>
    </form>
  );
}
