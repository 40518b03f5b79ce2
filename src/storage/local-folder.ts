import { randomUUID } from 'node:crypto';
import { lstat, mkdir, readdir, rename, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { asStorageError, errnoOf, isAbsent } from './disk-error.ts';
import { openFileBeneath } from './open-beneath.ts';
import { OWNER, RESOURCE, refuseOddName, refuseOddPlace } from './places.ts';
import { readManifest, sameContent, stageCopy, stageInPlace } from './published-folder.ts';
import { syncFolder, writeStream } from './staged-file.ts';
import type { PublishedFile, Storage } from './storage.ts';

/** Beside the owners' folders, so that a rename out of it never crosses a file system. */
const STAGING = '.staging';
const STAGING_NAME = /^[a-z0-9-]{1,100}$/;

/**
 * Storage in one private folder: `{root}/{owner}/{resource_id}/file…`. Ids make the paths, names never do. What is
 * written is staged, synced and renamed, so a crash leaves no half file under a resource.
 */
export function localFolder(root: string): Storage {
  const folderOf = (owner: string, resource_id: string): string => {
    refuseOddPlace(owner, resource_id);
    return join(root, owner, resource_id);
  };
  const newStaging = async (): Promise<string> => {
    const path = join(root, STAGING, randomUUID());
    await mkdir(path, { recursive: true, mode: 0o700 });
    return path;
  };
  const ownerFolder = async (owner: string): Promise<string> => {
    const path = join(root, owner);
    if ((await mkdir(path, { recursive: true, mode: 0o700 })) !== undefined) await syncFolder(root);
    return path;
  };

  /** Renames a whole staged folder to its place, or finds that the same content is there already. */
  const settle = async (owner: string, resource_id: string, staged: string, files: PublishedFile[]): Promise<PublishedFile[]> => {
    const target = folderOf(owner, resource_id);
    const parent = await ownerFolder(owner);
    for (let attempt = 1; ; attempt++) {
      const there = await readManifest(target);
      if (there !== null && sameContent(there, files)) {
        await rm(staged, { recursive: true, force: true });
        return there;
      }
      try {
        await rename(staged, target);
        await syncFolder(parent);
        return files;
      } catch (error) {
        const occupied = errnoOf(error) === 'ENOTEMPTY' || errnoOf(error) === 'EEXIST';
        if (!occupied || attempt === 3) throw error;
        // Published by an attempt that was never recorded: its place is free.
        await discard(target);
      }
    }
  };

  /** Takes a folder out of sight by one rename, then removes it at leisure. */
  const discard = async (path: string): Promise<void> => {
    await mkdir(join(root, STAGING), { recursive: true, mode: 0o700 });
    const aside = join(root, STAGING, randomUUID());
    try {
      await rename(path, aside);
    } catch (error) {
      if (isAbsent(error)) return;
      throw error;
    }
    await rm(aside, { recursive: true, force: true });
  };

  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw asStorageError(error);
    }
  };

  /** Runs `work` in a fresh staging folder, of which nothing is left when it fails. */
  const staged = <T>(work: (folder: string) => Promise<T>): Promise<T> =>
    guarded(async () => {
      const folder = await newStaging();
      try {
        return await work(folder);
      } catch (error) {
        await rm(folder, { recursive: true, force: true });
        throw error;
      }
    });

  return {
    receive: (owner, resource_id, name, source, bytes_max) =>
      staged(async (folder) => {
        const target = folderOf(owner, resource_id);
        refuseOddName(name);
        const stored = await writeStream(join(folder, name), source, bytes_max);
        await syncFolder(folder);
        const parent = await ownerFolder(owner);
        await rename(folder, target);
        await syncFolder(parent);
        return stored;
      }),

    add: (owner, resource_id, name, source, bytes_max) =>
      staged(async (folder) => {
        const target = folderOf(owner, resource_id);
        refuseOddName(name);
        const stored = await writeStream(join(folder, name), source, bytes_max);
        const parent = await ownerFolder(owner);
        if ((await mkdir(target, { recursive: true, mode: 0o700 })) !== undefined) await syncFolder(parent);
        await rename(join(folder, name), join(target, name));
        await syncFolder(target);
        await rm(folder, { recursive: true, force: true });
        return stored;
      }),

    removeFile: (owner, resource_id, name) =>
      guarded(async () => {
        refuseOddName(name);
        await rm(join(folderOf(owner, resource_id), name), { force: true });
      }),

    publishFolder: (owner, resource_id, source_dir) =>
      staged(async (folder) => settle(owner, resource_id, folder, await stageCopy(source_dir, folder))),

    publishStaged: (owner, resource_id, staged_dir) =>
      guarded(async () => settle(owner, resource_id, staged_dir, await stageInPlace(staged_dir))),

    published: (owner, resource_id) => guarded(() => readManifest(folderOf(owner, resource_id))),

    open: (owner, resource_id, path, range, signal) =>
      guarded(async () => {
        signal?.throwIfAborted();
        const file = await openFileBeneath(folderOf(owner, resource_id), path);
        const bytes = (await file.stat()).size;
        if (signal?.aborted) await file.close();
        signal?.throwIfAborted();
        const whole = range === undefined;
        return { bytes, stream: file.createReadStream(whole ? { start: 0 } : { start: range.first, end: range.last }) };
      }),

    async signedUrl() {
      return null;
    },

    fileOnDisk: (owner, resource_id, path) =>
      guarded(async () => {
        const folder = folderOf(owner, resource_id);
        await (await openFileBeneath(folder, path)).close();
        return join(folder, path);
      }),

    async folderOnDisk(owner, resource_id) {
      return folderOf(owner, resource_id);
    },

    stagingFolder: (name) =>
      guarded(async () => {
        if (!STAGING_NAME.test(name)) throw new Error(`${name} is no name for a staging folder`);
        const path = join(root, STAGING, name);
        await mkdir(path, { recursive: true, mode: 0o700 });
        return path;
      }),

    removeStaging: (name) =>
      guarded(async () => {
        if (!STAGING_NAME.test(name)) throw new Error(`${name} is no name for a staging folder`);
        await rm(join(root, STAGING, name), { recursive: true, force: true });
      }),

    remove: (owner, resource_id) => guarded(() => discard(folderOf(owner, resource_id))),

    async *resources() {
      for (const owner of await names(root)) {
        if (!OWNER.test(owner)) continue;
        for (const resource_id of await names(join(root, owner))) {
          if (!RESOURCE.test(resource_id)) continue;
          const facts = await lstat(join(root, owner, resource_id)).catch(() => null);
          if (facts !== null) yield { owner, resource_id, modified_at: facts.mtime };
        }
      }
    },

    collectStaging: (older_than_ms) =>
      guarded(async () => {
        let removed = 0;
        for (const name of await names(join(root, STAGING))) {
          const path = join(root, STAGING, name);
          if (Date.now() - (await newestChange(path)) < older_than_ms) continue;
          await rm(path, { recursive: true, force: true });
          removed++;
        }
        return removed;
      }),

    freeBytes: () =>
      guarded(async () => {
        await mkdir(root, { recursive: true, mode: 0o700 });
        const disk = await statfs(root);
        return disk.bavail * disk.bsize;
      }),
  };
}

async function names(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
}

/** When anything in a folder, however deep, was last written, in epoch milliseconds; 0 for one that is gone. */
async function newestChange(path: string): Promise<number> {
  const facts = await lstat(path).catch(() => null);
  if (facts === null) return 0;
  let newest = facts.mtimeMs;
  if (!facts.isDirectory()) return newest;
  for (const name of await names(path)) newest = Math.max(newest, await newestChange(join(path, name)));
  return newest;
}
