/** Opens files below a folder component by component, so that no link on the way leads out of it. */
import { constants } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import { join } from 'node:path';

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/** An open folder, and the name under which its children are opened. */
export interface OpenFolder {
  handle: FileHandle;
  /** On Linux a path through the descriptor: it stays the same folder even if the tree is changed meanwhile. */
  path: string;
}

function asFolder(handle: FileHandle, path: string): OpenFolder {
  return { handle, path: process.platform === 'linux' ? `/proc/self/fd/${handle.fd}` : path };
}

/** A relative path's parts; throws for anything that is not plainly below. */
export function plainParts(relative: string): string[] {
  const parts = relative.split('/');
  for (const part of parts) {
    if (part === '' || part === '.' || part === '..' || part.includes('\0') || Buffer.byteLength(part) > 255)
      throw Object.assign(new Error('Not a plain relative path'), { code: 'ENOENT' });
  }
  return parts;
}

/** Opens a folder that is trusted by its name: only what lies below is looked at without following links. */
export async function openRoot(path: string): Promise<OpenFolder> {
  return asFolder(await open(path, O_RDONLY | O_DIRECTORY), path);
}

/** Opens a child folder; a link in its place is an error (ELOOP or ENOTDIR). */
export async function openChild(folder: OpenFolder, name: string): Promise<OpenFolder> {
  const path = join(folder.path, name);
  if (process.platform !== 'linux' && (await lstat(path)).isSymbolicLink())
    throw Object.assign(new Error('A link in place of a folder'), { code: 'ELOOP' });
  return asFolder(await open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), path);
}

/** Opens a regular file below `root` for reading. Links, devices and pipes are refused with ELOOP. */
export async function openFileBeneath(root: string, relative: string): Promise<FileHandle> {
  const parts = plainParts(relative);
  const name = parts.pop() ?? '';
  let folder = await openRoot(root);
  try {
    for (const part of parts) {
      const next = await openChild(folder, part);
      await folder.handle.close();
      folder = next;
    }
    return await openFileIn(folder, name);
  } finally {
    await folder.handle.close();
  }
}

/** Opens a regular file of an open folder for reading. */
export async function openFileIn(folder: OpenFolder, name: string): Promise<FileHandle> {
  // Without O_NONBLOCK the open of a pipe would wait for a writer.
  const file = await open(join(folder.path, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!(await file.stat()).isFile()) {
    await file.close();
    throw Object.assign(new Error('Not a regular file'), { code: 'ELOOP' });
  }
  return file;
}
