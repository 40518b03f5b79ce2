import { sql } from 'drizzle-orm';
import type { Tx } from '#/db/tenancy.ts';
import { Corrections } from '#/domain/foresight/learning/correction.ts';
import { FORMULAS } from '#/domain/foresight/learning/observed-run.ts';

/** The newest kinds of runs that are told: an installation has a few devices, stacks and methods. */
const GROUPS_MAX = 200;
/** One's own newest runs among which the very one is looked for. */
const OWN_RUNS_MAX = 100;

/**
 * All that corrects forecasts of this user's, newest first, by one statement: what the whole installation's runs say, and the user's own
 * runs to be found again by their features. Of the formulas as they are now.
 */
export async function readCorrections(tx: Tx, user_id: string): Promise<Corrections> {
  const found = await tx.execute<{ groups: unknown; own: unknown }>(sql`
    SELECT
      (SELECT coalesce(jsonb_agg(jsonb_build_object('gpu', g.gpu, 'stack_version', g.stack_version, 'method', g.method,
          'memory', g.memory -> 'residuals', 'time', g.time -> 'residuals') ORDER BY g.turn DESC), '[]')
        FROM (SELECT * FROM lowrank.run_groups WHERE formulas = ${FORMULAS} ORDER BY turn DESC LIMIT ${GROUPS_MAX}) g) AS groups,
      (SELECT coalesce(jsonb_agg(jsonb_build_object('gpu', o.gpu, 'stack_version', o.stack_version, 'key', o.feature_key,
          'memory', o.memory_residual, 'time', o.time_residual, 'memory_at_least', o.memory_at_least) ORDER BY o.created_at DESC), '[]')
        FROM (SELECT * FROM lowrank.run_observations WHERE user_id = ${user_id} AND formulas = ${FORMULAS}
          ORDER BY created_at DESC, id DESC LIMIT ${OWN_RUNS_MAX}) o) AS own`);
  return Corrections.parse(found.rows[0]);
}
