/** A folder's way into storage: every regular file copied and hashed below a staging folder, with a manifest of the whole. */
import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { AppError } from '#/domain/app-error.ts';
import { isAbsent } from './disk-error.ts';
import { type OpenFolder, openChild, openFileBeneath, openFileIn, openRoot } from './open-beneath.ts';
import { copyFile, hashFile, syncFolder, writeStream } from './staged-file.ts';
import type { PublishedFile } from './storage.ts';

/** Lies in every published folder; no file of a publisher may have this name. */
export const MANIFEST = '.manifest.json';
export const MANIFEST_BYTES_MAX = 16 * 1024 * 1024;
const FILES_MAX = 10_000;
const DEPTH_MAX = 8;
/** What no name may hold: a backslash parts folders elsewhere, control characters hide, U+FFFD says that it is not UTF-8. */
const ODD_CHARACTER = /[\\\ufffd\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu;

const Manifest = z.strictObject({
  version: z.literal(1),
  files: z.array(
    z.strictObject({ id: z.uuid(), path: z.string(), sha256: z.string().regex(/^[0-9a-f]{64}$/), bytes: z.int().min(0) }),
  ),
});

type Visit = (source: FileHandle, path: string) => Promise<void>;

async function walk(folder: OpenFolder, prefix: string, depth: number, seen: { files: number }, visit: Visit): Promise<void> {
  if (depth > DEPTH_MAX) throw new AppError('conflict', `The folder is nested deeper than ${DEPTH_MAX} levels`);
  const entries = await readdir(folder.path, { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
    if (path === MANIFEST) continue;
    if (entry.name.search(ODD_CHARACTER) >= 0) {
      const shown = path.replace(ODD_CHARACTER, '?');
      throw new AppError('conflict', `${shown} has a backslash or a control character in its name: plain names are kept`);
    }
    if (entry.isDirectory()) {
      const child = await openChild(folder, entry.name);
      try {
        await walk(child, path, depth + 1, seen, visit);
      } finally {
        await child.handle.close();
      }
    } else {
      if (!entry.isFile()) throw new AppError('conflict', `${path} is a link or a device: only regular files are kept`);
      if (++seen.files > FILES_MAX) throw new AppError('conflict', `The folder has more than ${FILES_MAX} files`);
      await visitFile(folder, entry.name, path, visit);
    }
  }
}

async function visitFile(folder: OpenFolder, name: string, path: string, visit: Visit): Promise<void> {
  const source = await openFileIn(folder, name);
  try {
    // A second name may lie anywhere on this disk: whoever wrote this one need not have been able to read its bytes.
    if ((await source.stat()).nlink > 1)
      throw new AppError('conflict', `${path} is a hard link: only files with one name are kept`);
    await visit(source, path);
  } finally {
    await source.close();
  }
}

/** Visits every file of a folder, in the order of its names. Throws `conflict` for what a published folder may not hold. */
export async function walkFolder(source_dir: string, visit: Visit): Promise<void> {
  const root = await openRoot(source_dir);
  try {
    await walk(root, '', 0, { files: 0 }, visit);
  } finally {
    await root.handle.close();
  }
}

/** Copies `source_dir` into the empty folder `staged`, whose manifest it writes last. The hashes are of the copies. */
export async function stageCopy(source_dir: string, staged: string): Promise<PublishedFile[]> {
  const files: PublishedFile[] = [];
  const folders = new Set([staged]);
  await walkFolder(source_dir, async (source, path) => {
    const target = join(staged, path);
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    for (let at = dirname(target); at.length > staged.length; at = dirname(at)) folders.add(at);
    files.push({ id: randomUUID(), path, ...(await copyFile(source, target)) });
  });
  await writeManifest(staged, files);
  for (const folder of folders) await syncFolder(folder);
  return files;
}

/** Hashes a folder where it lies and gives it a manifest, so that it can be published by one rename. */
export async function stageInPlace(staged: string): Promise<PublishedFile[]> {
  const files: PublishedFile[] = [];
  await walkFolder(staged, async (source, path) => {
    files.push({ id: randomUUID(), path, ...(await hashFile(source)) });
    await source.sync();
  });
  await writeManifest(staged, files);
  await syncFolder(staged);
  return files;
}

async function writeManifest(folder: string, files: PublishedFile[]): Promise<void> {
  await writeStream(join(folder, MANIFEST), oneChunk(manifestText(files)), MANIFEST_BYTES_MAX);
}

/** What a manifest holds; `parseManifest` reads it again. */
export function manifestText(files: PublishedFile[]): Buffer {
  return Buffer.from(JSON.stringify({ version: 1, files }));
}

/** The files that a manifest lists. Throws when it is not one of ours. */
export function parseManifest(text: string): PublishedFile[] {
  return Manifest.parse(JSON.parse(text)).files;
}

export async function* oneChunk(chunk: Uint8Array): AsyncGenerator<Uint8Array> {
  yield chunk;
}

/** The manifest of a published folder; null when there is no such folder. Throws when what lies there is not ours. */
export async function readManifest(folder: string): Promise<PublishedFile[] | null> {
  let file: Awaited<ReturnType<typeof openFileBeneath>>;
  try {
    file = await openFileBeneath(folder, MANIFEST);
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
  try {
    if ((await file.stat()).size > MANIFEST_BYTES_MAX) throw new Error('A manifest is larger than any that we write');
    return parseManifest(await file.readFile('utf8'));
  } finally {
    await file.close();
  }
}

/** True when both lists name the same bytes under the same paths. */
export function sameContent(one: PublishedFile[], other: PublishedFile[]): boolean {
  const key = (files: PublishedFile[]) =>
    files
      .map((file) => `${file.sha256} ${file.bytes} ${file.path}`)
      .sort()
      .join('\n');
  return key(one) === key(other);
}
