import { mkdtemp, readFile, rm, symlink, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openLog } from './log-file.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lowrank-log-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('openLog', () => {
  test('adds to what is there', async () => {
    const path = join(folder, 'worker.log');
    for (const line of ['one', 'two']) {
      const log = openLog(path);
      log.write(line);
      await log.end();
    }
    expect(await readFile(path, 'utf8')).toBe('one\ntwo\n');
  });

  test('a full disk costs lines and nothing else, and the log goes on once there is space', async () => {
    const path = join(folder, 'worker.log');
    // The kernel's own full disk: every write to it fails with ENOSPC.
    await symlink('/dev/full', path);
    const log = openLog(path, 10);
    log.write('lost');
    await pause(100);
    log.write('lost too');
    await pause(100);
    await unlink(path);
    log.write('kept');
    await log.end();
    expect(await readFile(path, 'utf8')).toMatch(/^\(at least \d+ lines are lost: .*\)\nkept\n$/);
  });

  test('ends in order while the disk is full', async () => {
    const path = join(folder, 'worker.log');
    await symlink('/dev/full', path);
    const log = openLog(path);
    log.write('lost');
    await expect(log.end()).resolves.toBeUndefined();
  });
});
