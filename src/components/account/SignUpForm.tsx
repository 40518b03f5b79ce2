'use client';
import Link from 'next/link';
import { useRouter } from 'next/navigation';
import { readInvitation } from '#/hooks/invitation-link.ts';
import { useSignUp } from '#/hooks/useAccount.ts';
import { useHashToken } from '#/hooks/useHashToken.ts';
import { NewAccountForm } from './NewAccountForm.tsx';

export function SignUpForm() {
  const router = useRouter();
  const signUp = useSignUp();
  const linked = useHashToken();
  const invitation = linked ? readInvitation(linked) : null;
  const email = invitation?.email ?? null;
  return (
    <>
      <h1 className="text-2xl">Join this studio</h1>
      <p className="mt-1.5 mb-5 text-soft">
        {linked === undefined
          ? '\u00a0'
          : linked === null
            ? 'Without an invitation you can join where the studio is open to everybody.'
            : 'Choose a password, and you are in.'}
      </p>
      <NewAccountForm
        action="Join"
        busy={signUp.isPending || signUp.isSuccess}
        error={signUp.error}
        email={email}
        email_hint={
          email !== null
            ? 'Your invitation was made for this address; you sign in with it.'
            : invitation !== null && 'The address that your invitation was made for.'
        }
        onSubmit={(account) =>
          signUp.mutate(invitation === null ? account : { invitation: invitation.token, ...account }, {
            onSuccess: () => router.replace('/'),
          })
        }
      />
      <p className="mt-5 text-soft text-sm">
        Already a member?{' '}
        <Link href="/sign-in" className="font-medium text-accent underline">
          Sign in
        </Link>
      </p>
    </>
  );
}
