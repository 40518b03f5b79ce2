import { AppError } from '#/domain/app-error.ts';

/** How often a claim is renewed, its progress stored, and a cancellation heard, in milliseconds. */
const KEEP_MS = 1_000;

/** How far a transfer is. */
export interface TransferProgress {
  bytes_done: number;
  /** Since this attempt began; null until that can be told. */
  bytes_per_second: number | null;
}

export interface KeptClaim {
  /** Notes how many bytes are there: stored with the next renewal. */
  note(bytes_done: number): void;
  /** Aborted with `fenced` when the claim is somebody else's or over, with `unwanted` when nobody waits any more. */
  lost: AbortSignal;
  stop(): void;
}

/**
 * Renews a claim once a second until it is stopped. `renew` answers false when the work is not wanted any more. A database
 * that is away for a while costs nothing: the claim is tried again.
 */
export function keepClaim(renew: (progress: TransferProgress | null) => Promise<boolean>): KeptClaim {
  const lost = new AbortController();
  let progress: TransferProgress | null = null;
  let first: { at: number; bytes: number } | null = null;
  let is_busy = false;
  const timer = setInterval(() => {
    if (is_busy || lost.signal.aborted) return;
    is_busy = true;
    renew(progress)
      .then((wanted) => {
        if (!wanted) lost.abort('unwanted');
      })
      .catch((error: unknown) => {
        if (error instanceof AppError && error.code === 'fenced') lost.abort('fenced');
      })
      .finally(() => {
        is_busy = false;
      });
  }, KEEP_MS);
  return {
    note(bytes_done) {
      const now = performance.now();
      first ??= { at: now, bytes: bytes_done };
      const ms = now - first.at;
      const bytes_per_second = ms < KEEP_MS / 2 ? null : Math.max(0, Math.round(((bytes_done - first.bytes) * 1000) / ms));
      progress = { bytes_done, bytes_per_second };
    },
    lost: lost.signal,
    stop: () => clearInterval(timer),
  };
}
