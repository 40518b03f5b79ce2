'use client';
import { KeyRound, Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { Badge } from '#/components/ui/Badge.tsx';
import { Button } from '#/components/ui/Button.tsx';
import { Dialog } from '#/components/ui/Dialog.tsx';
import { EmptyState } from '#/components/ui/EmptyState.tsx';
import { Pages } from '#/components/ui/Pages.tsx';
import { QueryPanel } from '#/components/ui/QueryPanel.tsx';
import { Time } from '#/components/ui/Time.tsx';
import { type ApiKey, useApiKeys, useRevokeApiKey } from '#/hooks/useApiKeys.ts';
import { CreateKeyDialog } from './CreateKeyDialog.tsx';
import { Section } from './Section.tsx';

const LIMIT = 10;

export function KeysSection() {
  const [creating, setCreating] = useState(false);
  const [page, setPage] = useState(1);
  const keys = useApiKeys({ limit: LIMIT, offset: (page - 1) * LIMIT });
  return (
    <Section
      title="API keys"
      about="For programs and the command line: each acts as you. A key is shown once, when it is made; revoking stops it within 5 seconds."
    >
      <QueryPanel
        query={keys}
        what="keys"
        rows={2}
        aside={
          <Button size="sm" onClick={() => setCreating(true)}>
            <Plus aria-hidden />
            New key
          </Button>
        }
      >
        {({ keys: made, total }) =>
          made.length === 0 ? (
            <EmptyState icon={KeyRound} title="No key yet">
              Make one to submit trainings from a script: it is sent as{' '}
              <code className="font-mono text-sm">Authorization: Bearer …</code>
            </EmptyState>
          ) : (
            <>
              <ul className="divide-y">
                {made.map((key) => (
                  <KeyRow key={key.id} apiKey={key} />
                ))}
              </ul>
              <Pages page={page} pages={Math.ceil(total / LIMIT)} onPage={setPage} />
            </>
          )
        }
      </QueryPanel>
      <CreateKeyDialog open={creating} onOpenChange={setCreating} />
    </Section>
  );
}

function KeyRow({ apiKey: key }: { apiKey: ApiKey }) {
  const [asking, setAsking] = useState(false);
  const revoke = useRevokeApiKey();
  const expired = key.expires_at !== null && Date.parse(key.expires_at) < Date.now();
  const dead = key.revoked_at !== null || expired;
  return (
    <li className="flex items-center justify-between gap-4 px-4 py-2.5">
      <div className="min-w-0">
        <p className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
          <span className="font-medium [overflow-wrap:anywhere]">{key.name}</span>
          <code className="font-mono text-soft text-sm">{key.prefix}…</code>
          <Badge>{key.scopes.includes('write') ? 'read and write' : 'read only'}</Badge>
          {key.revoked_at !== null ? <Badge tone="bad">revoked</Badge> : expired && <Badge tone="warn">expired</Badge>}
        </p>
        <p className="mt-0.5 text-soft text-sm">
          made <Time at={key.created_at} /> ·{' '}
          {key.last_used_at === null ? (
            'never used'
          ) : (
            <>
              used <Time at={key.last_used_at} />
            </>
          )}
          {!dead && key.expires_at !== null && (
            <>
              {' · '}ends <Time at={key.expires_at} />
            </>
          )}
        </p>
      </div>
      {key.revoked_at === null && (
        <>
          <Button size="sm" onClick={() => setAsking(true)} aria-label={`Revoke ${key.name}`}>
            <Trash2 aria-hidden />
            Revoke
          </Button>
          <Dialog
            open={asking}
            onOpenChange={setAsking}
            title={`Revoke ${key.name}?`}
            description="Whatever uses it stops working within 5 seconds. A revoked key never works again."
            actions={
              <>
                <Button onClick={() => setAsking(false)}>Keep it</Button>
                <Button
                  variant="danger"
                  busy={revoke.isPending}
                  onClick={() => revoke.mutate(key.id, { onSettled: () => setAsking(false) })}
                >
                  Revoke the key
                </Button>
              </>
            }
          />
        </>
      )}
    </li>
  );
}
