/** A job's private folder on this host: what each attempt brings along, what stays of it, and what goes. */
import { constants } from 'node:fs';
import { lstat, mkdir, open, readdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { TrainerConfig } from '#/domain/trainer-config.ts';
import { attemptFolder, inputsFolder, jobFolder, runsFolder } from '#/storage/run-folder.ts';
import { writeJsonFile } from './json-file.ts';

const ATTEMPT = /^[1-9]\d{0,4}$/;
const CHECKPOINT = /^step-(\d{1,12})$/;
const JOB = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** What stays of an attempt once its job is settled; of its outputs the events, the passport, the last checkpoint, if any, and samples that are not stored yet. */
const KEPT = new Set(['config.json', 'train.log', 'container.json', 'started.json', 'exit.json', 'lock', 'outputs']);
const KEPT_OUTPUTS = new Set(['events.jsonl', 'passport.json', 'checkpoints']);
const SAMPLES = 'samples';
const LOG_TAIL_BYTES = 64 * 1024;
const PASSPORT_BYTES_MAX = 1024 * 1024;
const COMPLETE_BYTES_MAX = 1024 * 1024;

const Complete = z.looseObject({ files: z.record(z.string(), z.looseObject({ bytes: z.int() })).optional() });

/** The folder that the trainer writes to: events.jsonl, checkpoints/, adapter/ and passport.json come to lie in it. */
export function outputFolder(job_id: string, attempt: number): string {
  return join(attemptFolder(job_id, attempt), 'outputs');
}

/** Makes an attempt's folder, for this account alone, with its configuration. */
export async function prepareRunDirectory(config: TrainerConfig): Promise<void> {
  const folder = attemptFolder(config.job_id, config.attempt);
  await mkdir(join(folder, 'outputs'), { recursive: true, mode: 0o700 });
  await writeJsonFile(join(folder, 'config.json'), config);
}

/** What lies in a folder; nothing for a link, which a trainer may have put in a folder's place. */
async function names(folder: string): Promise<string[]> {
  try {
    return (await lstat(folder)).isDirectory() ? await readdir(folder) : [];
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}

export interface FoundCheckpoint {
  attempt: number;
  step: number;
  path: string;
}

/** The newest complete checkpoint of any attempt of the job that lies on this host. */
export async function findCheckpoint(job_id: string): Promise<FoundCheckpoint | null> {
  const found: FoundCheckpoint[] = [];
  for (const attempt of await names(jobFolder(job_id))) {
    if (!ATTEMPT.test(attempt)) continue;
    const folder = join(outputFolder(job_id, Number(attempt)), 'checkpoints');
    for (const name of await names(folder)) {
      const [, step] = CHECKPOINT.exec(name) ?? [];
      if (step !== undefined) found.push({ attempt: Number(attempt), step: Number(step), path: join(folder, name) });
    }
  }
  found.sort((a, b) => b.step - a.step || b.attempt - a.attempt);
  for (const checkpoint of found) if (await isComplete(checkpoint.path)) return checkpoint;
  return null;
}

/**
 * A checkpoint is complete when its last file says so and the others have the sizes that it names. No link is followed, which a trainer
 * may have left there: what it leads to would be handed to the next attempt.
 */
async function isComplete(path: string): Promise<boolean> {
  try {
    if (!(await lstat(path)).isDirectory()) return false;
    const said = await readEnd(join(path, 'complete.json'), COMPLETE_BYTES_MAX);
    const complete = Complete.parse(JSON.parse(said?.toString('utf8') ?? ''));
    for (const [name, { bytes }] of Object.entries(complete.files ?? {})) {
      if (name.includes('/')) return false;
      const facts = await lstat(join(path, name));
      if (!facts.isFile() || facts.size !== bytes) return false;
    }
    return true;
  } catch {
    return false;
  }
}

/** The end of an attempt's log; '' when there is none. */
export async function readLogTail(job_id: string, attempt: number): Promise<string> {
  const bytes = await readEnd(join(attemptFolder(job_id, attempt), 'train.log'), LOG_TAIL_BYTES);
  return bytes?.toString('utf8') ?? '';
}

/** The trainer's passport of the run; {} when it left none that can be read. */
export async function readPassport(job_id: string, attempt: number): Promise<Record<string, unknown>> {
  const bytes = await readEnd(join(outputFolder(job_id, attempt), 'passport.json'), PASSPORT_BYTES_MAX);
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(bytes?.toString('utf8') ?? '{}'));
  } catch {
    return {};
  }
}

async function readEnd(path: string, bytes_max: number): Promise<Buffer | null> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const facts = await file.stat();
      if (!facts.isFile()) return null;
      const length = Math.min(facts.size, bytes_max);
      const buffer = Buffer.alloc(length);
      const { bytesRead } = await file.read(buffer, 0, length, facts.size - length);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (['ENOENT', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
}

/** What of a settled job's folder is wanted beyond its configuration, logs and events. */
export interface Pruning {
  /** Its last checkpoint is not. */
  discard: boolean;
  /** What it drew is, until that lies in storage. */
  is_storing: boolean;
}

/** Leaves of a settled job's folder its configuration, logs, events and, unless that is to be discarded, last good checkpoint. */
export async function pruneRunDirectory(job_id: string, { discard, is_storing }: Pruning): Promise<void> {
  const kept = discard ? null : await findCheckpoint(job_id);
  await rm(inputsFolder(job_id), { recursive: true, force: true });
  for (const attempt of await names(jobFolder(job_id))) {
    const folder = join(jobFolder(job_id), attempt);
    for (const name of await names(folder)) {
      if (!KEPT.has(name)) await rm(join(folder, name), { recursive: true, force: true });
    }
    const outputs = join(folder, 'outputs');
    for (const name of await names(outputs)) {
      if (!KEPT_OUTPUTS.has(name) && !(name === SAMPLES && is_storing))
        await rm(join(outputs, name), { recursive: true, force: true });
    }
    for (const name of await names(join(outputs, 'checkpoints'))) {
      const path = join(outputs, 'checkpoints', name);
      if (path !== kept?.path) await rm(path, { recursive: true, force: true });
    }
  }
}

/** The jobs that have a folder on this host. */
export async function jobsWithFolders(): Promise<string[]> {
  return (await names(runsFolder())).filter((name) => JOB.test(name));
}

export async function removeRunDirectory(job_id: string): Promise<void> {
  await rm(jobFolder(job_id), { recursive: true, force: true });
}

/** Bytes that this account may still write below the runs folder. */
export async function freeBytes(): Promise<number> {
  const disk = await statfs(runsFolder());
  return disk.bavail * disk.bsize;
}
