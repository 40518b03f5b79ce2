import type { PromiseTimes } from '#/domain/constants.ts';
import type { RunProgress } from '#/domain/run-record.ts';

/** Tells when a trainer has made no progress for longer than its stage may take. Times are monotonic milliseconds. */
export class StageClock {
  readonly #times: PromiseTimes;
  #stage: string | null;
  #step: number;
  #moved_at: number;

  constructor(times: PromiseTimes, stage: string | null, step: number, now: number) {
    this.#times = times;
    this.#stage = stage;
    this.#step = step;
    this.#moved_at = now;
  }

  /** The trainer said something: while training only another step is progress, elsewhere any line is. */
  heard(progress: RunProgress, now: number): void {
    const stage = progress.stage ?? this.#stage;
    const step = progress.step ?? this.#step;
    if (stage !== this.#stage || stage !== 'training' || step !== this.#step) this.#moved_at = now;
    this.#stage = stage;
    this.#step = step;
  }

  /** Nobody could listen (the database was away): the silence proves nothing. */
  excuse(now: number): void {
    this.#moved_at = now;
  }

  isHung(now: number): boolean {
    const limit_ms = this.#stage === 'training' ? this.#times.hang_training_ms : this.#times.hang_stage_ms;
    return now - this.#moved_at > limit_ms;
  }
}
