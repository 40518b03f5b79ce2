/** What a training drew on its way into storage: noted with its event, stored by the worker that has the file, counted in its owner's quota. */
import { and, asc, count, eq, sql } from 'drizzle-orm';
import type * as z from 'zod';
import { jobEvents, jobRuns, trainingJobs } from '#/db/schema/jobs.ts';
import { sampleImages } from '#/db/schema/samples.ts';
import { asScheduler, type Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import {
  SAMPLE_IMAGE_BYTES_MAX,
  SAMPLE_IMAGES_MAX,
  type SampleImageRefusal,
  type SampleImageStatus,
} from '#/domain/sample-images.ts';
import { SampleEvent } from '#/domain/trainer-events.ts';
import { reserveQuota } from '#/services/storage/reserve-space.ts';

/** An event as it is stored, of a kind that may tell of a picture. */
interface NumberedEvent {
  seq: number;
  type: string;
  data: Record<string, unknown>;
}

const Told = SampleEvent.shape.image.unwrap();
/** Jobs whose next picture is stored in one round: a job that draws many holds up nobody else's. */
const JOBS_AT_ONCE = 16;
/** What the column holds. */
const BYTES_MAX = 2 ** 31 - 1;

/**
 * Notes the pictures among events of a run, in the transaction that stores those. Answers how many samples there are more to
 * see: texts and what is refused at once; pictures count when they are stored.
 */
export async function noteSamples(
  tx: Tx,
  run: { job_id: string; attempt: number; user_id: string },
  events: NumberedEvent[],
): Promise<number> {
  const samples = events.filter(({ type }) => type === 'sample');
  const drawn = samples.filter(({ data }) => data.image !== undefined);
  if (drawn.length === 0) return samples.length;
  const of_job = and(eq(sampleImages.user_id, run.user_id), eq(sampleImages.job_id, run.job_id));
  const [known] = await tx.select({ images: count() }).from(sampleImages).where(of_job);
  let room = SAMPLE_IMAGES_MAX - (known?.images ?? 0);
  const rows = drawn.map(({ seq, data }) => {
    const { bytes, sha256 } = Told.parse(data.image);
    const error_code: SampleImageRefusal | null = room-- <= 0 ? 'too_many' : bytes > SAMPLE_IMAGE_BYTES_MAX ? 'too_large' : null;
    const status: SampleImageStatus = error_code === null ? 'pending' : 'refused';
    return { ...run, seq, status, error_code, bytes: Math.min(bytes, BYTES_MAX), sha256 };
  });
  await tx.insert(sampleImages).values(rows);
  return samples.length - rows.filter(({ status }) => status === 'pending').length;
}

/** A picture that lies with its run still. */
export interface PendingSampleImage {
  user_id: string;
  job_id: string;
  seq: number;
  attempt: number;
  /** As its trainer told it. */
  told: z.infer<typeof Told>;
}

/** The next picture of each of some jobs, of the runs that this worker had. */
export async function pendingSampleImages(worker_id: string): Promise<PendingSampleImage[]> {
  const { user_id, job_id, seq, attempt } = sampleImages;
  const rows = await asScheduler((tx) =>
    tx
      .selectDistinctOn([job_id], { user_id, job_id, seq, attempt, told: sql<unknown>`${jobEvents.data} -> 'image'` })
      .from(sampleImages)
      .innerJoin(jobRuns, and(eq(jobRuns.job_id, job_id), eq(jobRuns.attempt, attempt)))
      .innerJoin(jobEvents, and(eq(jobEvents.job_id, job_id), eq(jobEvents.seq, seq)))
      .where(and(eq(sampleImages.status, 'pending'), eq(jobRuns.worker_id, worker_id)))
      .orderBy(asc(job_id), asc(seq))
      .limit(JOBS_AT_ONCE),
  );
  return rows.map(({ told, ...row }) => ({ ...row, told: Told.parse(told) }));
}

/**
 * Says what became of a picture: stored (null), or why not. One that is stored and does not fit into its owner's quota is
 * refused. Answers the reason; what is refused must lie in storage no more.
 */
export function settleSampleImage(
  image: Pick<PendingSampleImage, 'user_id' | 'job_id' | 'seq' | 'told'>,
  refusal: SampleImageRefusal | null,
): Promise<SampleImageRefusal | null> {
  const { user_id, job_id, seq, told } = image;
  return asScheduler(async (tx) => {
    const error_code = refusal ?? ((await fitsQuota(tx, user_id, told.bytes)) ? null : 'quota_exceeded');
    const settled = await tx
      .update(sampleImages)
      .set({ status: error_code === null ? 'kept' : 'refused', error_code })
      .where(
        and(
          eq(sampleImages.user_id, user_id),
          eq(sampleImages.job_id, job_id),
          eq(sampleImages.seq, seq),
          eq(sampleImages.status, 'pending'),
        ),
      )
      .returning({ seq: sampleImages.seq });
    // Its job was deleted meanwhile: what was stored for it goes with the rest of the job's.
    if (settled.length === 0) return error_code;
    await tx
      .update(trainingJobs)
      .set({ samples: sql`${trainingJobs.samples} + 1` })
      .where(eq(trainingJobs.id, job_id));
    return error_code;
  });
}

/** Until the end of the transaction nobody else takes of this user's quota. */
async function fitsQuota(tx: Tx, user_id: string, bytes: number): Promise<boolean> {
  try {
    await reserveQuota(tx, user_id, bytes, bytes);
    return true;
  } catch (error) {
    if (error instanceof AppError && error.code === 'quota_exceeded') return false;
    throw error;
  }
}
