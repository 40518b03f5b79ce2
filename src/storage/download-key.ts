import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { env } from '#/env.ts';
import { errnoOf } from './disk-error.ts';

const KEY_BYTES = 32;
let known: Promise<Buffer> | undefined;

/** The secret that signs downloads: 32 bytes in a file that this account alone reads, made when it is first needed. */
export function downloadKey(): Promise<Buffer> {
  known ??= readOrMake(join(env.data_dir, 'download-key')).catch((error: unknown) => {
    known = undefined;
    throw error;
  });
  return known;
}

/** Two processes that make it at once end with the same one: a link is made whole or not at all. */
export async function readOrMake(path: string): Promise<Buffer> {
  for (;;) {
    try {
      const key = await readFile(path);
      if (key.length !== KEY_BYTES) throw new Error('The file download-key of the data directory is damaged: remove it');
      return key;
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const staged = `${path}.${randomBytes(6).toString('hex')}`;
    try {
      await writeFile(staged, randomBytes(KEY_BYTES), { mode: 0o600, flag: 'wx' });
      await link(staged, path);
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    } finally {
      await rm(staged, { force: true });
    }
  }
}
