import { join } from 'node:path';
import { env } from '#/env.ts';

/** Where runs live: one private folder a job, one folder an attempt in it. Ids only, never names. */
export function runsFolder(): string {
  return join(env.data_dir, 'runs');
}

export function jobFolder(job_id: string): string {
  return join(runsFolder(), job_id);
}

export function attemptFolder(job_id: string, attempt: number): string {
  return join(jobFolder(job_id), String(attempt));
}

/** What a job's runs read and had to be brought to this host first. */
export function inputsFolder(job_id: string): string {
  return join(jobFolder(job_id), 'inputs');
}

/** The file that a checkpoint has last, by the path that its trainer told. */
export function checkpointEnd(job_id: string, attempt: number, path: string): string {
  return join(attemptFolder(job_id, attempt), 'outputs', path, 'complete.json');
}

/** What the trainer printed, written by the run wrapper alone. */
export function logFile(job_id: string, attempt: number): string {
  return join(attemptFolder(job_id, attempt), 'train.log');
}
