import type { Readable } from 'node:stream';
import { and, eq } from 'drizzle-orm';
import { sampleImages } from '#/db/schema/samples.ts';
import { asUser } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { sampleImageFile } from '#/domain/sample-images.ts';
import type { Context } from '#/services/context.ts';
import { storage } from '#/storage/connect-storage.ts';
import type { ByteRange } from '#/storage/storage.ts';
import { findJob } from './job-row.ts';

export interface SampleImage {
  file_name: string;
  bytes: number;
  sha256: string;
  /** PNG; `gone` tells when nobody waits for it any more. */
  open(range: ByteRange | null, gone: AbortSignal): Promise<Readable>;
}

/** A picture that a job of the caller's drew, by the number of its event. Throws `not_found`. */
export async function openSampleImage(ctx: Context, job_id: string, seq: number): Promise<SampleImage> {
  const { user_id } = ctx;
  const found = await asUser(user_id, async (tx) => {
    await findJob(tx, job_id);
    const { user_id: owner, job_id: job, status, bytes, sha256 } = sampleImages;
    const [row] = await tx
      .select({ bytes, sha256 })
      .from(sampleImages)
      .where(and(eq(owner, user_id), eq(job, job_id), eq(sampleImages.seq, seq), eq(status, 'kept')));
    return row;
  });
  if (found === undefined) throw new AppError('not_found', 'The job has no picture of this number');
  const file_name = sampleImageFile(seq);
  return {
    ...found,
    file_name,
    async open(range, gone) {
      const opened = await storage().open(user_id, job_id, file_name, range ?? undefined, gone);
      if (opened.bytes !== found.bytes) {
        opened.stream.destroy();
        throw new Error(`Picture ${seq} of job ${job_id} has another size than was recorded`);
      }
      return opened.stream;
    },
  };
}
