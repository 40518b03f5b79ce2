import { join } from 'node:path';
import { GB } from '#/domain/bytes.ts';
import { env } from '#/env.ts';

/** What files may take on this machine, from the environment. */
export function storageLimits(): { user_quota_bytes: number; disk_reserve_bytes: number } {
  return {
    user_quota_bytes: Math.floor(env.LOWRANK_USER_QUOTA_GB * GB),
    disk_reserve_bytes: Math.floor(env.LOWRANK_DISK_RESERVE_GB * GB),
  };
}

/** Folders below which a local model may be registered. */
export function modelFolders(): string[] {
  return [...env.LOWRANK_MODEL_FOLDERS, join(env.data_dir, 'models'), join(env.repo, 'demo')];
}
