/** The kinds of storage that a test goes through one after the other. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { localFolder } from '#/storage/local-folder.ts';
import { s3Storage } from '#/storage/s3/s3-storage.ts';
import type { Storage } from '#/storage/storage.ts';
import { startS3, type TestS3 } from './s3-server.ts';

export interface TestStorage {
  storage: Storage;
  /** Takes a published file away behind the storage's back. */
  lose(owner: string, resource_id: string, path: string): void;
  /** The ids of what an owner has there. */
  has(owner: string): Promise<string[]>;
  /** Null for a local folder. */
  s3: TestS3 | null;
  end(): Promise<void>;
}

async function has(storage: Storage, owner: string): Promise<string[]> {
  const found: string[] = [];
  for await (const resource of storage.resources()) if (resource.owner === owner) found.push(resource.resource_id);
  return found.sort();
}

async function localStorage(folder: string): Promise<TestStorage> {
  const root = join(folder, 'storage');
  const storage = localFolder(root);
  return {
    storage,
    lose: (owner, resource_id, path) => rmSync(join(root, owner, resource_id, path)),
    has: (owner) => has(storage, owner),
    s3: null,
    end: async () => undefined,
  };
}

async function storageOnS3(folder: string): Promise<TestStorage> {
  const s3 = await startS3();
  const storage = s3Storage(s3.options(), join(folder, 'storage'));
  return {
    storage,
    lose(owner, resource_id, path) {
      const key = s3.keys('models_bucket').find((one) => one.startsWith(`${owner}/${resource_id}/${path.split('/')[0]}`));
      rmSync(s3.pathOf('models_bucket', key ?? ''));
    },
    has: (owner) => has(storage, owner),
    s3,
    end: s3.close,
  };
}

export const STORAGES: [string, (folder: string) => Promise<TestStorage>][] = [
  ['a local folder', localStorage],
  ['S3', storageOnS3],
];
