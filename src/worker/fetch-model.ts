import { realpath } from 'node:fs/promises';
import { AppError } from '#/domain/app-error.ts';
import { type FetchLine, readFetchLine } from '#/domain/model-fetch.ts';
import { env } from '#/env.ts';
import {
  claimModelFetch,
  FETCH_LEASE_S,
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
import { storage } from '#/storage/connect-storage.ts';
import { SHARED_OWNER } from '#/storage/storage.ts';
import { runPythonProgram } from './python-program.ts';

const FETCH_TIMEOUT_MS = 24 * 3_600_000;
const RENEW_MS = (FETCH_LEASE_S * 1000) / 4;

/** A model that cannot be had, for a reason that its row is to show. */
class ModelFailure extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Fetches the oldest model that waits for it from the Hub, or sums a large local one; true when there was one. A model
 * that cannot be had ends as `error` with its reason. Killed at any moment, the next call goes on with what is there.
 */
export async function fetchNextModel(signal?: AbortSignal): Promise<boolean> {
  const claim = await claimModelFetch();
  if (claim === null) return false;
  const { model } = claim;
  let fetched: { bytes: number; bytes_total: number } | null = null;
  const lost = new AbortController();
  const renewal = setInterval(() => {
    renewModelFetch(model, fetched).catch((error: unknown) => {
      // A database that is away for a while costs nothing: the claim is tried again. Another holder ends us.
      if (error instanceof AppError && error.code === 'fenced') lost.abort();
    });
  }, RENEW_MS);
  const ended = AbortSignal.any(signal === undefined ? [lost.signal] : [lost.signal, signal]);
  try {
    if (model.local_path !== null) await settleLocal(model, model.local_path);
    else {
      await fetchFromHub(model, claim.bytes_max, ended, (progress) => {
        fetched = progress;
      });
      await settleFetched(model);
    }
  } catch (error) {
    if (error instanceof AppError && error.code === 'fenced') return true;
    if (ended.aborted) {
      await releaseModelFetch(model).catch(() => undefined);
      return true;
    }
    if (error instanceof ModelFailure) await failModelFetch(model, { code: error.code, message: error.message });
    else if (error instanceof AppError && error.code === 'storage_full')
      await failModelFetch(model, { code: 'disk_full', message: error.message });
    else throw error;
  } finally {
    clearInterval(renewal);
  }
  return true;
}

async function settleLocal(model: BaseModelRow, folder: string): Promise<void> {
  const reading = await readModelFolder(folder, await realModelFolders()).catch(() => null);
  if (reading === null) throw new ModelFailure('model_not_found', 'its folder is gone: register it again where it lies now');
  if (!reading.ok) throw new ModelFailure(reading.refusal.code, reading.refusal.message);
  const names = reading.folder.weights.map((file) => file.path);
  await finishModelFetch(model, reading.folder, await hashWeights(folder, names));
}

/** Brings the model's files into storage. Nothing to do when an earlier attempt got that far. */
async function fetchFromHub(
  model: BaseModelRow,
  bytes_max: number,
  signal: AbortSignal,
  onProgress: (progress: { bytes: number; bytes_total: number }) => void,
): Promise<void> {
  if ((await storage().published(SHARED_OWNER, model.id)) !== null) return;
  await checkDisk(0);
  const staged = await storage().stagingFolder(stagingName(model));
  const free = (await storage().freeBytes()) ?? Number.MAX_SAFE_INTEGER;
  let last: FetchLine | null = null;
  let bytes_total = 0;
  let pinned: Promise<void> = Promise.resolve();
  const end = await runPythonProgram({
    args: [
      '-m',
      'lora_trainer.fetch',
      ...['--repo', model.hf_repo_id ?? '', '--revision', model.hf_revision ?? model.hf_requested_revision ?? 'main'],
      ...['--into', staged, '--bytes-max', String(Math.max(0, Math.min(bytes_max, free)))],
    ],
    timeout_ms: FETCH_TIMEOUT_MS,
    signal,
    variables: {
      HF_HUB_OFFLINE: '0',
      HF_ENDPOINT: env.HF_ENDPOINT,
      ...(env.HF_TOKEN !== undefined && { HF_TOKEN: env.HF_TOKEN }),
    },
    onLine: (text) => {
      const line = readFetchLine(text);
      if (line === null) return;
      last = line;
      if (line.type === 'listing') {
        bytes_total = line.bytes;
        pinned = pinModel(model, line.commit, line.bytes);
        pinned.catch(() => undefined);
      } else if (line.type === 'progress') onProgress({ bytes: line.bytes, bytes_total });
    },
  });
  await pinned;
  judge(last, end.code, end.ended_by);
  await storage().publishStaged(SHARED_OWNER, model.id, staged);
}

function judge(last: FetchLine | null, code: number | null, ended_by: string | null): void {
  if (last?.type === 'done' && code === 0) return;
  if (last?.type === 'error') throw new ModelFailure(last.code, last.message);
  if (ended_by === 'timeout')
    throw new ModelFailure('hub_unreachable', 'it could not be fetched within a day: register it again to go on');
  throw new ModelFailure('internal', 'the fetch ended without a word: see the log of the worker, then register the model again');
}

async function settleFetched(model: BaseModelRow): Promise<void> {
  const files = (await storage().published(SHARED_OWNER, model.id)) ?? [];
  const folder = await realpath(await storage().localPath(SHARED_OWNER, model.id));
  const reading = await readModelFolder(folder, [folder]);
  if (!reading.ok) {
    await storage().remove(SHARED_OWNER, model.id);
    throw new ModelFailure(reading.refusal.code, reading.refusal.message);
  }
  const weights = new Set(reading.folder.weights.map((file) => file.path));
  await finishModelFetch(model, reading.folder, weightsChecksum(files.filter((file) => weights.has(file.path))));
  await storage().removeStaging(stagingName(model));
}

function stagingName(model: BaseModelRow): string {
  return `model-${model.id}`;
}
