/** Claims jobs while a device is free, and sees to it that every run of this host is cared for. */
import { setTimeout as pause } from 'node:timers/promises';
import { env } from '#/env.ts';
import { claimJob } from '#/services/jobs/claim-job.ts';
import { readRuns, readWishes } from '#/services/jobs/read-run.ts';
import { renewLeases } from '#/services/jobs/renew-leases.ts';
import { sweepJobs } from '#/services/jobs/sweep-jobs.ts';
import { listenForWork, type WorkBell } from '#/services/jobs/wait-for-work.ts';
import { failpoint } from './failpoint.ts';
import type { Contact } from './host.ts';
import { isAway } from './patience.ts';
import { freeBytes } from './run-directory.ts';
import { type Supervisor, supervise } from './supervisor.ts';
import type { WorkerParts } from './worker-parts.ts';

/** Between two rounds at least this long, however often the bell rings. */
const ROUND_MS = 20;
const GB = 1024 ** 3;
/** Of the disk reserve, what a run that is under way must leave. */
const RUNNING_SHARE = 0.25;

export interface Scheduler {
  /** The runs in care, by job. */
  held: Map<string, Supervisor>;
  /** Resolves when the worker stops. */
  over: Promise<void>;
}

export function startScheduler(parts: WorkerParts, contact: Contact): Scheduler {
  const held = new Map<string, Supervisor>();
  const bell = listenForWork();
  parts.stopping.addEventListener('abort', () => bell.ring(), { once: true });
  const over = Promise.all([
    keep(parts, parts.times.heartbeat_ms, () => renew(parts, held, contact, bell)),
    keep(parts, parts.times.sweep_ms, () => sweep(parts, held)),
    rounds(parts, held, bell),
  ]).then(async () => {
    await Promise.all([...held.values()].map((one) => one.over));
    await bell.close();
  });
  return { held, over };
}

/** Does something at a steady pace, whatever it takes, until the worker stops. A failure is logged and waits for the next time. */
async function keep(parts: WorkerParts, every_ms: number, work: () => Promise<void>): Promise<void> {
  while (!parts.stopping.aborted) {
    const began = performance.now();
    try {
      await work();
    } catch (error) {
      if (isAway(error)) parts.log.warn('the database is away');
      else parts.log.error({ err: error }, 'a round of the worker failed');
    }
    await pause(Math.max(1, every_ms - (performance.now() - began)), undefined, { signal: parts.stopping }).catch(
      () => undefined,
    );
  }
}

async function renew(parts: WorkerParts, held: Map<string, Supervisor>, contact: Contact, bell: WorkBell): Promise<void> {
  const runs = [...held.values()].map(({ job_id, epoch }) => ({ job_id, epoch }));
  // The embedded database serves this host alone: nobody else can settle our runs, so its absence needs no fence.
  if (env.DATABASE_URL === undefined) await contact.beat();
  const renewal = await renewLeases(parts.worker_id, runs, parts.times.contact_lost_ms);
  if (env.DATABASE_URL !== undefined) await contact.beat();
  for (const run of runs) {
    const supervisor = held.get(run.job_id);
    const kept = renewal.kept.get(run.job_id);
    if (supervisor === undefined || supervisor.epoch !== run.epoch) continue;
    if (kept === undefined) supervisor.fence();
    else if (kept.cancel_requested) supervisor.wish('cancel');
  }
  await takeInto(parts, held, bell, renewal.unattended);
}

/** Takes runs into care that the database says are ours: after a restart, and claims whose answer was lost. */
async function takeInto(parts: WorkerParts, held: Map<string, Supervisor>, bell: WorkBell, job_ids: string[]): Promise<void> {
  if (job_ids.length === 0) return;
  for (const run of await readRuns(parts.worker_id, job_ids)) {
    if (!held.has(run.job_id)) hold(held, bell, supervise(parts, run, false));
  }
}

function hold(held: Map<string, Supervisor>, bell: WorkBell, supervisor: Supervisor): void {
  held.set(supervisor.job_id, supervisor);
  void supervisor.over.then(() => {
    if (held.get(supervisor.job_id) === supervisor) held.delete(supervisor.job_id);
    // Its device is free: look for the next job.
    bell.ring();
  });
}

async function sweep(parts: WorkerParts, held: Map<string, Supervisor>): Promise<void> {
  if ((await freeBytes()) < env.LOWRANK_DISK_RESERVE_GB * GB * RUNNING_SHARE) {
    for (const supervisor of held.values()) supervisor.wish('disk_full');
  }
  const { settled } = await sweepJobs(parts.worker_id, parts.times);
  if (settled.length > 0) parts.log.warn({ settled }, 'jobs of vanished hosts are settled');
}

async function rounds(parts: WorkerParts, held: Map<string, Supervisor>, bell: WorkBell): Promise<void> {
  let was_full = false;
  while (!parts.stopping.aborted) {
    try {
      for (const job_id of await readWishes(parts.worker_id)) held.get(job_id)?.wish('cancel');
      const is_full = (await freeBytes()) < env.LOWRANK_DISK_RESERVE_GB * GB;
      if (is_full && !was_full) parts.log.error('the disk is nearly full: no run is started until there is space');
      was_full = is_full;
      while (!is_full && !parts.stopping.aborted && (await claimOne(parts, held, bell)));
    } catch (error) {
      if (!isAway(error)) parts.log.error({ err: error }, 'a claim failed');
    }
    await pause(ROUND_MS);
    await bell.wait(parts.times.sweep_ms);
  }
}

/** Claims one job and takes its run into care; false when there is nothing to claim. */
async function claimOne(parts: WorkerParts, held: Map<string, Supervisor>, bell: WorkBell): Promise<boolean> {
  const claimed = await claimJob(parts.worker_id, 'process', parts.times.contact_lost_ms);
  if (claimed === null) return false;
  await failpoint('after_claim_commit');
  const [run] = await readRuns(parts.worker_id, [claimed.job_id]);
  // Cancelled or lost between the two: whoever moved it has settled it.
  if (run === undefined || run.epoch !== claimed.epoch) return true;
  // Care for the earlier attempt may be at its last step still.
  await held.get(run.job_id)?.over;
  hold(held, bell, supervise(parts, run, true));
  return true;
}
