'use client';
import type { ReactNode } from 'react';
import { Alert } from '#/components/ui/Alert.tsx';
import { Button } from '#/components/ui/Button.tsx';
import { Field, Input } from '#/components/ui/Field.tsx';
import { PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN } from '#/domain/constants.ts';
import { unplaced, violation } from '#/hooks/violation.ts';
import { formValues } from './form-values.ts';
import { PasswordField } from './PasswordField.tsx';

export interface NewAccount {
  name?: string;
  email: string;
  password: string;
}

interface NewAccountFormProps {
  /** What the button says. */
  action: string;
  busy: boolean;
  error: Error | null;
  onSubmit(account: NewAccount): void;
  /** The address that the account must have, where that is decided already. */
  email?: string | null;
  email_hint?: ReactNode;
  /** Fields before the account's own, with the paths of the violations that they show. */
  children?: ReactNode;
  shown?: readonly string[];
}

/** Name, e-mail and password of an account that is being made, each with what is wrong with it. */
export function NewAccountForm({
  action,
  busy,
  error,
  onSubmit,
  email = null,
  email_hint,
  children,
  shown = [],
}: NewAccountFormProps) {
  const fault = unplaced(error, [...shown, 'name', 'email', 'password']);
  return (
    <form
      className="grid gap-4"
      onSubmit={(event) => {
        const { name = '', email: address = '', password = '' } = formValues(event);
        onSubmit({ email: address, password, ...(name.trim() === '' ? {} : { name }) });
      }}
    >
      {children}
      <Field label="Name (optional)" error={violation(error, 'name')}>
        {(control) => <Input {...control} name="name" autoComplete="name" maxLength={120} />}
      </Field>
      <Field label="E-mail" hint={email_hint} error={violation(error, 'email')}>
        {(control) => (
          <Input
            key={email}
            {...control}
            name="email"
            type="email"
            autoComplete="username"
            required
            defaultValue={email ?? undefined}
            readOnly={email !== null}
          />
        )}
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
      <Button type="submit" variant="primary" busy={busy}>
        {action}
      </Button>
    </form>
  );
}
