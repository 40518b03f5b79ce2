// A Supabase project's two buckets, and who may reach what lies in them.
import type { StorageFacts } from '#/db/supabase-storage.ts';
import { type Finding, ok, problem } from './finding.ts';

const SET_UP = 'npm run lowrank -- supabase';

/** `facts`: null where the database is no Supabase project's. */
export function judgeBuckets(facts: StorageFacts | null): Finding[] {
  if (facts === null) return [];
  const found: Finding[] = [];
  if (!facts.enabled)
    found.push(
      problem(
        'buckets',
        'row-level security is off on storage.objects: everybody reaches every file of this project',
        'In the SQL editor of the project run: ALTER TABLE storage.objects ENABLE ROW LEVEL SECURITY; (or ask Supabase, who own that table)',
      ),
    );
  if (facts.steps.length > 0)
    found.push(
      problem(
        'buckets',
        `missing, or not as it must be:\n${facts.steps.map(({ what }) => what).join('\n')}`,
        `Set them up: ${SET_UP} (with --dry-run: see the SQL)`,
      ),
    );
  return found.length > 0 ? found : [ok('buckets', 'both private, with their policies')];
}
