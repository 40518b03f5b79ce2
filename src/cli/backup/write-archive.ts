import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { type Pack, pack } from 'tar-stream';
import { openFileBeneath } from '#/storage/open-beneath.ts';
import { syncFolder } from '#/storage/staged-file.ts';
import { CommandError } from '../command-error.ts';
import { type BackupHeader, type BackupManifest, HEADER_NAME, MANIFEST_NAME } from './archive-format.ts';
import type { TreeEntry } from './list-tree.ts';

/**
 * Writes one archive: staged beside `file`, synced, renamed, readable by this account alone. A name that ends in `gz` is
 * compressed. `onBytes` hears what has been read. Nothing is left when it fails; throws when a file changes meanwhile.
 */
export async function writeArchive(
  file: string,
  header: BackupHeader,
  entries: TreeEntry[],
  onBytes: (bytes: number) => void,
): Promise<void> {
  const staged = `${file}.part-${process.pid}`;
  const archive = pack();
  // Synced to the disk before it counts as written.
  const out = createWriteStream(staged, { flags: 'wx', mode: 0o600, flush: true });
  const written = /gz$/.test(file) ? pipeline(archive, createGzip(), out) : pipeline(archive, out);
  // Whoever waits for the archive also hears of a full disk; this keeps the rejection from being nobody's.
  written.catch(() => undefined);
  const until = <T>(event: Promise<T>) => Promise.race([event, written]);
  try {
    await until(addText(archive, HEADER_NAME, `${JSON.stringify(header, null, 2)}\n`));
    const manifest: BackupManifest = { files: {}, folders: {} };
    for (const entry of entries) {
      const { name, mode, bytes, modified_ms } = entry;
      if (entry.kind === 'folder') {
        await until(add(archive, { name: `${name}/`, type: 'directory', mode, mtime: new Date(modified_ms) }));
        manifest.folders[name] = { mode };
      } else {
        manifest.files[name] = { sha256: await addFile(archive, entry, until, onBytes), bytes, mode };
      }
    }
    await until(addText(archive, MANIFEST_NAME, `${JSON.stringify(manifest)}\n`));
    archive.finalize();
    await written;
    await rename(staged, file);
    await syncFolder(dirname(file));
  } catch (error) {
    archive.destroy();
    await written.catch(() => undefined);
    await rm(staged, { force: true });
    throw error;
  }
}

function add(archive: Pack, header: Parameters<Pack['entry']>[0], text?: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error?: Error | null) => (error ? reject(error) : resolve());
    if (text === undefined) archive.entry(header, done);
    else archive.entry(header, text, done);
  });
}

function addText(archive: Pack, name: string, text: string): Promise<void> {
  return add(archive, { name, mode: 0o600, type: 'file' }, text);
}

async function addFile(
  archive: Pack,
  entry: TreeEntry,
  until: <T>(event: Promise<T>) => Promise<unknown>,
  onBytes: (bytes: number) => void,
): Promise<string> {
  const { name, root, relative, mode, bytes, modified_ms } = entry;
  const hash = createHash('sha256');
  const file = await openFileBeneath(root, relative);
  try {
    const ended = Promise.withResolvers<void>();
    const header = { name, mode, size: bytes, mtime: new Date(modified_ms), type: 'file' } as const;
    const sink = archive.entry(header, (error) => (error ? ended.reject(error) : ended.resolve()));
    // Waited for at the end; until then a failure is the archive's.
    ended.promise.catch(() => undefined);
    let read = 0;
    for await (const chunk of file.createReadStream({ autoClose: false, highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>) {
      read += chunk.length;
      if (read > bytes) break;
      hash.update(chunk);
      onBytes(chunk.length);
      if (!sink.write(chunk)) await until(new Promise<void>((resolve) => sink.once('drain', () => resolve())));
    }
    const now = await file.stat();
    if (read !== bytes || now.size !== bytes || now.mtimeMs !== modified_ms) {
      throw new CommandError(
        `${relative} changed while it was copied: something still works on this data directory. End it, then try again.`,
      );
    }
    sink.end(null);
    await until(ended.promise);
    return hash.digest('hex');
  } finally {
    await file.close();
  }
}
