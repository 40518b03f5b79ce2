'use client';
import { X } from 'lucide-react';
import { useState } from 'react';
import { Badge } from '#/components/ui/Badge.tsx';
import { Button } from '#/components/ui/Button.tsx';
import { Pages } from '#/components/ui/Pages.tsx';
import { QueryPanel } from '#/components/ui/QueryPanel.tsx';
import { Time } from '#/components/ui/Time.tsx';
import { formatOf } from '#/components/units.ts';
import { type OpenInvitation, useInvitations, useRevokeInvitation } from '#/hooks/useMembers.ts';

const LIMIT = 10;

interface OpenInvitationsProps {
  /** An invitation was taken back: its link must not be shown any longer. */
  onRevoked(id: string): void;
}

/** Invitations that nobody has accepted yet, each to be taken back. */
export function OpenInvitations({ onRevoked }: OpenInvitationsProps) {
  const [page, setPage] = useState(1);
  const open = useInvitations({ limit: LIMIT, offset: (page - 1) * LIMIT });
  const total = open.data?.total ?? 0;
  return (
    <QueryPanel
      query={open}
      what="open invitations"
      rows={1}
      className="mt-5"
      title={total > 0 ? formatOf(total, 'open invitation') : 'Open invitations'}
    >
      {({ invitations }) =>
        invitations.length === 0 ? (
          <p className="px-4 py-4 text-soft">Nobody is invited at the moment. An invitation shows here until its link is used.</p>
        ) : (
          <>
            <ul aria-label="Open invitations" className="divide-y">
              {invitations.map((invitation) => (
                <Row key={invitation.id} invitation={invitation} onRevoked={onRevoked} />
              ))}
            </ul>
            <Pages page={page} pages={Math.ceil(total / LIMIT)} onPage={setPage} />
          </>
        )
      }
    </QueryPanel>
  );
}

function Row({ invitation, onRevoked }: { invitation: OpenInvitation } & OpenInvitationsProps) {
  const { id, email, invited_by, created_at, expires_at } = invitation;
  const revoke = useRevokeInvitation(invitation);
  const over = Date.parse(expires_at) < Date.now();
  const word = over ? 'Remove' : 'Revoke';
  return (
    <li className="flex items-center justify-between gap-4 px-4 py-2.5">
      <div className="min-w-0">
        <p className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
          <span className="font-medium [overflow-wrap:anywhere]">{email}</span>
          {over && <Badge tone="warn">too old</Badge>}
        </p>
        <p className="text-soft text-sm">
          made <Time at={created_at} />
          {invited_by !== null && ` by ${invited_by}`} · {over ? 'ended' : 'ends'} <Time at={expires_at} />
        </p>
      </div>
      <Button
        size="sm"
        busy={revoke.isPending}
        aria-label={`${word} the invitation of ${email}`}
        onClick={() => revoke.mutate(undefined, { onSuccess: () => onRevoked(id) })}
      >
        {!revoke.isPending && <X aria-hidden />}
        {word}
      </Button>
    </li>
  );
}
