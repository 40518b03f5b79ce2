/** Cares for one run from its claim, or from a restart of the worker, to its settled end. All that matters of it is on the disk and in rows. */
import { join } from 'node:path';
import { AppError } from '#/domain/app-error.ts';
import { limitsOf } from '#/domain/run-config.ts';
import type { RunExit, StopReason } from '#/domain/run-exit.ts';
import { runtimeLimitMs } from '#/domain/run-limits.ts';
import { noteStarted } from '#/services/jobs/launch-run.ts';
import type { HeldRun } from '#/services/jobs/read-run.ts';
import { recordTrainerEvents } from '#/services/jobs/record-trainer-events.ts';
import { attemptFolder } from '#/storage/run-folder.ts';
import { abandonRun, clearRun, undying } from './abandon-run.ts';
import { lineReader } from './event-file.ts';
import type { Executor, RunHandle, RunState } from './executors/executor.ts';
import { CONTAINER_RECORD, MadeOf, readRecord } from './executors/records.ts';
import { failpoint } from './failpoint.ts';
import { finishRun } from './finish-run.ts';
import { isAway, isFenced, patiently, pauseUnlessStopped, Stopped } from './patience.ts';
import { outputFolder } from './run-directory.ts';
import { StageClock } from './stage-clock.ts';
import { startRun } from './start-run.ts';
import { executorOf, type WorkerParts, watchMs } from './worker-parts.ts';

/** Batches of lines stored between two looks at the run itself. */
const BATCHES_AT_ONCE = 16;

type Over = Extract<RunState, { phase: 'exited' | 'lost' }>;

export interface Supervisor {
  job_id: string;
  epoch: number;
  /** Of the devices that it has. */
  device_uuids: string[];
  /** Resolves when nothing is left to do for the run here; never rejects. */
  over: Promise<void>;
  /** Asks the run to end for this reason; false when it was asked before: the first reason counts. */
  wish(reason: StopReason): boolean;
  /** The job is somebody else's now: the run is ended and nothing of it is written any more. */
  fence(): void;
}

/** Takes a run into care: `fresh` when it was claimed just now, otherwise it is found again. */
export function supervise(parts: WorkerParts, run: HeldRun, fresh: boolean): Supervisor {
  const care = new Care(parts, run);
  return {
    job_id: run.job_id,
    epoch: run.epoch,
    device_uuids: run.devices.map(({ uuid }) => uuid),
    over: care.through(fresh),
    wish: (reason) => care.wish(reason),
    fence: () => care.fence(),
  };
}

class Care {
  readonly #parts: WorkerParts;
  readonly #run: HeldRun;
  readonly #executor: Executor;
  readonly #handle: RunHandle;
  readonly #clock: StageClock;
  readonly #began: number;
  readonly #runtime_limit_ms: number;
  #offset: number;
  #noted_started: boolean;
  #wish: StopReason | null = null;
  #asked_at: number | null = null;
  readonly #cancelled = new AbortController();
  #fenced = false;
  #wake: (() => void) | undefined;
  #beat = { value: -1, at: 0 };
  readonly #complain: () => void;

  constructor(parts: WorkerParts, run: HeldRun) {
    this.#parts = parts;
    this.#run = run;
    this.#executor = executorOf(parts, run);
    this.#handle = { executor: run.executor, job_id: run.job_id, attempt: run.attempt };
    this.#complain = undying(parts, this.#handle);
    const now = performance.now();
    this.#clock = new StageClock(parts.times, run.current_stage, run.current_step, now);
    this.#began = now - run.age_ms;
    this.#runtime_limit_ms = runtimeLimitMs(limitsOf(run.config), parts.times);
    this.#offset = run.events_offset;
    this.#noted_started = run.status === 'running';
    if (run.wish !== null) this.wish(run.wish);
  }

  wish(reason: StopReason): boolean {
    if (reason === 'cancel') this.#cancelled.abort();
    if (this.#wish !== null) return false;
    this.#wish = reason;
    this.#wake?.();
    return true;
  }

  fence(): void {
    this.#fenced = true;
    this.#wake?.();
  }

  async through(fresh: boolean): Promise<void> {
    const { log } = this.#parts;
    const which = { job_id: this.#run.job_id, attempt: this.#run.attempt };
    for (;;) {
      try {
        if (this.#fenced) await abandonRun(this.#parts, this.#run);
        else await this.#live(fresh);
        return;
      } catch (error) {
        if (error instanceof Stopped) return;
        if (isFenced(error)) {
          log.warn(which, 'the job is no longer ours: its run is ended');
          this.#fenced = true;
        } else {
          // Not known what: the run itself is not touched, and looked at again.
          log.error({ ...which, err: error }, 'care for the run failed; trying again');
          if (this.#parts.stopping.aborted) return;
        }
        fresh = false;
        await pauseUnlessStopped(this.#parts, this.#parts.times.sweep_ms).catch(() => undefined);
        if (this.#parts.stopping.aborted) return;
      }
    }
  }

  async #live(fresh: boolean): Promise<void> {
    const over = fresh ? await this.#start() : await this.#found();
    if (over === 'settled') return;
    const state = over ?? (await this.#watch());
    await failpoint('after_exit_seen');
    // It may have come and gone between two looks.
    if (state.phase === 'exited' || state.started) await patiently(this.#parts, () => this.#noteStarted());
    await clearRun(this.#parts, this.#handle);
    await this.#readToTheEnd();
    const exit = state.phase === 'exited' ? exitOf(state) : null;
    const not_started = state.phase === 'lost' && !state.started;
    const lost_reason = state.phase === 'lost' ? state.reason : null;
    await finishRun(this.#parts, this.#run, { exit, lost_reason, not_started }, this.#cancelled.signal);
  }

  /** Launches a fresh run; a state when it is over before it began. */
  async #start(): Promise<Over | 'settled' | null> {
    if (this.#wish !== null) return this.#forbidden();
    const failure = await startRun(this.#parts, this.#run, this.#cancelled.signal);
    if (failure === null) return null;
    // Put back where its executor is away, and cancelled where that was wished: it never was.
    if (failure === 'cancelled' || failure === 'away') return this.#forbidden();
    await this.#executor.forbid(this.#handle);
    await clearRun(this.#parts, this.#handle);
    await finishRun(
      this.#parts,
      this.#run,
      { exit: null, lost_reason: null, not_started: false, failure },
      this.#cancelled.signal,
    );
    return 'settled';
  }

  /** A run of before: one that never started may wait again, all others are as their files say. */
  async #found(): Promise<Over | null> {
    for (;;) {
      const state = await this.#executor.observe(this.#handle);
      if (state.phase !== 'away') return state.phase === 'waiting' ? this.#forbidden() : null;
      if (this.#noted_started) return null;
      await this.#tick();
      if (this.#fenced) throw new AppError('fenced', `Job ${this.#run.job_id} is held by somebody else`);
    }
  }

  async #forbidden(): Promise<Over | null> {
    if (!(await this.#executor.forbid(this.#handle))) return null;
    // What was told as started and has no trace here any more is lost with its folder.
    const started = this.#noted_started;
    return { phase: 'lost', started, reason: started ? 'its folder is gone' : 'it was not started' };
  }

  /** Until the run is over: stores what its trainer says and follows wishes. */
  async #watch(): Promise<Over> {
    for (;;) {
      if (this.#fenced) throw new AppError('fenced', `Job ${this.#run.job_id} is held by somebody else`);
      const state = await this.#executor.observe(this.#handle);
      if (state.phase === 'exited' || state.phase === 'lost') return state;
      try {
        if (state.phase === 'running') await this.#noteStarted();
        for (let batch = 0; batch < BATCHES_AT_ONCE && (await this.#record()); batch++);
      } catch (error) {
        if (!isAway(error)) throw error;
        this.#clock.excuse(performance.now());
      }
      await this.#lookAfter(state);
      await this.#tick();
    }
  }

  async #noteStarted(): Promise<void> {
    if (this.#noted_started) return;
    const record = join(attemptFolder(this.#run.job_id, this.#run.attempt), CONTAINER_RECORD);
    await noteStarted(this.#run, { ...this.#handle }, await readRecord(MadeOf, record));
    this.#noted_started = true;
    await failpoint('after_started_commit');
  }

  /** Stores the next lines of the trainer; false when there are none. */
  async #record(): Promise<boolean> {
    const batch = await this.#lines.read(this.#offset);
    if (batch === null) return false;
    await failpoint('before_events_commit');
    const stored = await recordTrainerEvents(this.#run, batch);
    await failpoint('after_events_commit');
    this.#offset = stored.offset;
    this.#clock.heard(stored.progress, performance.now());
    if (stored.wish !== null) this.wish(stored.wish);
    return true;
  }

  get #lines() {
    const path = join(outputFolder(this.#run.job_id, this.#run.attempt), 'events.jsonl');
    this.#reader ??= lineReader(path);
    return this.#reader;
  }
  #reader: ReturnType<typeof lineReader> | undefined;

  async #readToTheEnd(): Promise<void> {
    while (await patiently(this.#parts, () => this.#record()));
  }

  async #lookAfter(state: RunState): Promise<void> {
    const { times, log } = this.#parts;
    const executor = this.#executor;
    const now = performance.now();
    if (this.#wish === null) {
      if (this.#clock.isHung(now)) this.#wish = 'hang';
      else if (now - this.#began > this.#runtime_limit_ms) this.#wish = 'runtime_limit';
    }
    if (this.#wish !== null && this.#asked_at === null) {
      this.#asked_at = now;
      log.info({ job_id: this.#run.job_id, reason: this.#wish }, 'the run is asked to end');
      await executor.stop(this.#handle, times.grace_ms, this.#wish);
    }
    // An owner that never came to start its trainer follows no wish.
    const stuck = state.phase === 'waiting' && this.#asked_at !== null && now - this.#asked_at > times.grace_ms;
    if (stuck) await executor.clear(this.#handle);
    if (state.phase !== 'running') return;
    if (this.#asked_at !== null || !state.trainer_alive) this.#complain();
    if (state.beat !== this.#beat.value) this.#beat = { value: state.beat, at: now };
    // A trainer that has ended under an owner that says nothing any more: nobody will ever tell how.
    else if (!state.trainer_alive && now - this.#beat.at > times.contact_lost_ms) await executor.clear(this.#handle);
  }

  async #tick(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    await Promise.race([promise, pauseUnlessStopped(this.#parts, watchMs(this.#parts.times))]);
    this.#wake = undefined;
  }
}

function exitOf(state: Extract<RunState, { phase: 'exited' }>): RunExit {
  const { phase: _, ...exit } = state;
  return exit;
}
