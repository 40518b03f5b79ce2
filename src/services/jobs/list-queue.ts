import { and, eq, inArray, isNull, type SQL, sql } from 'drizzle-orm';
import * as z from 'zod';
import { trainingJobs, userQueues } from '#/db/schema/jobs.ts';
import { asUser, type Tx } from '#/db/tenancy.ts';
import { PROMISE_TIMES } from '#/domain/constants.ts';
import { deviceTypes } from '#/domain/device-types.ts';
import { DEVICE_KINDS } from '#/domain/devices.ts';
import {
  HELD_REASONS,
  type MachineOutlook,
  type OwnSlots,
  PREDICTED_PLACES_MAX,
  type PredictedStart,
  predictStarts,
  upToMinute,
  type WaitingJob,
  type WaitReason,
  waitReason,
} from '#/domain/queue.ts';
import { ACTIVE_JOB_STATUSES } from '#/domain/statuses.ts';
import type { Context } from '#/services/context.ts';
import { countRows, type Total } from '#/services/count-rows.ts';
import { readGpuCatalog } from '#/services/gpu-catalog/read-gpu-catalog.ts';
import { cutPage, oneMore, type PageQuery, skipped, unknownCursor } from '#/services/page-cursor.ts';
import { FETCHING_MODEL } from './configure-job.ts';
import { pausedOn } from './paused-on.ts';

/** A job that waits, as its owner is told of it. */
export interface QueuedJob {
  id: string;
  name: string;
  priority: number;
  queued_at: Date;
  /** Its place among its owner's jobs, from 1; null for one that is not in line. */
  position: number | null;
  reason: WaitReason;
  /** By the database's clock, in whole minutes. */
  predicted_start: { at: Date } | Extract<PredictedStart, { unpredicted: string }>;
}

/** As the claim orders one person's jobs, and the index of the queue: Drizzle's descending column has its nulls last. */
const IN_ORDER = sql`${trainingJobs.priority} DESC NULLS LAST, ${trainingJobs.queued_at}, ${trainingJobs.id}`;
const IN_LINE = sql`${trainingJobs.held_at} IS NULL AND ${trainingJobs.current_stage} IS DISTINCT FROM ${sql.raw(`'${FETCHING_MODEL}'`)}`;

/** What of a stored configuration says how long its training takes; that of an earlier release says nothing. */
const Estimated = z.object({ duration_s: z.number().min(0) });

const Outlook = z.object({
  workers: z.number(),
  answering: z.array(z.string()),
  disk_full: z.boolean(),
  devices: z.array(
    z.object({
      ...{ host: z.string(), kind: z.enum(DEVICE_KINDS), name: z.string(), is_part: z.boolean(), takes_work: z.boolean() },
      ...{ cannot_start: z.boolean() },
      ...{ occupied: z.boolean(), leased: z.boolean(), end_in_s: z.number().nullable(), kept_for: z.string().nullable() },
    }),
  ),
  others_before: z.number(),
  held: z.object({ reason: z.enum(HELD_REASONS), in_s: z.number().nullable() }).nullable(),
});

/**
 * One page of the caller's jobs that wait, in the order in which they start, each with why it waits and when it starts at the
 * earliest. Those that are held, or wait for their model, stand where they would be. Throws `invalid_request` (cursor).
 */
export function listQueue(
  ctx: Context,
  query: PageQuery,
): Promise<{ jobs: QueuedJob[]; total: Total; next_cursor: string | null }> {
  return asUser(ctx.user_id, async (tx) => {
    const waiting = and(
      eq(trainingJobs.user_id, ctx.user_id),
      eq(trainingJobs.status, 'queued'),
      isNull(trainingJobs.deleted_at),
    );
    const rows = await selectWaiting(tx)
      .where(and(waiting, await behind(tx, query.after)))
      .orderBy(IN_ORDER)
      .limit(oneMore(query))
      .offset(skipped(query));
    const { rows: page, next_cursor } = cutPage(rows, query.limit, ({ id }) => id);
    const head = await selectWaiting(tx).where(and(waiting, IN_LINE)).orderBy(IN_ORDER).limit(PREDICTED_PLACES_MAX);
    const own = await ownSlots(tx, ctx.user_id);
    const { now, machine, answering } = await lookAhead(tx);
    const asWaiting = (row: WaitingRow) => waitingOf(row, answering);
    const starts = predictStarts(head.map(asWaiting), own, machine);
    const predicted = new Map(head.map(({ id }, at) => [id, starts[at]]));
    const ready = head.filter((row) => !asWaiting(row).host_away && row.ready_in_s === 0).map(({ id }) => id);
    let position = await placesBefore(tx, waiting, page.find(isInLine));
    const jobs = page.map((row): QueuedJob => {
      const in_line = isInLine(row);
      if (in_line) position++;
      const at_head = ready.indexOf(row.id);
      const reason = waitReason(asWaiting(row), at_head < 0 ? ready.length : at_head, own, machine);
      return {
        id: row.id,
        name: row.name,
        priority: row.priority,
        queued_at: row.queued_at,
        position: in_line ? position : null,
        reason,
        predicted_start: in_line ? dated(predicted.get(row.id), now) : { unpredicted: 'not_in_line' },
      };
    });
    return { jobs, total: await countRows(tx, ctx.user_id, trainingJobs, waiting), next_cursor };
  });
}

function selectWaiting(tx: Tx) {
  return tx
    .select({
      id: trainingJobs.id,
      name: trainingJobs.name,
      priority: trainingJobs.priority,
      queued_at: trainingJobs.queued_at,
      held_at: trainingJobs.held_at,
      current_stage: trainingJobs.current_stage,
      ready_in_s:
        sql<number>`greatest(0, coalesce(extract(epoch FROM ${trainingJobs.not_before} - clock_timestamp()), 0))`.mapWith(Number),
      paused_on: sql<string | null>`${pausedOn(sql`${trainingJobs}`)}`,
      need: trainingJobs.gpu_config,
      config: trainingJobs.config,
    })
    .from(trainingJobs)
    .$dynamic();
}
type WaitingRow = Awaited<ReturnType<typeof selectWaiting>>[number];

const isInLine = (row: WaitingRow): boolean => row.held_at === null && row.current_stage !== FETCHING_MODEL;

function waitingOf(row: WaitingRow, answering: string[]): WaitingJob {
  return {
    id: row.id,
    need: row.need,
    held: row.held_at !== null,
    fetching_model: row.current_stage === FETCHING_MODEL,
    host_away: row.paused_on !== null && !answering.includes(row.paused_on),
    ready_in_s: row.ready_in_s,
    duration_s: Estimated.safeParse(row.config).data?.duration_s ?? null,
  };
}

/** What stands behind the job of a cursor, which may have left the queue meanwhile. */
async function behind(tx: Tx, after: string | undefined): Promise<SQL | undefined> {
  if (after === undefined) return undefined;
  const [row] = await tx.select({ priority: trainingJobs.priority }).from(trainingJobs).where(eq(trainingJobs.id, after));
  if (row === undefined) throw unknownCursor();
  return placedAfter(after, row.priority);
}

// The instant is compared in the database, which keeps it finer than a date of ours.
const placedAfter = (
  id: string,
  priority: number,
): SQL => sql`(${trainingJobs.priority} < ${priority} OR (${trainingJobs.priority} = ${priority}
  AND (${trainingJobs.queued_at}, ${trainingJobs.id}) > ((SELECT c.queued_at FROM ${trainingJobs} c WHERE c.id = ${id}), ${id}::uuid)))`;

/** How many of the caller's jobs stand in line before this one; it may be none of a page. */
async function placesBefore(tx: Tx, waiting: SQL | undefined, first: WaitingRow | undefined): Promise<number> {
  if (first === undefined) return 0;
  const [counted] = await tx
    .select({ n: sql<number>`count(*)::integer` })
    .from(trainingJobs)
    .where(and(waiting, IN_LINE, sql`NOT ${placedAfter(first.id, first.priority)}`, sql`${trainingJobs.id} <> ${first.id}`));
  return counted?.n ?? 0;
}

async function ownSlots(tx: Tx, user_id: string): Promise<OwnSlots> {
  const [queue] = await tx.select({ active_max: userQueues.active_max }).from(userQueues).where(eq(userQueues.user_id, user_id));
  const running = await tx
    .select({
      end_in_s: sql<number | null>`extract(epoch FROM ${trainingJobs.estimated_completion_at} - clock_timestamp())::float8`,
    })
    .from(trainingJobs)
    .where(and(eq(trainingJobs.user_id, user_id), inArray(trainingJobs.status, [...ACTIVE_JOB_STATUSES])));
  return { active_max: queue?.active_max ?? 0, running_end_in_s: running.map(({ end_in_s }) => end_in_s) };
}

async function lookAhead(tx: Tx): Promise<{ now: Date; machine: MachineOutlook; answering: string[] }> {
  const { rows } = await tx.execute<{ now_ms: number; outlook: unknown }>(sql`
    SELECT lowrank.queue_outlook(${PROMISE_TIMES.contact_lost_ms}) || jsonb_build_object('held', lowrank.starts_held()) AS outlook, (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now_ms`);
  const [told] = rows;
  const { answering, devices, ...machine } = Outlook.parse(told?.outlook);
  const catalog = await readGpuCatalog(tx);
  const typed = devices.map(({ kind, name, ...device }) => ({ ...device, types: deviceTypes({ kind, name }, catalog) }));
  return { now: new Date(told?.now_ms ?? Date.now()), machine: { ...machine, devices: typed }, answering };
}

function dated(start: PredictedStart | undefined, now: Date): QueuedJob['predicted_start'] {
  if (start === undefined) return { unpredicted: 'too_far' };
  return 'in_s' in start ? { at: upToMinute(new Date(now.getTime() + start.in_s * 1000)) } : start;
}
