'use client';
import { useState } from 'react';
import { Badge } from '#/components/ui/Badge.tsx';
import { Pages } from '#/components/ui/Pages.tsx';
import { QueryPanel } from '#/components/ui/QueryPanel.tsx';
import { Time } from '#/components/ui/Time.tsx';
import { formatOf } from '#/components/units.ts';
import type { Person } from '#/hooks/useAccount.ts';
import { useMembers } from '#/hooks/useMembers.ts';
import { Section } from './Section.tsx';

const LIMIT = 10;

export function MembersSection({ me }: { me: Person }) {
  const [page, setPage] = useState(1);
  const members = useMembers({ limit: LIMIT, offset: (page - 1) * LIMIT });
  return (
    <Section title="Members" about="Each sees their own datasets, jobs and results; base models are everybody's.">
      <QueryPanel
        query={members}
        what="members"
        rows={2}
        title={members.data ? formatOf(members.data.total, 'member') : 'Members'}
      >
        {({ users, total }) => (
          <>
            <ul aria-label="Members" className="divide-y">
              {users.map((person) => (
                <li key={person.id} className="flex flex-wrap items-center justify-between gap-x-4 gap-y-0.5 px-4 py-2.5">
                  <div className="min-w-0">
                    <p className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
                      <span className="font-medium [overflow-wrap:anywhere]">{person.name || person.email}</span>
                      {person.role === 'administrator' && <Badge tone="accent">Administrator</Badge>}
                      {person.id === me.id && <Badge>You</Badge>}
                    </p>
                    <p className="text-soft text-sm [overflow-wrap:anywhere]">{person.email}</p>
                  </div>
                  <p className="text-soft text-sm">
                    joined <Time at={person.created_at} />
                  </p>
                </li>
              ))}
            </ul>
            <Pages page={page} pages={Math.ceil(total / LIMIT)} onPage={setPage} />
          </>
        )}
      </QueryPanel>
    </Section>
  );
}
