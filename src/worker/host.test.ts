import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { contactFile } from './host.ts';

test('the sign of life is one file for good, which every account can read, and changes with each beat', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lowrank-contact-'));
  const path = join(folder, 'contact.json');
  // As an earlier version left it.
  await writeFile(path, JSON.stringify({ state: 'watching', pid: 1, beat: 9, at: 1.5 }));
  await chmod(path, 0o600);
  const [before, contact, seen] = [await stat(path), contactFile(path), new Set<string>()];
  const look = async () => {
    const text = await readFile(path, 'utf8');
    seen.add(text);
    return JSON.parse(text);
  };
  await contact.beat();
  expect(await look()).toMatchObject({ state: 'watching', pid: process.pid, beat: 1 });
  const { ino, mode, size } = await stat(path);
  expect([ino, mode & 0o777]).toEqual([before.ino, 0o644]);
  await contact.beat();
  expect(await look()).toMatchObject({ state: 'watching', beat: 2 });
  await contact.stopped();
  expect(await readFile(path, 'utf8')).toContain('"stopped"');
  expect(await look()).toMatchObject({ state: 'stopped', beat: 3 });
  // With the same length each time a full disk has room for it.
  expect([seen.size, (await stat(path)).size, (await stat(path)).ino]).toEqual([3, size, ino]);
  await rm(folder, { recursive: true });
});
