/** Claims jobs while a device is free, and sees to it that every run of this host is cared for. */
import { setTimeout as pause } from 'node:timers/promises';
import { GB } from '#/domain/bytes.ts';
import { env } from '#/env.ts';
import { pruneActivities } from '#/services/activities/prune-activities.ts';
import { meterRuns } from '#/services/costs/bill-runs.ts';
import { type ClaimFaults, claimJob } from '#/services/jobs/claim-job.ts';
import { failUnstartable } from '#/services/jobs/fail-unstartable.ts';
import { readRuns, readWishes } from '#/services/jobs/read-run.ts';
import { renewLeases } from '#/services/jobs/renew-leases.ts';
import { settleModelWait } from '#/services/jobs/settle-model-wait.ts';
import { sweepJobs } from '#/services/jobs/sweep-jobs.ts';
import { listenForWork, type WorkBell } from '#/services/jobs/wait-for-work.ts';
import { removeDepartures } from '#/services/people/remove-departures.ts';
import { settleModelTransfer } from '#/services/transfers/settle-model-transfer.ts';
import { pruneDeliveries } from '#/services/webhooks/hold-receiver.ts';
import { checkNextImage } from './check-image.ts';
import type { Device } from './detect-devices.ts';
import type { ExecutorFault } from './executors/executor.ts';
import { failpoint } from './failpoint.ts';
import { fetchNextModel } from './fetch-model.ts';
import type { Contact } from './host.ts';
import { collectFiles, collectRunFolders, endStrayRuns } from './housekeeping.ts';
import { importNextDataset } from './import-dataset.ts';
import { inspectNextDataset } from './inspect-dataset.ts';
import { keepSampleImages } from './keep-sample-images.ts';
import { pushNextArtifact } from './push-artifact.ts';
import { freeBytes, jobsWithFolders, removeRunDirectory } from './run-directory.ts';
import { sendWebhooks } from './send-webhooks.ts';
import { attempt, steadily } from './steady.ts';
import { type Supervisor, supervise } from './supervisor.ts';
import { type GpuWatch, gpuWatch } from './watch-gpus.ts';
import type { WorkerParts } from './worker-parts.ts';

/** Between two rounds at least this long, however often the bell rings. */
const ROUND_MS = 20;
/** Of the disk reserve, what a run that is under way must leave. */
const RUNNING_SHARE = 0.25;
const HOUSEKEEPING_MS = 3_600_000;

/** Runs everything that a worker does, side by side, until it stops; resolves when the last of it has come to rest. */
export async function runScheduler(parts: WorkerParts, contact: Contact, devices: Device[]): Promise<void> {
  const scheduler = new Scheduler(parts, contact, devices);
  const { times } = parts;
  await Promise.all([
    steadily(parts, times.heartbeat_ms, () => scheduler.renew()),
    steadily(parts, times.sweep_ms, () => scheduler.sweep()),
    steadily(parts, times.sweep_ms, () => meterRuns(parts.worker_id)),
    steadily(parts, times.contact_lost_ms, () => scheduler.gpus.patrol()),
    steadily(parts, HOUSEKEEPING_MS, () => scheduler.putInOrder()),
    scheduler.claims(),
    // Two lanes each, and one person never has both. Where more wait they take turns: nobody waits for all that others have.
    ...[inspectNextDataset, fetchNextModel, importNextDataset, pushNextArtifact].flatMap((work) => [
      scheduler.background(work),
      scheduler.background(work),
    ]),
    scheduler.background(() => checkNextImage(parts)),
    scheduler.background(() => keepSampleImages(parts)),
    scheduler.background(settleModelWait),
    scheduler.background(settleModelTransfer),
    scheduler.background(() => scheduler.seeOff()),
    sendWebhooks(parts, scheduler.bell.ear()),
    steadily(parts, HOUSEKEEPING_MS, pruneDeliveries),
    steadily(parts, HOUSEKEEPING_MS, pruneActivities),
  ]);
  await Promise.all([...scheduler.held.values()].map((one) => one.over));
  await scheduler.bell.close();
}

class Scheduler {
  /** The runs in care, by job. */
  readonly held = new Map<string, Supervisor>();
  readonly bell: WorkBell = listenForWork();
  readonly gpus: GpuWatch;
  readonly #parts: WorkerParts;
  readonly #contact: Contact;
  #was_full = false;
  /** Why this worker cannot start runs now; null when it can. */
  #fault: ExecutorFault | null = null;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: WorkerParts, contact: Contact, devices: Device[]) {
    this.gpus = gpuWatch(parts, devices, this.held);
    this.#parts = parts;
    this.#contact = contact;
    parts.stopping.addEventListener('abort', () => this.bell.ring(), { once: true });
  }

  /** Says that we live, renews our leases, and takes into care what the database says is ours. */
  async renew(): Promise<void> {
    const { worker_id, times } = this.#parts;
    const runs = [...this.held.values()].map(({ job_id, epoch }) => ({ job_id, epoch }));
    // The embedded database serves this host alone: nobody else can settle our runs, so its absence needs no fence.
    if (env.DATABASE_URL === undefined) await this.#contact.beat();
    // Why nothing starts, for whoever looks at a queue that stands still.
    const renewal = await renewLeases(worker_id, runs, times.contact_lost_ms, {
      disk_full: this.#was_full,
      executor_fault: this.#fault,
    });
    if (env.DATABASE_URL !== undefined) await this.#contact.beat();
    for (const run of runs) {
      const supervisor = this.held.get(run.job_id);
      if (supervisor === undefined || supervisor.epoch !== run.epoch) continue;
      const kept = renewal.kept.get(run.job_id);
      if (kept === undefined) supervisor.fence();
      else if (kept.wish !== null) supervisor.wish(kept.wish);
    }
    const unattended = renewal.unattended.filter((job_id) => !this.held.has(job_id));
    // Not waited for: the next renewal must not be late because a claim is slow.
    if (unattended.length > 0) void attempt(this.#parts, () => this.#find(unattended));
  }

  /** Takes runs into care that the database says are ours: after a restart, and of a claim whose answer was lost. */
  #find(job_ids: string[]): Promise<void> {
    return this.#alone(async () => {
      for (const run of await readRuns(this.#parts.worker_id, job_ids)) {
        if (!this.held.has(run.job_id)) this.#hold(supervise(this.#parts, run, false));
      }
    });
  }

  /** Claiming and finding take turns, or a run that is being claimed would be found at the same time. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async sweep(): Promise<void> {
    if (await this.#isFull(RUNNING_SHARE)) this.#endOne();
    const { settled } = await sweepJobs(this.#parts.worker_id, this.#parts.times);
    if (settled.length > 0) this.#parts.log.warn({ settled }, 'jobs of vanished hosts are settled');
  }

  /** Ends the youngest run for want of disk: the next sweep sees if that was enough. */
  #endOne(): void {
    for (const supervisor of [...this.held.values()].reverse()) if (supervisor.wish('disk_full')) return;
  }

  /** Removes people who left, and at once the folders of their runs here; of other hosts when those put themselves in order. */
  async seeOff(): Promise<boolean> {
    const gone = await removeDepartures();
    if (gone.length === 0) return false;
    this.#parts.log.info({ people: gone.length }, 'people who left are removed');
    for (const job_id of await jobsWithFolders()) {
      if (!gone.some(({ job_ids }) => job_ids.has(job_id))) continue;
      // The job is settled before care for its run is at its last step.
      await this.held.get(job_id)?.over;
      await removeRunDirectory(job_id);
    }
    return true;
  }

  async putInOrder(): Promise<void> {
    const isHeld = (job_id: string) => this.held.has(job_id);
    await endStrayRuns(this.#parts, isHeld);
    await collectRunFolders(isHeld);
    await collectFiles(this.#parts);
  }

  /** Follows wishes and claims jobs, whenever the bell rings and at least once a sweep. */
  async claims(): Promise<void> {
    const ear = this.bell.ear();
    while (!this.#parts.stopping.aborted) {
      await attempt(this.#parts, async () => {
        for (const { job_id, wish } of await readWishes(this.#parts.worker_id))
          if (wish !== null) this.held.get(job_id)?.wish(wish);
        const is_full = await this.#isFull(1);
        if (is_full && !this.#was_full) this.#parts.log.error('the disk is nearly full: no run is started until there is space');
        this.#was_full = is_full;
        const can_start = await this.#canStart();
        while (!is_full && can_start && !this.#parts.stopping.aborted && (await this.#alone(() => this.#claimOne())));
      });
      await pause(ROUND_MS);
      await ear.wait(this.#parts.times.sweep_ms);
    }
  }

  /** Small jobs beside the trainings, one after the other. `work` answers whether there was something to do. */
  async background(work: (signal: AbortSignal) => Promise<boolean>): Promise<void> {
    const ear = this.bell.ear();
    while (!this.#parts.stopping.aborted) {
      while (await attempt(this.#parts, () => work(this.#parts.stopping)));
      await pause(ROUND_MS);
      await ear.wait(this.#parts.times.sweep_ms);
    }
  }

  /** Claims one job and takes its run into care; false when there is nothing to claim. */
  async #claimOne(): Promise<boolean> {
    const { worker_id, times } = this.#parts;
    const faults: ClaimFaults = {
      pause_ms: times.sweep_ms,
      tell: ({ job_id, error, settled }) =>
        this.#parts.log.error({ job_id, settled, err: error }, 'this job cannot be claimed and is passed over'),
    };
    const claimed = await claimJob(worker_id, this.#parts.launches_by, times.contact_lost_ms, faults, times.kept_after_ms);
    if (claimed === null) return false;
    await failpoint('after_claim_commit');
    // Care for the job's earlier attempt may be at its last step still.
    await this.held.get(claimed.job_id)?.over;
    const [run] = await readRuns(worker_id, [claimed.job_id]);
    // When somebody moved it between the two, they have settled it.
    if (run !== undefined && run.epoch === claimed.epoch) this.#hold(supervise(this.#parts, run, true));
    return true;
  }

  #hold(supervisor: Supervisor): void {
    this.held.set(supervisor.job_id, supervisor);
    void supervisor.over.then(async () => {
      if (this.held.get(supervisor.job_id) === supervisor) this.held.delete(supervisor.job_id);
      // Its devices are free: see that nobody else took them, and look for the next job.
      await attempt(this.#parts, () => this.gpus.look());
      this.bell.ring();
    });
  }

  /**
   * If what starts runs can start one now. Else jobs wait, and are told why; one whose submission still waits to hear of its launch
   * fails with what only a person can mend.
   */
  async #canStart(): Promise<boolean> {
    const { worker_id, executors, launches_by, log, times } = this.#parts;
    const readiness = await executors[launches_by].ready();
    const fault = readiness.state === 'ready' ? null : readiness;
    if (fault !== null && fault.reason !== this.#fault?.reason) log.error(fault, 'this worker cannot start runs');
    else if (fault === null && this.#fault !== null) log.info('this worker can start runs again');
    this.#fault = fault;
    if (fault?.state === 'unfit') await failUnstartable(worker_id, fault.reason, times.contact_lost_ms);
    return fault === null;
  }

  async #isFull(share: number): Promise<boolean> {
    return (await freeBytes()) < env.LOWRANK_DISK_RESERVE_GB * GB * share;
  }
}
