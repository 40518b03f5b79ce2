import { and, eq, isNull, sql } from 'drizzle-orm';
import { runGroups, runObservations } from '#/db/schema/foresight.ts';
import { trainingJobs } from '#/db/schema/jobs.ts';
import { asUser, type Tx } from '#/db/tenancy.ts';
import { deviceName } from '#/domain/foresight/learning/measured-run.ts';
import { FORMULAS, type RunFeatures } from '#/domain/foresight/learning/observed-run.ts';
import type { Context } from '#/services/context.ts';
import { countRows } from '#/services/count-rows.ts';
import { behindCursor, cutPage, oneMore, type Paged, type PageQuery, skipped } from '#/services/page-cursor.ts';

export interface AccuracyQuery extends PageQuery {
  /** By any name that the device is known by. */
  gpu?: string | undefined;
  method?: RunFeatures['method'] | undefined;
}

/** A finished run of the caller's, with its job unless that was deleted. */
export type ObservedRun = typeof runObservations.$inferSelect & { job: { id: string; name: string } | null };
export type RunGroupRow = Pick<typeof runGroups.$inferSelect, 'gpu' | 'stack_version' | 'method' | 'memory' | 'time'>;

/** Kinds of runs that are told at most. */
const GROUPS_MAX = 200;

/**
 * One page of the caller's finished runs, newest first, and what the whole installation's runs say by kind: of the formulas as
 * they are now, the newest kind first. Throws `invalid_request` (cursor).
 */
export function listAccuracy(
  ctx: Context,
  query: AccuracyQuery,
): Promise<Paged & { points: ObservedRun[]; groups: RunGroupRow[]; gpus: string[] }> {
  const gpu = query.gpu === undefined ? undefined : deviceName(query.gpu);
  const { method } = query;
  return asUser(ctx.user_id, async (tx) => {
    const wanted = and(
      eq(runObservations.user_id, ctx.user_id),
      gpu === undefined ? undefined : eq(runObservations.gpu, gpu),
      method === undefined ? undefined : eq(runObservations.method, method),
    );
    const rows = await tx
      .select({ run: runObservations, job: { id: trainingJobs.id, name: trainingJobs.name } })
      .from(runObservations)
      .leftJoin(trainingJobs, and(eq(trainingJobs.id, runObservations.id), isNull(trainingJobs.deleted_at)))
      .where(and(wanted, await behindCursor(tx, runObservations, query.after)))
      .orderBy(sql`${runObservations.created_at} DESC, ${runObservations.id} DESC`)
      .limit(oneMore(query))
      .offset(skipped(query));
    const { rows: found, next_cursor } = cutPage(rows, query.limit, ({ run }) => run.id);
    const total = await countRows(tx, ctx.user_id, runObservations, wanted);
    const all = await readGroups(tx);
    return {
      points: found.map(({ run, job }) => ({ ...run, job })),
      groups: all.filter((group) => (gpu ?? group.gpu) === group.gpu && (method ?? group.method) === group.method),
      gpus: [...new Set(all.map((group) => group.gpu))].toSorted(),
      ...total,
      next_cursor,
    };
  });
}

function readGroups(tx: Tx): Promise<RunGroupRow[]> {
  const { gpu, stack_version, method, memory, time } = runGroups;
  return tx
    .select({ gpu, stack_version, method, memory, time })
    .from(runGroups)
    .where(eq(runGroups.formulas, FORMULAS))
    .orderBy(sql`${runGroups.turn} DESC`)
    .limit(GROUPS_MAX);
}
