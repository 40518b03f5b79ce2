import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';

const BLOCK_BYTES = 512;

/** If the files below some folders take more than so much of their disk; no link is followed. */
export async function diskOver(folders: readonly string[], bytes_max: number): Promise<boolean> {
  let bytes = 0;
  const waiting = [...folders];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    // What is renamed or removed under the walk is counted the next time.
    const entries = await opendir(path).catch(() => null);
    if (entries === null) continue;
    for await (const entry of entries) {
      const within = join(path, entry.name);
      if (entry.isDirectory()) waiting.push(within);
      else bytes += BLOCK_BYTES * ((await lstat(within).catch(() => null))?.blocks ?? 0);
    }
  }
  return bytes > bytes_max;
}
