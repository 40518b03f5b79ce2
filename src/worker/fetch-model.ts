import { realpath } from 'node:fs/promises';
import { AppError } from '#/domain/app-error.ts';
import {
  cancelModelFetch,
  claimModelFetch,
  type FetchClaim,
  failModelFetch,
  finishModelFetch,
  pinModel,
  releaseModelFetch,
  renewModelFetch,
} from '#/services/models/fetch-claim.ts';
import type { BaseModelRow } from '#/services/models/model-row.ts';
import { readModelFolder } from '#/services/models/read-model-folder.ts';
import { realModelFolders } from '#/services/models/register-local-model.ts';
import { hashWeights, weightsChecksum } from '#/services/models/weights-checksum.ts';
import { checkDisk } from '#/services/storage/reserve-space.ts';
import type { PinnedListing, RefusedBearer } from '#/services/transfers/model-transfers.ts';
import { storage } from '#/storage/connect-storage.ts';
import { SHARED_OWNER } from '#/storage/storage.ts';
import { FetchFailure, fetchFromHub } from './hub-fetch.ts';
import { keepClaim } from './keep-claim.ts';
import { isAway } from './patience.ts';
import { withEachToken } from './with-each-token.ts';

/**
 * Fetches the oldest model that waits for it from the Hub, or sums a large local one; true when there was one. A model
 * that cannot be had ends as `error` with its reason, one that nobody waits for any more as cancelled. Killed at any moment,
 * the next call goes on with what is there.
 */
export async function fetchNextModel(signal?: AbortSignal): Promise<boolean> {
  const claim = await claimModelFetch();
  if (claim === null) return false;
  const { model } = claim;
  let pinned: PinnedListing | null = null;
  const refused: RefusedBearer[] = [];
  const kept = keepClaim((progress) => renewModelFetch(model, { pinned, progress }));
  const ended = AbortSignal.any(signal === undefined ? [kept.lost] : [kept.lost, signal]);
  try {
    if (model.local_path !== null) await settleLocal(model, model.local_path);
    else {
      const onListing = async (listing: PinnedListing) => {
        await pinModel(model, listing);
        pinned = listing;
      };
      const is_there = await bring(claim, { signal: ended, onListing, onBytes: kept.note, refused });
      if (is_there) await settleFetched(model, refused);
      else await leave(model, kept.lost.reason);
    }
  } catch (error) {
    if (error instanceof AppError && error.code === 'fenced') return true;
    if (error instanceof FetchFailure) await failModelFetch(model, { code: error.code, message: error.message }, refused);
    else if (error instanceof AppError && error.code === 'storage_full')
      await failModelFetch(model, { code: 'disk_full', message: error.message }, refused);
    else {
      kept.stop();
      // What is away costs the model none of its tries.
      if (isAway(error)) await releaseModelFetch(model).catch(() => undefined);
      throw error;
    }
  } finally {
    kept.stop();
  }
  return true;
}

/** Gives a fetch up that was ended from outside: to the next worker, or for good when nobody waits for the model. */
async function leave(model: BaseModelRow, reason: unknown): Promise<void> {
  if (reason === 'fenced') return;
  if (reason === 'unwanted' && (await cancelModelFetch(model))) await storage().removeStaging(stagingName(model));
  else await releaseModelFetch(model).catch(() => undefined);
}

async function settleLocal(model: BaseModelRow, folder: string): Promise<void> {
  const reading = await readModelFolder(folder, await realModelFolders()).catch(() => null);
  if (reading === null) throw new FetchFailure('model_not_found', 'its folder is gone: register it again where it lies now');
  if (!reading.ok) throw new FetchFailure(reading.refusal.code, reading.refusal.message);
  const names = reading.folder.weights.map((file) => file.path);
  await finishModelFetch(model, reading.folder, await hashWeights(folder, names));
}

interface Bringing {
  signal: AbortSignal;
  onListing: (pinned: PinnedListing) => Promise<void>;
  onBytes: (bytes: number) => void;
  /** Those whose token was refused and who are not told yet are put here. */
  refused: RefusedBearer[];
}

/** Brings the model's files into storage; false when `signal` ended that. Nothing to do when an earlier attempt got so far. */
async function bring({ model, bytes_max }: FetchClaim, { signal, onListing, onBytes, refused }: Bringing): Promise<boolean> {
  if ((await storage().published(SHARED_OWNER, model.id)) !== null) return true;
  await checkDisk(0);
  const staged = await storage().stagingFolder(stagingName(model));
  const free = (await storage().freeBytes()) ?? Number.MAX_SAFE_INTEGER;
  let commit = model.hf_revision;
  const fetched = await withEachToken(model, refused, (token) =>
    fetchFromHub({
      kind: 'model',
      hf_repo_id: model.hf_repo_id ?? '',
      // Whoever's token the listing was read with: all of them go on with its commit.
      revision: commit ?? model.hf_requested_revision ?? 'main',
      into: staged,
      bytes_max: Math.min(bytes_max, free),
      token,
      signal,
      onListing: (listing) => {
        commit = listing.commit;
        return onListing({ hf_revision: listing.commit, bytes_total: listing.bytes, files: listing.files });
      },
      onBytes,
    }),
  );
  if (fetched === null) return false;
  await storage().publishStaged(SHARED_OWNER, model.id, staged);
  return true;
}

async function settleFetched(model: BaseModelRow, refused: RefusedBearer[]): Promise<void> {
  const files = (await storage().published(SHARED_OWNER, model.id)) ?? [];
  const folder = await realpath(await storage().folderOnDisk(SHARED_OWNER, model.id));
  const reading = await readModelFolder(folder, [folder]);
  if (!reading.ok) {
    await storage().remove(SHARED_OWNER, model.id);
    throw new FetchFailure(reading.refusal.code, reading.refusal.message);
  }
  const weights = new Set(reading.folder.weights.map((file) => file.path));
  await finishModelFetch(model, reading.folder, weightsChecksum(files.filter((file) => weights.has(file.path))), refused);
  await storage().removeStaging(stagingName(model));
}

function stagingName(model: BaseModelRow): string {
  return `model-${model.id}`;
}
