import { chmod, mkdir, mkdtemp, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { letRead } from './input-access.ts';

// Nobody on this machine: what the worker's account has is not its own.
const account = { uid: 4_000_000, gid: 4_000_000 };
let private_folder: string;
let checkpoint: string;
beforeEach(async () => {
  private_folder = await realpath(await mkdtemp(join(tmpdir(), 'lowrank-access-')));
  checkpoint = join(private_folder, 'checkpoint');
  await mkdir(checkpoint, { mode: 0o700 });
});
afterEach(() => rm(private_folder, { recursive: true, force: true }));

const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

test('private files of a run are opened to the account of containers', async () => {
  await mkdir(join(checkpoint, 'part'), { mode: 0o700 });
  await writeFile(join(checkpoint, 'part', 'weights'), 'x', { mode: 0o600 });
  await letRead(checkpoint, { account, private_folder });
  expect([await modeOf(join(checkpoint, 'part')), await modeOf(join(checkpoint, 'part', 'weights'))]).toEqual([0o705, 0o604]);
});

test('a link that a trainer left opens nothing, file or folder, though all of it is private', async () => {
  const secret = join(private_folder, 'secret');
  await mkdir(secret, { mode: 0o755 });
  await chmod(secret, 0o755);
  await writeFile(join(secret, 'key'), 'x', { mode: 0o600 });
  await symlink(secret, join(checkpoint, 'folder'));
  await letRead(checkpoint, { account, private_folder });
  await symlink(join(secret, 'key'), join(checkpoint, 'key'));
  await expect(letRead(checkpoint, { account, private_folder })).rejects.toThrow(
    'key cannot be read by the account of containers',
  );
  expect(await modeOf(join(secret, 'key'))).toBe(0o600);
});
