import { createReadStream } from 'node:fs';
import { chmod, mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { type Extract, extract } from 'tar-stream';
import type * as z from 'zod';
import { plainParts } from '#/storage/open-beneath.ts';
import { syncFolder, writeStream } from '#/storage/staged-file.ts';
import { CommandError } from '../command-error.ts';
import { BackupHeader, BackupManifest, HEADER_NAME, JSON_BYTES_MAX, MANIFEST_NAME } from './archive-format.ts';

type Entry = Extract extends AsyncIterable<infer One> ? One : never;

/** The bytes of one entry; its library has stream types of its own. */
const bytesOf = (entry: Entry) => entry as unknown as AsyncIterable<Buffer>;

/** Nobody but the owner may write, and nothing gains rights. */
const MODE_MASK = 0o755;

function damaged(why: string): CommandError {
  return new CommandError(`This backup is damaged or was changed: ${why}. Nothing was restored; use another copy of it.`);
}

/** A name's way below the two folders of a backup; throws for one that leads anywhere else. */
function safeName(name: string): string {
  const plain = name.replace(/\/$/, '');
  let parts: string[] = [];
  try {
    parts = plainParts(plain);
  } catch {
    throw damaged(`it holds the path ${JSON.stringify(name)}, which leads out of it`);
  }
  if (!['data', 'database'].includes(parts[0] ?? '')) throw damaged(`it holds ${JSON.stringify(name)}, which no backup does`);
  return plain;
}

async function readJson<T extends z.ZodType>(entry: Entry, schema: T): Promise<z.infer<T>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of bytesOf(entry)) {
    bytes += chunk.length;
    if (bytes > JSON_BYTES_MAX) throw damaged(`${entry.header.name} is too large`);
    chunks.push(chunk);
  }
  try {
    return schema.parse(JSON.parse(Buffer.concat(chunks).toString('utf8')));
  } catch {
    throw damaged(`${entry.header.name} is not what a backup has there`);
  }
}

/** The compressed form starts with its own two bytes, whatever the file is called. */
async function isCompressed(file: string): Promise<boolean> {
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await handle.close();
  }
}

/**
 * Unpacks a backup into `into/data` and `into/database`, which must not be there yet, and checks every file against the
 * manifest. `accept` sees the header before anything is written and throws where it does not fit. Throws for
 * whatever is not exactly a backup; the caller then removes `into`.
 */
export async function readArchive(
  file: string,
  into: string,
  accept: (header: BackupHeader) => Promise<void>,
  onBytes: (bytes: number, of: number) => void,
): Promise<BackupHeader> {
  const archive = extract();
  const source = createReadStream(file, { highWaterMark: 1024 * 1024 });
  const fed = (await isCompressed(file)) ? pipeline(source, createGunzip(), archive) : pipeline(source, archive);
  // The loop below hears of it, too.
  fed.catch(() => undefined);
  let header: BackupHeader | null = null;
  let manifest: BackupManifest | null = null;
  let bytes = 0;
  const files = new Map<string, { sha256: string; bytes: number }>();
  const folders = new Set<string>();
  try {
    for await (const entry of archive) {
      const { name, type, size = 0 } = entry.header;
      if (header === null) {
        if (name !== HEADER_NAME) throw new CommandError(`${file} is not a backup of Lowrank.`);
        header = await readJson(entry, BackupHeader);
        await accept(header);
        continue;
      }
      if (manifest !== null) throw damaged('it goes on after its end');
      if (name === MANIFEST_NAME) {
        manifest = await readJson(entry, BackupManifest);
        continue;
      }
      const safe = safeName(name);
      if (type === 'directory') {
        await mkdir(join(into, safe), { recursive: true, mode: 0o700 });
        folders.add(safe);
        entry.resume();
      } else if (type === 'file') {
        bytes += size;
        if (files.has(safe) || files.size >= header.files || bytes > header.bytes) throw damaged('it holds more than it says');
        await mkdir(dirname(join(into, safe)), { recursive: true, mode: 0o700 });
        files.set(safe, await writeStream(join(into, safe), bytesOf(entry), size));
        onBytes(bytes, header.bytes);
      } else throw damaged(`${JSON.stringify(name)} is a ${type}, and a backup holds files and folders only`);
    }
    await fed;
  } catch (error) {
    archive.destroy();
    await fed.catch(() => undefined);
    const words = error instanceof Error ? error.message : '';
    if (
      /^(Unexpected end of data|Invalid tar header|unexpected end of file|incorrect (header|data) check|invalid )/i.test(words)
    ) {
      if (header === null) throw new CommandError(`${file} is not a backup of Lowrank.`);
      throw damaged('it is cut short or garbled');
    }
    throw error;
  }
  if (header === null) throw new CommandError(`${file} is not a backup of Lowrank.`);
  if (manifest === null) throw damaged('its end is missing');
  await checkAgainst(manifest, files, folders, into);
  return header;
}

/** Every file is there, as it was and no more, with the rights that it had. */
async function checkAgainst(
  manifest: BackupManifest,
  files: Map<string, { sha256: string; bytes: number }>,
  folders: Set<string>,
  into: string,
): Promise<void> {
  for (const [name, { sha256, bytes, mode }] of Object.entries(manifest.files)) {
    const there = files.get(name);
    if (there === undefined) throw damaged(`${name} is missing`);
    if (there.sha256 !== sha256 || there.bytes !== bytes) throw damaged(`${name} is not as it was`);
    await chmod(join(into, name), mode & MODE_MASK);
  }
  if (files.size !== Object.keys(manifest.files).length) throw damaged('it holds files that its manifest does not name');
  const named = Object.entries(manifest.folders);
  if (folders.size !== named.length) throw damaged('its folders are not those that its manifest names');
  // From the inside out, so that a folder closed to us is closed last.
  for (const [name, { mode }] of named.reverse()) {
    if (!folders.has(name)) throw damaged(`the folder ${name} is missing`);
    await syncFolder(join(into, name));
    await chmod(join(into, name), mode & MODE_MASK);
  }
}
