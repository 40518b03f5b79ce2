import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { AppError } from '#/domain/app-error.ts';
import type { StoredFile } from './storage.ts';

const COPY_BYTES = 1024 * 1024;

/** Writes a stream to a new private file, hashing on the way, and syncs it. Throws `payload_too_large` past `bytes_max`. */
export async function writeStream(path: string, source: AsyncIterable<Uint8Array>, bytes_max: number): Promise<StoredFile> {
  const hash = createHash('sha256');
  let bytes = 0;
  const file = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of source) {
      bytes += chunk.byteLength;
      if (bytes > bytes_max)
        throw new AppError('payload_too_large', `The file is larger than ${bytes_max} bytes, the most that is taken here`);
      hash.update(chunk);
      await writeAll(file, chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { sha256: hash.digest('hex'), bytes };
}

/** Copies an open file to a new private file, hashing the bytes that were written, and syncs it. */
export async function copyFile(source: FileHandle, path: string): Promise<StoredFile> {
  return writeStream(path, chunksOf(source), Number.MAX_SAFE_INTEGER);
}

/** Hashes an open file from its beginning. */
export async function hashFile(source: FileHandle): Promise<StoredFile> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of chunksOf(source)) {
    hash.update(chunk);
    bytes += chunk.byteLength;
  }
  return { sha256: hash.digest('hex'), bytes };
}

// One buffer for the whole file: a consumer is done with a chunk before it asks for the next.
async function* chunksOf(source: FileHandle): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.allocUnsafe(COPY_BYTES);
  let position = 0;
  for (;;) {
    const { bytesRead } = await source.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let written = 0; written < chunk.byteLength; ) {
    written += (await file.write(chunk, written, chunk.byteLength - written)).bytesWritten;
  }
}

/** Makes the names in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
