import { access } from 'node:fs/promises';
import { and, asc, eq, gt, inArray } from 'drizzle-orm';
import * as z from 'zod';
import { jobEvents } from '#/db/schema/jobs.ts';
import { sampleImages } from '#/db/schema/samples.ts';
import { asUser } from '#/db/tenancy.ts';
import { CheckpointEvent, SampleEvent } from '#/domain/trainer-events.ts';
import type { Context } from '#/services/context.ts';
import { cutPage, oneMore } from '#/services/page-cursor.ts';
import { checkpointEnd } from '#/storage/run-folder.ts';
import { findJob } from './job-row.ts';

export interface OutputQuery {
  /** The number of the event behind which the page begins. */
  after: number;
  limit: number;
}

/** One of a kind, with the number of its event. */
interface Found {
  id: number;
  attempt: number;
  step: number;
  created_at: Date;
}

export interface OutputPage<T> {
  rows: (Found & T)[];
  /** What the next page is asked for with; null: there is none. */
  next_after: number | null;
}

// What else the event holds is for others.
const Checkpoint = z.object(CheckpointEvent.pick({ step: true, path: true, bytes: true }).shape);
const { step, prompt, text, image } = SampleEvent.shape;
const Sample = z.object({ step, prompt, text, image });

/** One page of what a job's trainer told of a kind, in order. Throws `not_found`. */
async function readKind<T extends z.ZodType<{ step: number }>>(
  ctx: Context,
  job_id: string,
  type: 'checkpoint' | 'sample',
  Told: T,
  { after, limit }: OutputQuery,
): Promise<OutputPage<z.infer<T>>> {
  const events = await asUser(ctx.user_id, async (tx) => {
    await findJob(tx, job_id);
    return tx
      .select()
      .from(jobEvents)
      .where(and(eq(jobEvents.job_id, job_id), eq(jobEvents.type, type), gt(jobEvents.seq, after)))
      .orderBy(asc(jobEvents.seq))
      .limit(oneMore({ limit }));
  });
  const { rows, next_cursor: next_after } = cutPage(events, limit, ({ seq }) => seq);
  const told = rows.map(({ seq: id, attempt, created_at, data }) => ({ ...Told.parse(data), id, attempt, created_at }));
  return { rows: told, next_after };
}

/**
 * The checkpoints that a job's attempts told of. `kept` is what lies on this host still; a later attempt that went on from an
 * earlier step wrote its own. Throws `not_found`.
 */
export async function readCheckpoints(ctx: Context, job_id: string, query: OutputQuery) {
  const { rows, next_after } = await readKind(ctx, job_id, 'checkpoint', Checkpoint, query);
  const looked = rows.map(async ({ path, ...row }) => {
    const kept = await access(checkpointEnd(job_id, row.attempt, path)).then(
      () => true,
      () => false,
    );
    return { ...row, kept };
  });
  return { rows: await Promise.all(looked), next_after };
}

/** Where a picture of a job is; null: it was told of before pictures were stored. */
export type SampleImageState = Pick<typeof sampleImages.$inferSelect, 'status' | 'error_code'> | null;

/** What the model made of the sample prompts, in order: texts, and pictures with what became of them. Throws `not_found`. */
export async function readSamples(ctx: Context, job_id: string, query: OutputQuery) {
  const { rows, next_after } = await readKind(ctx, job_id, 'sample', Sample, query);
  const drawn = rows.filter(({ image }) => image !== undefined).map(({ id }) => id);
  const { seq, status, error_code } = sampleImages;
  const states =
    drawn.length === 0
      ? []
      : await asUser(ctx.user_id, (tx) =>
          tx
            .select({ seq, status, error_code })
            .from(sampleImages)
            .where(and(eq(sampleImages.user_id, ctx.user_id), eq(sampleImages.job_id, job_id), inArray(seq, drawn))),
        );
  const state_of = new Map<number, SampleImageState>(states.map(({ seq: id, ...state }) => [id, state]));
  return { rows: rows.map((row) => ({ ...row, state: state_of.get(row.id) ?? null })), next_after };
}
