import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { hashFile } from '#/storage/staged-file.ts';

/**
 * One SHA-256 (hex) for all weight files: the file's own when there is one, else that of the lines `<sha256>  <name>` in
 * the names' order, as sha256sum writes them.
 */
export function weightsChecksum(files: { path: string; sha256: string }[]): string {
  const [first, ...others] = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  if (first === undefined) throw new Error('A model without weights has no checksum');
  if (others.length === 0) return first.sha256;
  const lines = [first, ...others].map((file) => `${file.sha256}  ${file.path}\n`);
  return createHash('sha256').update(lines.join('')).digest('hex');
}

/** Reads weight files whole and sums them. */
export async function hashWeights(folder: string, names: string[]): Promise<string> {
  const files: { path: string; sha256: string }[] = [];
  for (const path of names) {
    const file = await open(join(folder, path), 'r');
    try {
      files.push({ path, sha256: (await hashFile(file)).sha256 });
    } finally {
      await file.close();
    }
  }
  return weightsChecksum(files);
}
