import { join } from 'node:path';
import { env } from '#/env.ts';
import { localFolder } from './local-folder.ts';
import { s3Options } from './s3/s3-options.ts';
import { s3Storage } from './s3/s3-storage.ts';
import type { Storage } from './storage.ts';

let chosen: Storage | undefined;

/** Says where files lie, for a test. Without it they lie where the environment says, or else in the data directory. */
export function connectStorage(storage: Storage): void {
  chosen = storage;
}

/** The installation's storage. */
export function storage(): Storage {
  if (chosen === undefined) {
    const root = join(env.data_dir, 'storage');
    const s3 = s3Options();
    chosen = s3 === null ? localFolder(root) : s3Storage(s3, root);
  }
  return chosen;
}
