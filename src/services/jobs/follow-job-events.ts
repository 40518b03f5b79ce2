import { asc, eq } from 'drizzle-orm';
import { jobRuns } from '#/db/schema/jobs.ts';
import { asUser } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { isTerminal } from '#/domain/statuses.ts';
import type { Context } from '#/services/context.ts';
import { logTail, readLog } from '#/storage/read-log.ts';
import { hearJob, type JobBell } from './job-bell.ts';
import { type JobCursor, START, TAIL } from './job-cursor.ts';
import { findJob, type JobRow } from './job-row.ts';
import { type MetricRow, metricsAfter, newestPoint } from './read-metrics.ts';
import { shareAnswers } from './share-answers.ts';

/** What a follower is told, each with the cursor that stands after it. */
export type FollowedEvent = { cursor: JobCursor } & (
  | { type: 'job'; job: JobRow }
  | { type: 'metrics'; points: MetricRow[] }
  /** a later attempt went on from a step: points of earlier attempts after it are not part of the curve */
  | { type: 'reset'; attempt: number; from_step: number }
  | { type: 'log'; attempt: number; offset: number; text: string }
  | { type: 'idle' }
  | { type: 'gone' }
);

const POINTS_A_BATCH = 1_000;
/** What comes within it is told together: a viewer's page is drawn twice a second at most, which the trainer beside it does not feel. */
const SETTLE_MS = 500;
/** How long an answer serves all who ask the same; shorter than SETTLE_MS, see `lookWithOthers`. */
const SHARED_MS = 200;
/** Logs grow without a notification. */
const LOOK_ACTIVE_MS = 1_000;
const LOOK_SETTLED_MS = 15_000;

/**
 * Follows one job from a cursor: its row when it changed, then every point and log byte after the cursor, each once and
 * in order, across reconnects and restarts: rows and files are the truth, a notification only says "look now". Yields
 * `idle` when a wait passed with nothing to tell, and ends with `gone` when the job is no longer the caller's to see.
 */
export async function* followJobEvents(
  ctx: Context,
  job_id: string,
  from: JobCursor,
  signal: AbortSignal,
): AsyncGenerator<FollowedEvent> {
  const bell = hearJob(job_id);
  try {
    yield* told(ctx, job_id, from, signal, bell);
  } finally {
    bell.close();
  }
}

async function* told(
  ctx: Context,
  job_id: string,
  from: JobCursor,
  signal: AbortSignal,
  bell: JobBell,
): AsyncGenerator<FollowedEvent> {
  let cursor = from;
  let seen = '';
  let first = true;
  while (!signal.aborted) {
    let look: Look;
    try {
      look = await (first ? lookAt : lookWithOthers)(ctx, job_id, cursor);
    } catch (error) {
      if (error instanceof AppError && error.code === 'not_found') {
        if (first) throw error;
        yield { type: 'gone', cursor };
        return;
      }
      // The database is away: the viewer keeps the stream and hears more when it is back.
      if (error instanceof AppError && error.code === 'database_unavailable' && !first) {
        yield { type: 'idle', cursor };
        await bell.wait(LOOK_ACTIVE_MS, signal);
        continue;
      }
      throw error;
    }
    if (first) cursor = await atMostNewest(ctx, job_id, cursor, look);
    first = false;
    let news = false;
    const version = `${look.row.job.updated_at.getTime()}.${look.row.job.event_seq}.${look.row.contact_lost_at?.getTime()}`;
    if (version !== seen) {
      seen = version;
      news = true;
      yield { type: 'job', job: look.row, cursor };
    }
    for (const batch of look.batches) {
      news = true;
      const attempt = batch[0]?.attempt ?? 0;
      if (attempt !== cursor.attempt && attempt > 1) {
        yield { type: 'reset', attempt, from_step: look.resumed.get(attempt) ?? 0, cursor };
      }
      cursor = { ...cursor, attempt, seq: batch.at(-1)?.seq ?? cursor.seq };
      yield { type: 'metrics', points: batch, cursor };
    }
    if (cursor.log_offset === TAIL && look.row.job.attempt > 0) {
      const log_attempt = look.row.job.attempt;
      cursor = { ...cursor, log_attempt, log_offset: await logTail(job_id, log_attempt) };
    }
    const log = await logAfter(job_id, look.row, cursor);
    // An offset that no log has reached was never told: whoever sent it stands where everybody stands.
    if (log.next < cursor.log_offset) cursor = { ...cursor, log_offset: log.next };
    if (log.text !== '') {
      news = true;
      const offset = cursor.log_offset;
      cursor = { ...cursor, log_offset: log.next };
      yield { type: 'log', attempt: cursor.log_attempt, offset, text: log.text, cursor };
    } else if (cursor.log_offset !== TAIL && cursor.log_attempt < look.row.job.attempt) {
      cursor = { ...cursor, log_attempt: cursor.log_attempt + 1, log_offset: 0 };
      continue;
    }
    if (look.more || log.text !== '') continue;
    if (!news) yield { type: 'idle', cursor };
    await bell.wait(isTerminal(look.row.job.status) ? LOOK_SETTLED_MS : LOOK_ACTIVE_MS, signal);
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  }
}

/**
 * A cursor beyond everything that there is was never told: it is taken for the newest. Viewers of one job so come to stand
 * at one place, where one look serves them all, whatever ids they made up.
 */
async function atMostNewest(ctx: Context, job_id: string, cursor: JobCursor, look: Look): Promise<JobCursor> {
  const log_attempt = Math.min(cursor.log_attempt, Math.max(look.row.job.attempt, 1));
  if (look.batches.length > 0 || cursor.attempt === 0) return { ...cursor, log_attempt };
  const { attempt, seq } = (await asUser(ctx.user_id, (tx) => newestPoint(tx, job_id))) ?? START;
  const beyond = cursor.attempt > attempt || (cursor.attempt === attempt && cursor.seq > seq);
  return beyond ? { ...cursor, attempt, seq, log_attempt } : { ...cursor, log_attempt };
}

interface Look {
  row: JobRow;
  /** The next points, each attempt's by itself. */
  batches: MetricRow[][];
  /** True when there may be more points behind them. */
  more: boolean;
  resumed: Map<number, number>;
}

// Many viewers of one job stand at one cursor and are woken by one ring: what they look at is read once for all of them.
const looks = shareAnswers<Look>(SHARED_MS);
const logs = shareAnswers<{ text: string; next: number }>(SHARED_MS);

/** As `lookAt`, at most SHARED_MS old: always younger than the ring that a viewer settles after. */
function lookWithOthers(ctx: Context, job_id: string, cursor: JobCursor): Promise<Look> {
  // The user stands in the key: an answer never reaches another one.
  return looks(`${ctx.user_id} ${job_id} ${cursor.attempt} ${cursor.seq}`, () => lookAt(ctx, job_id, cursor));
}

function lookAt(ctx: Context, job_id: string, cursor: JobCursor): Promise<Look> {
  return asUser(ctx.user_id, async (tx) => {
    const row = await findJob(tx, job_id);
    const points = await metricsAfter(tx, job_id, cursor, POINTS_A_BATCH);
    const resumed = new Map<number, number>();
    if (points.some((point) => point.attempt > 1)) {
      const runs = await tx
        .select({ attempt: jobRuns.attempt, from: jobRuns.resumed_from_step })
        .from(jobRuns)
        .where(eq(jobRuns.job_id, job_id))
        .orderBy(asc(jobRuns.attempt));
      for (const run of runs) resumed.set(run.attempt, run.from ?? 0);
    }
    return { row, batches: byAttempt(points), more: points.length === POINTS_A_BATCH, resumed };
  });
}

async function logAfter(job_id: string, row: JobRow, cursor: JobCursor): Promise<{ text: string; next: number }> {
  if (cursor.log_offset === TAIL) return { text: '', next: TAIL };
  const over = isTerminal(row.job.status) || cursor.log_attempt < row.job.attempt;
  // Whose job it is the look before has said.
  return logs(`${job_id} ${cursor.log_attempt} ${cursor.log_offset} ${over}`, () =>
    readLog(job_id, cursor.log_attempt, cursor.log_offset, over),
  );
}

function byAttempt(points: MetricRow[]): MetricRow[][] {
  return Array.from(Map.groupBy(points, (point) => point.attempt).values());
}
