import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '#/domain/app-error.ts';
import { openHubToken } from '#/services/transfers/hub-token.ts';
import { finishPush, type PushedArtifact, pushClaims, readPushed } from '#/services/transfers/push-claim.ts';
import type { TransferRow } from '#/services/transfers/transfer-row.ts';
import { storage } from '#/storage/connect-storage.ts';
import { FetchFailure } from './hub-fetch.ts';
import { type PushOrder, pushToHub } from './hub-push.ts';
import { keepClaim } from './keep-claim.ts';
import { isAway, isFenced } from './patience.ts';

const PASSPORT = 'passport.json';

/**
 * Pushes the oldest artifact that waits for it to the Hub; true when there was one. Killed at any moment, the next call does it
 * anew: what the Hub has is not sent again, and a commit that was made already is answered instead of a second one.
 */
export async function pushNextArtifact(signal?: AbortSignal): Promise<boolean> {
  const transfer = await pushClaims.claim();
  if (transfer === null) return false;
  const kept = keepClaim(async (progress) => {
    await pushClaims.renew(transfer, progress);
    return true;
  });
  const ended = AbortSignal.any(signal === undefined ? [kept.lost] : [kept.lost, signal]);
  try {
    const artifact = await readPushed(transfer);
    if (artifact === null)
      throw new FetchFailure('artifact_gone', 'the artifact was deleted before it was pushed: restore it, then push it again');
    const order = await orderOf(transfer, artifact, ended);
    const commit = await send(transfer, order, ended, kept.note);
    if (commit !== null) await finishPush(transfer, commit, bytesOf(order));
    else if (!kept.lost.aborted) await pushClaims.release(transfer).catch(() => undefined);
  } catch (error) {
    kept.stop();
    await settleFailure(transfer, error, ended);
  } finally {
    kept.stop();
    await storage().removeStaging(stagingName(transfer));
  }
  return true;
}

/** What is to be sent: the published files as they lie there, and the passport, which lies in the artifact's row. */
async function orderOf(transfer: TransferRow, artifact: PushedArtifact, signal: AbortSignal): Promise<PushOrder> {
  const folder = await storage().folderOnDisk(transfer.user_id, artifact.id, signal);
  const files = artifact.files.map(({ path, bytes, sha256 }) => ({ path, at: join(folder, path), bytes, sha256 }));
  if (Object.keys(artifact.passport).length > 0 && files.every(({ path }) => path !== PASSPORT)) {
    const text = Buffer.from(`${JSON.stringify(artifact.passport, null, 2)}\n`);
    const at = join(await storage().stagingFolder(stagingName(transfer)), PASSPORT);
    await writeFile(at, text, { mode: 0o600 });
    files.push({ path: PASSPORT, at, bytes: text.length, sha256: createHash('sha256').update(text).digest('hex') });
  }
  return {
    hf_repo_id: transfer.hf_repo_id,
    branch: transfer.hf_requested_revision,
    private: transfer.options.private ?? true,
    message: transfer.options.message ?? `Add ${artifact.name}`,
    files,
  };
}

const bytesOf = (order: PushOrder) => order.files.reduce((sum, file) => sum + file.bytes, 0);

async function send(
  transfer: TransferRow,
  order: PushOrder,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<string | null> {
  const token = await openHubToken(transfer);
  if (token === undefined) throw new FetchFailure('internal', 'it has no token any more: push it again, with the token');
  const order_path = join(await storage().stagingFolder(stagingName(transfer)), 'order');
  await writeFile(order_path, JSON.stringify(order), { mode: 0o600 });
  return pushToHub({
    order_path,
    token,
    signal,
    onListing: ({ bytes, files }) => pushClaims.renew(transfer, { bytes_total: bytes, files }),
    onBytes,
  });
}

/** Takes a push to its end that threw. Throws what says nothing to whoever asked for it. */
async function settleFailure(transfer: TransferRow, error: unknown, ended: AbortSignal): Promise<void> {
  if (isFenced(error)) return;
  const reason = reasonOf(error);
  if (reason === null) {
    // What is away costs the push none of its tries, nor does a copy from a storage elsewhere that was broken off with it.
    if (ended.aborted || isAway(error)) await pushClaims.release(transfer).catch(() => undefined);
    if (!ended.aborted) throw error;
    return;
  }
  await pushClaims.fail(transfer, reason).catch((late: unknown) => {
    if (!isFenced(late)) throw late;
  });
}

function reasonOf(error: unknown): { code: string; message: string } | null {
  if (error instanceof FetchFailure) return { code: error.code, message: error.message };
  if (!(error instanceof AppError)) return null;
  if (error.code === 'not_ready') return { code: 'internal', message: error.message };
  if (error.code === 'storage_full') return { code: 'disk_full', message: error.message };
  if (error.code === 'not_found') return { code: 'artifact_gone', message: 'its files are gone from storage' };
  if (error.code === 'conflict') return { code: 'checksum_mismatch', message: error.message };
  return null;
}

const stagingName = (transfer: TransferRow) => `push-${transfer.id}`;
