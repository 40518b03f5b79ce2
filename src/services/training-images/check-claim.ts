/** A worker's hold on one training image that is to be asked what it can do: taken, and settled under its number. */
import { sql } from 'drizzle-orm';
import { trainingImages } from '#/db/schema/training-images.ts';
import { asScheduler } from '#/db/tenancy.ts';
import type { TrainerHello } from '#/domain/trainer-hello.ts';
import type { ImageReason } from '#/domain/training-images.ts';
import { CLAIM_ATTEMPTS_MAX, workClaims } from '#/services/work-claims.ts';
import type { ImageRow } from './image-row.ts';

/** Longer than a check takes at most: it is not renewed. */
export const CHECK_LEASE_S = 120;
const claims = workClaims(trainingImages, sql`status = 'checking'`, CHECK_LEASE_S, 'created_by');

const over = { lease_until: null, checked_at: sql`clock_timestamp()` };
const unusable = { digest: null, hello: null, ...over, status: 'error' as const };

/** Takes the oldest image that waits for its check, or whose checker went silent; null when there is none. */
export async function claimImageCheck(): Promise<ImageRow | null> {
  const claim = await asScheduler(async (tx) => {
    const image = await claims.take(tx);
    if (image === null || image.attempts <= CLAIM_ATTEMPTS_MAX) return image;
    const message = 'the worker ended several times while it checked this image; see its log, then have it checked again';
    await claims.write(tx, image, { ...unusable, status_reason: { code: 'internal', message } });
    return 'ended' as const;
  });
  return claim === 'ended' ? claimImageCheck() : claim;
}

/** Trainings may name it, as what it is now. Throws `fenced`. */
export const finishImageCheck = (image: ImageRow, digest: string, hello: TrainerHello): Promise<void> =>
  asScheduler((tx) => claims.write(tx, image, { digest, hello, ...over, status: 'ready', status_reason: null }));

/** It is no good, for this reason; an administrator may have it checked again. Throws `fenced`. */
export const failImageCheck = (image: ImageRow, status_reason: ImageReason): Promise<void> =>
  asScheduler((tx) => claims.write(tx, image, { ...unusable, status_reason }));
/** Gives the check back, to be made a while later: what keeps it now is told meanwhile. Throws `fenced`. */
export const postponeImageCheck = (image: ImageRow, seconds: number, status_reason: ImageReason): Promise<void> =>
  asScheduler((tx) =>
    claims.write(tx, image, {
      status_reason,
      lease_until: sql`clock_timestamp() + make_interval(secs => ${seconds})`,
      attempts: Math.max(0, image.attempts - 1),
    }),
  );
