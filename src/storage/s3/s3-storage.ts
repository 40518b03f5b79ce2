import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import type { LookupFunction } from 'node:net';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { AppError } from '#/domain/app-error.ts';
import { isAbsent, storageFull } from '../disk-error.ts';
import { storageLimits } from '../limits.ts';
import { localFolder } from '../local-folder.ts';
import { plainParts } from '../open-beneath.ts';
import { OWNER, RESOURCE, refuseOddName, refuseOddPlace } from '../places.ts';
import {
  MANIFEST,
  MANIFEST_BYTES_MAX,
  manifestText,
  oneChunk,
  parseManifest,
  sameContent,
  walkFolder,
} from '../published-folder.ts';
import { hashFile, writeStream } from '../staged-file.ts';
import type { ByteRange, OpenedFile, PublishedFile, Storage, StoredFile, StoredResource } from '../storage.ts';
import { objectKey, resourcePrefix } from './object-key.ts';
import type { ObjectStore } from './object-store.ts';
import { asS3Error } from './s3-error.ts';
import type { S3Options } from './s3-options.ts';

/** A copy that breaks off is begun again so often. */
const COPY_TRIES = 4;
const COPY_PAUSE_MS = 250;
const REMOVED_AT_ONCE = 8;

/**
 * Storage on an S3 server: `{owner}/{resource_id}/file…` in two buckets, one for what was received, one for what was published,
 * whose manifest is written last and removed first, so that a folder is there whole or not at all. Below `root`, on this
 * machine, lie stages and the copies of published folders that programs read. `lookup` finds hosts in the system's place.
 */
export function s3Storage(options: S3Options, root: string, lookup?: LookupFunction): Storage {
  const { datasets_bucket: received, models_bucket: published } = options;
  const buckets = [...new Set([published, received])];
  const here = localFolder(root);
  let connected: Promise<ObjectStore> | undefined;
  const store = (): Promise<ObjectStore> => {
    connected ??= import('./object-store.ts').then(({ objectStore }) => objectStore(options, lookup));
    return connected;
  };
  const copies = new Map<string, Promise<string>>();

  const keyOf = (owner: string, resource_id: string, path: string): string => {
    refuseOddPlace(owner, resource_id);
    try {
      plainParts(path);
    } catch {
      throw new AppError('not_found', 'No such file');
    }
    return objectKey(owner, resource_id, path);
  };

  /** Opens a file in the first of `places` that has it. */
  const openIn = async (
    verb: 'get' | 'getForReader',
    places: string[],
    key: string,
    range?: ByteRange,
    signal?: AbortSignal,
  ): Promise<OpenedFile> => {
    const [first = '', ...others] = places;
    try {
      return await (await store())[verb](first, key, range, signal);
    } catch (error) {
      if (others.length === 0 || !isNotFound(error)) throw error;
      return openIn(verb, others, key, range, signal);
    }
  };

  const readManifest = async (owner: string, resource_id: string, signal?: AbortSignal): Promise<PublishedFile[] | null> => {
    try {
      const { bytes, stream } = await (await store()).get(published, keyOf(owner, resource_id, MANIFEST), undefined, signal);
      if (bytes > MANIFEST_BYTES_MAX) {
        stream.destroy();
        throw new Error('A manifest is larger than any that we write');
      }
      return parseManifest((await buffer(stream)).toString('utf8'));
    } catch (error) {
      if (isNotFound(error)) return null;
      throw asS3Error(error);
    }
  };

  const keysOf = async (bucket: string, owner: string, resource_id: string): Promise<string[]> => {
    const keys: string[] = [];
    for await (const { key } of (await store()).list(bucket, resourcePrefix(owner, resource_id))) keys.push(key);
    return keys;
  };

  const removeKeys = async (bucket: string, keys: string[]): Promise<void> => {
    const { remove } = await store();
    for (let at = 0; at < keys.length; at += REMOVED_AT_ONCE)
      await Promise.all(keys.slice(at, at + REMOVED_AT_ONCE).map((key) => remove(bucket, key)));
  };

  const publishFolder: Storage['publishFolder'] = async (owner, resource_id, source_dir, signal) => {
    const manifest_key = keyOf(owner, resource_id, MANIFEST);
    const { put, remove } = await store();
    const there = await readManifest(owner, resource_id, signal);
    if (there !== null) {
      if (sameContent(there, await describeFolder(owner, resource_id, source_dir))) return there;
      // Published by an attempt that was never recorded: its place is free.
      await remove(published, manifest_key);
    }
    // What may not be published is refused before anything is sent.
    await walkFolder(source_dir, async () => undefined);
    const files: PublishedFile[] = [];
    await walkFolder(source_dir, async (source, path) => {
      const key = keyOf(owner, resource_id, path);
      const content = source.createReadStream({ autoClose: false, start: 0 });
      const stored = await put(published, key, content, Number.MAX_SAFE_INTEGER, signal);
      files.push({ id: fileId(owner, resource_id, path, stored), path, ...stored });
    });
    const known = new Set([manifest_key, ...files.map(({ path }) => keyOf(owner, resource_id, path))]);
    const stale = (await keysOf(published, owner, resource_id)).filter((key) => !known.has(key));
    await removeKeys(published, stale);
    signal?.throwIfAborted();
    await put(published, manifest_key, oneChunk(manifestText(files)), MANIFEST_BYTES_MAX);
    return files;
  };

  /** Brings an object to a new file. What breaks off is begun again; `conflict` when its sum is another than expected. */
  const copy = async (places: string[], key: string, target: string, expected: string, signal?: AbortSignal): Promise<void> => {
    for (let attempt = 1; ; attempt++) {
      const { bytes, stream } = await openIn('get', places, key, undefined, signal);
      try {
        await checkRoom(bytes);
        const { sha256 } = await writeStream(target, stream, Number.MAX_SAFE_INTEGER);
        if (sha256 === expected) return;
        throw new AppError('conflict', 'The stored file is not the one that was stored: it has another SHA-256');
      } catch (error) {
        stream.destroy();
        await rm(target, { force: true });
        signal?.throwIfAborted();
        const told = asS3Error(error);
        const broke_off = told instanceof AppError && told.code === 'storage_unavailable';
        if (!broke_off || attempt === COPY_TRIES) throw told;
        await pause(COPY_PAUSE_MS * 2 ** attempt, undefined, { signal });
      }
    }
  };

  /** A copy must leave the reserve of this machine's disk free. */
  const checkRoom = async (bytes: number): Promise<void> => {
    const free = await here.freeBytes();
    if (free !== null && free - bytes < storageLimits().disk_reserve_bytes) throw storageFull();
  };

  const bringFolder = async (owner: string, resource_id: string): Promise<string> => {
    const files = await readManifest(owner, resource_id);
    if (files === null) throw new AppError('not_found', 'No such folder');
    const name = `copy-${randomUUID()}`;
    try {
      const staged = await here.stagingFolder(name);
      await checkRoom(files.reduce((sum, file) => sum + file.bytes, 0));
      for (const { path, sha256 } of files) {
        const target = join(staged, ...plainParts(path));
        await mkdir(dirname(target), { recursive: true, mode: 0o700 });
        await copy([published], keyOf(owner, resource_id, path), target, sha256);
      }
      await here.publishStaged(owner, resource_id, staged);
      return await here.folderOnDisk(owner, resource_id);
    } finally {
      await here.removeStaging(name);
    }
  };

  const receive: Storage['receive'] = async (owner, resource_id, name, source, bytes_max) => {
    refuseOddName(name);
    return (await store()).put(received, keyOf(owner, resource_id, name), source, bytes_max);
  };

  return {
    receive,
    add: receive,

    async removeFile(owner, resource_id, name) {
      refuseOddName(name);
      await (await store()).remove(received, keyOf(owner, resource_id, name));
    },

    publishFolder,

    async publishStaged(owner, resource_id, staged_dir) {
      const files = await publishFolder(owner, resource_id, staged_dir);
      // Whoever publishes what was staged here reads it here, too.
      await here.publishStaged(owner, resource_id, staged_dir);
      return files;
    },

    published: readManifest,

    open: async (owner, resource_id, path, range, signal) =>
      openIn('getForReader', buckets, keyOf(owner, resource_id, path), range, signal),

    signedUrl: async (owner, resource_id, path, content_disposition) =>
      (await store()).signedUrl(published, keyOf(owner, resource_id, path), content_disposition),

    async fileOnDisk(owner, resource_id, path, expected, scratch, signal) {
      const key = keyOf(owner, resource_id, path);
      const target = join(scratch, ...plainParts(path));
      if ((await sumOf(target)) === expected) return target;
      await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      const part = `${target}.${randomUUID()}`;
      await copy([...new Set([received, published])], key, part, expected, signal);
      await rename(part, target);
      return target;
    },

    async folderOnDisk(owner, resource_id, signal) {
      refuseOddPlace(owner, resource_id);
      if ((await here.published(owner, resource_id)) !== null) return here.folderOnDisk(owner, resource_id);
      // Two runs that need the same folder wait for one copy, which goes on when one of them does not any more.
      const place = `${owner}/${resource_id}`;
      const coming = copies.get(place) ?? bringFolder(owner, resource_id).finally(() => copies.delete(place));
      copies.set(place, coming);
      return unlessAborted(coming, signal);
    },

    stagingFolder: here.stagingFolder,
    removeStaging: here.removeStaging,

    async remove(owner, resource_id) {
      const manifest_key = keyOf(owner, resource_id, MANIFEST);
      await (await store()).remove(published, manifest_key);
      for (const bucket of buckets) await removeKeys(bucket, await keysOf(bucket, owner, resource_id));
      await here.remove(owner, resource_id);
    },

    async *resources() {
      const copied = new Map<string, StoredResource>();
      for await (const copy of here.resources()) copied.set(`${copy.owner}/${copy.resource_id}`, copy);
      const { list } = await store();
      for (const bucket of buckets) {
        let last = null as StoredResource | null;
        for await (const { key, modified_at } of list(bucket, '')) {
          const [owner = '', resource_id = '', file] = key.split('/');
          if (!OWNER.test(owner) || !RESOURCE.test(resource_id) || file === undefined) continue;
          if (last?.owner === owner && last.resource_id === resource_id) {
            if (modified_at > last.modified_at) last.modified_at = modified_at;
            continue;
          }
          if (last !== null) yield last;
          last = { owner, resource_id, modified_at };
          copied.delete(`${owner}/${resource_id}`);
        }
        if (last !== null) yield last;
      }
      yield* copied.values();
    },

    async collectStaging(older_than_ms) {
      let removed = await here.collectStaging(older_than_ms);
      const { unfinished, giveUp } = await store();
      for (const bucket of buckets) {
        for await (const { key, upload_id, began_at } of unfinished(bucket)) {
          const [owner = '', resource_id = ''] = key.split('/');
          if (!OWNER.test(owner) || !RESOURCE.test(resource_id)) continue;
          if (Date.now() - began_at.getTime() < older_than_ms) continue;
          await giveUp(bucket, key, upload_id);
          removed++;
        }
      }
      return removed;
    },

    freeBytes: here.freeBytes,
  };
}

/** What `work` ends with, unless the signal comes first. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = () => reject(signal?.reason);
    if (signal?.aborted) end();
    signal?.addEventListener('abort', end, { once: true });
    work.then(resolve, reject).finally(() => signal?.removeEventListener('abort', end));
  });
}

function isNotFound(error: unknown): boolean {
  return error instanceof AppError && error.code === 'not_found';
}

/** The same for the same bytes at the same place, so that publishing again, or twice at once, makes one manifest. */
function fileId(owner: string, resource_id: string, path: string, { sha256 }: StoredFile): string {
  const hex = createHash('sha256').update(`file ${owner} ${resource_id} ${sha256} ${path}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** A folder as it would be published. */
async function describeFolder(owner: string, resource_id: string, source_dir: string): Promise<PublishedFile[]> {
  const files: PublishedFile[] = [];
  await walkFolder(source_dir, async (source, path) => {
    const stored = await hashFile(source);
    files.push({ id: fileId(owner, resource_id, path, stored), path, ...stored });
  });
  return files;
}

/** The SHA-256 of a file; null when there is none. */
async function sumOf(path: string): Promise<string | null> {
  try {
    const file = await open(path, 'r');
    try {
      return (await hashFile(file)).sha256;
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
}
