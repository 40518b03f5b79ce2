import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TrainerConfig } from '#/domain/trainer-config.ts';
import { env } from '#/env.ts';
import { attemptFolder, jobFolder } from '#/storage/run-folder.ts';
import {
  findCheckpoint,
  outputFolder,
  prepareRunDirectory,
  pruneRunDirectory,
  readLogTail,
  readPassport,
} from './run-directory.ts';

const data_dir = env.data_dir;
let job: string;
beforeAll(async () => {
  env.data_dir = await mkdtemp(join(tmpdir(), 'lowrank-runs-'));
});
afterAll(async () => {
  await rm(env.data_dir, { recursive: true, force: true });
  env.data_dir = data_dir;
});
beforeEach(() => {
  job = randomUUID();
});

async function addCheckpoint(attempt: number, step: number, more: { complete?: boolean; bytes?: number } = {}): Promise<string> {
  const path = join(outputFolder(job, attempt), 'checkpoints', `step-${String(step).padStart(8, '0')}`);
  await mkdir(path, { recursive: true });
  await writeFile(join(path, 'weights'), 'abc');
  const files = { weights: { bytes: more.bytes ?? 3, sha256: '' } };
  if (more.complete !== false) await writeFile(join(path, 'complete.json'), JSON.stringify({ files }));
  return path;
}

describe('the folder of a run', () => {
  test('is for this account alone and holds the complete configuration', async () => {
    const config = { job_id: job, attempt: 1, seed: 7 } as unknown as TrainerConfig;
    await prepareRunDirectory(config);
    for (const path of [jobFolder(job), attemptFolder(job, 1), outputFolder(job, 1)])
      expect((await stat(path)).mode & 0o077).toBe(0);
    expect(JSON.parse(await readFile(join(attemptFolder(job, 1), 'config.json'), 'utf8'))).toEqual(config);
  });

  test('gives the newest complete checkpoint of any attempt, and none that is torn', async () => {
    expect(await findCheckpoint(job)).toBeNull();
    await addCheckpoint(1, 5);
    const best = await addCheckpoint(1, 10);
    await addCheckpoint(2, 20, { complete: false });
    await addCheckpoint(2, 15, { bytes: 4 });
    await mkdir(join(outputFolder(job, 2), 'checkpoints', '.step-00000030'));
    expect(await findCheckpoint(job)).toEqual({ attempt: 1, step: 10, path: best });
    const later = await addCheckpoint(2, 10);
    expect(await findCheckpoint(job)).toEqual({ attempt: 2, step: 10, path: later });
  });

  test('gives no checkpoint of another job, and nothing from outside of the folder, to which a trainer left a link', async () => {
    const theirs = await addCheckpoint(1, 20);
    const told = join(theirs, 'complete.json');
    job = randomUUID();
    const own = await addCheckpoint(1, 5);
    const linked = await addCheckpoint(1, 10);
    await rm(join(linked, 'weights'));
    await symlink(join(theirs, 'weights'), join(linked, 'weights'));
    const told_elsewhere = await addCheckpoint(1, 15, { complete: false });
    await symlink(told, join(told_elsewhere, 'complete.json'));
    await symlink(theirs, join(outputFolder(job, 1), 'checkpoints', 'step-00000020'));
    expect(await findCheckpoint(job)).toEqual({ attempt: 1, step: 5, path: own });
  });

  test('once settled holds configuration, log, events, passport and the last good checkpoint, and what it drew until that is stored', async () => {
    await addCheckpoint(1, 5);
    await addCheckpoint(1, 10);
    await addCheckpoint(1, 15, { complete: false });
    for (const name of [
      'config.json',
      'train.log',
      'run.json',
      'stop.json',
      'heartbeat',
      'outputs/events.jsonl',
      'outputs/passport.json',
      'outputs/.adapter',
    ])
      await writeFile(join(attemptFolder(job, 1), name), 'x');
    await mkdir(join(attemptFolder(job, 1), 'home/cache'), { recursive: true });
    await mkdir(join(outputFolder(job, 1), 'adapter'));
    await mkdir(join(outputFolder(job, 1), 'samples'));
    await writeFile(join(outputFolder(job, 1), 'samples/step-00000010-1.png'), 'x');
    for (const is_storing of [true, true, false, false]) {
      await pruneRunDirectory(job, { discard: false, is_storing });
      expect((await readdir(attemptFolder(job, 1))).sort()).toEqual(['config.json', 'outputs', 'train.log']);
      const kept = ['checkpoints', 'events.jsonl', 'passport.json', ...(is_storing ? ['samples'] : [])];
      expect((await readdir(outputFolder(job, 1))).sort()).toEqual(kept);
      if (is_storing) expect(await readdir(join(outputFolder(job, 1), 'samples'))).toEqual(['step-00000010-1.png']);
      expect(await readdir(join(outputFolder(job, 1), 'checkpoints'))).toEqual(['step-00000010']);
    }
  });

  test('of a job whose checkpoint is to be discarded holds none', async () => {
    await addCheckpoint(1, 5);
    await addCheckpoint(2, 10);
    await pruneRunDirectory(job, { discard: true, is_storing: false });
    for (const attempt of [1, 2]) expect(await readdir(join(outputFolder(job, attempt), 'checkpoints'))).toEqual([]);
  });

  test('leads nowhere else: a link in it is removed, what it points to stays', async () => {
    const outside = await mkdtemp(join(tmpdir(), 'lowrank-outside-'));
    await writeFile(join(outside, 'precious'), 'x');
    await mkdir(attemptFolder(job, 1), { recursive: true });
    await symlink(outside, outputFolder(job, 1));
    await symlink(join(outside, 'precious'), join(attemptFolder(job, 1), 'train.log'));
    await pruneRunDirectory(job, { discard: false, is_storing: false });
    expect(await readdir(outside)).toEqual(['precious']);
    expect(await readLogTail(job, 1)).toBe('');
    await rm(outside, { recursive: true });
  });

  test('gives the end of a long log, and a passport only when it is one', async () => {
    await mkdir(outputFolder(job, 1), { recursive: true });
    expect(await readLogTail(job, 1)).toBe('');
    await writeFile(join(attemptFolder(job, 1), 'train.log'), `${'x'.repeat(200_000)}the end`);
    const tail = await readLogTail(job, 1);
    expect(tail.length).toBe(64 * 1024);
    expect(tail.endsWith('the end')).toBe(true);
    expect(await readPassport(job, 1)).toEqual({});
    await writeFile(join(outputFolder(job, 1), 'passport.json'), '{"seed": 7}');
    expect(await readPassport(job, 1)).toEqual({ seed: 7 });
    await writeFile(join(outputFolder(job, 1), 'passport.json'), '{"seed": ');
    expect(await readPassport(job, 1)).toEqual({});
  });
});
