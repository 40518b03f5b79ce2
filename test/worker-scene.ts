/** The scene of a fault test: a host, a person with jobs on it, and what is looked at while and after things go wrong. */
import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { env } from '#/env.ts';
import { findMarked, type ProcessIdentity } from '#/worker/process-identity.ts';
import type { TestDatabase } from './database.ts';
import { brokenInvariants } from './invariants.ts';
import {
  addOwner,
  addTraining,
  type Behaviour,
  forgetEverything,
  isOver,
  type JobRow,
  makeHost,
  type Owner,
  readJob,
  untilJob,
  type WorkerHost,
} from './worker-process.ts';

/** A training that nobody waits for: longer than any test. */
export const LONG: Behaviour = { steps: 2_000, step_seconds: 0.05 };

/** Under way: it has a past. */
export const isRunning = (job: JobRow) => job.status === 'running' && job.current_step > 2;

export interface Scene {
  readonly host: WorkerHost;
  readonly owner: Owner;
  /** Queues a training of the owner's; see `addTraining`. */
  add(behaviours?: Behaviour[], fields?: Record<string, unknown>): Promise<string>;
  job(id: string): Promise<JobRow>;
  /** Waits until something holds of the job; without a word, until it is over. */
  until(id: string, holds?: (job: JobRow) => boolean): Promise<JobRow>;
  /** A file of an attempt. */
  file(job_id: string, name: string, attempt?: number): string;
  /** Who owns the attempt and who trains. */
  started(job_id: string, attempt?: number): Promise<Record<'wrapper' | 'child', ProcessIdentity>>;
  /** The attempt's exit record, as soon as there is one. */
  exited(job_id: string, attempt?: number): Promise<Record<string, unknown>>;
  /** Nothing that must hold when all is at rest is broken: now, or within so long where somebody still tidies up. */
  expectOrder(within_ms?: number): Promise<void>;
}

/** Registers hooks that make a host and its owner, for each test of the group or once for all, and remove them. */
export function setScene(db: TestDatabase, whose: 'each test' | 'all tests'): Scene {
  let set: { host: WorkerHost; owner: Owner } | undefined;
  const raise = async () => {
    await forgetEverything(db);
    const host = await makeHost(db);
    set = { host, owner: await addOwner(db, host) };
  };
  const strike = async () => set?.host.end();
  if (whose === 'each test') {
    beforeEach(raise);
    afterEach(strike);
  } else {
    beforeAll(raise);
    afterAll(strike);
  }
  const stage = () => {
    if (set === undefined) throw new Error('the scene is for inside a test');
    return set;
  };
  const file = (job_id: string, name: string, attempt = 1) => join(stage().host.seen_at, 'runs', job_id, String(attempt), name);
  return {
    get host() {
      return stage().host;
    },
    get owner() {
      return stage().owner;
    },
    add: (behaviours, fields) => addTraining(db, stage().host, stage().owner, behaviours, fields),
    job: (id) => readJob(db, id),
    until: (id, holds = isOver) => untilJob(db, id, holds),
    file,
    started: async (job_id, attempt) => JSON.parse(await readFile(file(job_id, 'started.json', attempt), 'utf8')),
    async exited(job_id, attempt) {
      const read = () => readFile(file(job_id, 'exit.json', attempt), 'utf8').catch(() => '');
      await expect.poll(read, { timeout: 60_000, interval: 20 }).not.toBe('');
      return JSON.parse(await read());
    },
    async expectOrder(within_ms = 0) {
      const until = performance.now() + within_ms;
      let broken = await brokenInvariants(db, [stage().host.seen_at]);
      while (broken.length > 0 && performance.now() < until) {
        await pause(50);
        broken = await brokenInvariants(db, [stage().host.seen_at]);
      }
      expect(broken).toEqual([]);
    },
  };
}

/**
 * Gives a host so many GPUs, as far as an nvidia-smi on `PATH` can tell; `list` says which of them it names from now on, and `occupy`
 * on which of them something computes.
 */
export async function pretendGpus(
  host: WorkerHost,
  count: number,
): Promise<{ PATH: string; list(indices: number[]): Promise<void>; occupy(indices: number[]): Promise<void> }> {
  const bin = join(host.data_dir, 'bin');
  const names = join(host.data_dir, 'gpus.csv');
  const computing = join(host.data_dir, 'computing.csv');
  const occupy = (indices: number[]) => writeFile(computing, indices.map((index) => `GPU-${index}, 4711\n`).join(''));
  const list = (indices: number[]) =>
    writeFile(names, indices.map((index) => `${index}, GPU-${index}, NVIDIA Test, 24576, 1, [N/A], 8.6\n`).join(''));
  await mkdir(bin);
  await list(Array.from({ length: count }, (_, index) => index));
  await occupy([]);
  const answer = `case "$1" in --query-compute-apps=*) cat '${computing}';; *) cat '${names}';; esac`;
  await writeFile(join(bin, 'nvidia-smi'), `#!/bin/sh\n${answer}\n`, { mode: 0o755 });
  return { PATH: `${bin}:${process.env.PATH}`, list, occupy };
}

/** The attempts that have processes now, by job: what runs, as the kernel tells it. */
export async function attemptsAlive(): Promise<Map<string, Set<string>>> {
  const alive = new Map<string, Set<string>>();
  for (const marker of (await findMarked()).keys()) {
    const [job_id = '', attempt = ''] = marker.split(':');
    alive.set(job_id, new Set([...(alive.get(job_id) ?? []), attempt]));
  }
  return alive;
}

/** What every deadline may take on top, and how many starts of a program more. */
const MARGIN_MS = 3_000;
const MARGIN_STARTS = 20;
const SAMPLE_EVERY_MS = 200;

/** How long a program takes to start right now, in milliseconds: 20 on a quiet machine, and a measure of how busy another one is. */
async function timeToStart(): Promise<number> {
  const began = performance.now();
  await new Promise((resolve) => spawn(env.python, ['-I', '-S', '-c', ''], { stdio: 'ignore' }).once('exit', resolve));
  return performance.now() - began;
}

/**
 * Does what is promised within a time and fails when it took longer than that and the margin: three seconds and twenty
 * starts of a program, the slowest that there was meanwhile. Answers how long it took, in milliseconds.
 */
export async function keptWithin(promised_ms: number, work: () => Promise<unknown>): Promise<number> {
  let slowest = await timeToStart();
  const done = new AbortController();
  const sampling = (async () => {
    while (!done.signal.aborted) {
      slowest = Math.max(slowest, await timeToStart());
      await pause(SAMPLE_EVERY_MS, undefined, { signal: done.signal }).catch(() => undefined);
    }
  })();
  let took: number;
  try {
    const began = performance.now();
    await work();
    took = performance.now() - began;
  } finally {
    done.abort();
    await sampling;
  }
  expect(took, 'the promised time and its margin').toBeLessThan(promised_ms + MARGIN_MS + MARGIN_STARTS * slowest);
  return took;
}
