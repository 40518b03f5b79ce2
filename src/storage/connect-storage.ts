import { join } from 'node:path';
import { env } from '#/env.ts';
import { localFolder } from './local-folder.ts';
import type { Storage } from './storage.ts';

let chosen: Storage | undefined;

/** Says where files lie, for a test or another backend. Without it they lie in the data directory. */
export function connectStorage(storage: Storage): void {
  chosen = storage;
}

/** The installation's storage. */
export function storage(): Storage {
  chosen ??= localFolder(join(env.data_dir, 'storage'));
  return chosen;
}
