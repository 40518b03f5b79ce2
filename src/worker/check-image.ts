/** Looks at what administrators have listed: whether it speaks the trainer protocol, and what it trains. */
import { AppError } from '#/domain/app-error.ts';
import { claimImageCheck, failImageCheck, finishImageCheck, postponeImageCheck } from '#/services/training-images/check-claim.ts';
import { askHello } from './executors/docker/ask-hello.ts';
import { EngineAway } from './executors/docker/engine.ts';
import type { WorkerParts } from './worker-parts.ts';

/** Between two looks at an engine that does not answer. */
const AWAY_S = 60;

/** Checks the oldest image that waits for it; true when there was one. Where runs are processes there is nothing to check with. */
export async function checkNextImage(parts: Pick<WorkerParts, 'launches_by' | 'engine' | 'worker_id' | 'log'>): Promise<boolean> {
  const { engine, worker_id, log } = parts;
  if (parts.launches_by !== 'docker' || engine === null) return false;
  const image = await claimImageCheck();
  if (image === null) return false;
  try {
    const asked = await askHello(engine, image.reference, worker_id);
    if (asked.ok) await finishImageCheck(image, asked.digest, asked.hello);
    else await failImageCheck(image, asked.reason);
    log.info({ image: image.name, ...(asked.ok ? { digest: asked.digest } : asked.reason) }, 'a training image is checked');
  } catch (error) {
    // Asked for anew meanwhile, or taken off the list.
    if (error instanceof AppError && error.code === 'fenced') return true;
    if (!(error instanceof EngineAway)) throw error;
    await postponeImageCheck(image, AWAY_S, { code: 'engine_away', message: error.message });
  }
  return true;
}
