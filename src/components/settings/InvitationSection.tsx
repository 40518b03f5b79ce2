'use client';
import { formValues } from '#/components/account/form-values.ts';
import { Alert } from '#/components/ui/Alert.tsx';
import { Button } from '#/components/ui/Button.tsx';
import { CopyButton } from '#/components/ui/CopyButton.tsx';
import { Field, Input } from '#/components/ui/Field.tsx';
import { Time } from '#/components/ui/Time.tsx';
import { leadsHereOnly } from '#/hooks/invitation-link.ts';
import { useInvite } from '#/hooks/useMembers.ts';
import { unplaced, violation } from '#/hooks/violation.ts';
import { OpenInvitations } from './OpenInvitations.tsx';
import { Section } from './Section.tsx';

export function InvitationSection() {
  const invite = useInvite();
  const fault = unplaced(invite.error, ['email']);
  return (
    <Section
      title="Invitations"
      about="No e-mail is sent: pass the link on yourself. It works once, for the address that it names."
    >
      <form
        className="flex max-w-xl flex-wrap items-start gap-2"
        onSubmit={(event) => {
          const { email = '' } = formValues(event);
          invite.mutate(email);
        }}
      >
        <Field label="E-mail of the new member" className="min-w-56 flex-1" error={violation(invite.error, 'email')}>
          {(control) => <Input {...control} name="email" type="email" required autoComplete="off" />}
        </Field>
        <Button type="submit" className="mt-6.5" busy={invite.isPending}>
          Make a link
        </Button>
      </form>
      {fault !== null && <Alert className="mt-4 max-w-xl" tone="bad" title={fault} />}
      {invite.data && (
        <Alert
          className="mt-4 max-w-xl"
          tone="good"
          title={`The link for ${invite.data.email}`}
          actions={<CopyButton text={invite.data.url} label="Copy the link" />}
        >
          <code className="block font-mono text-ink text-sm">{invite.data.url}</code>
          It is shown this once and ends <Time at={invite.data.expires_at} />.
          {leadsHereOnly(invite.data.url) && (
            <p className="mt-1.5 text-ink">
              It opens on this machine alone. For others, start the studio behind a proxy with TLS and set PUBLIC_URL to the
              address that they reach, then make the link again: docs/operations.md, “Several people”, says how.
            </p>
          )}
        </Alert>
      )}
      <OpenInvitations onRevoked={(id) => id === invite.data?.id && invite.reset()} />
    </Section>
  );
}
