/**
 * One connection a job and browser. Of the visible tabs that show the job, the one that holds a Web Lock reads the stream and
 * passes each event on over a BroadcastChannel; a tab that missed one asks for the whole record. A hidden tab gives the lock up.
 * Without Web Locks (plain HTTP on another address) each visible tab reads for itself.
 */
import { isTerminal } from '#/domain/statuses.ts';
import { ApiError, addressOf } from './api.ts';
import { readEventStream, type StreamEvent } from './event-stream.ts';
import { emptyRecord, type JobRecord, takeIn } from './job-record.ts';

/** How the page is connected; `waiting` tries again at `retry_at` (epoch ms). */
export type Connection =
  | { state: 'connecting' }
  | { state: 'live' }
  | { state: 'waiting'; retry_at: number; reason: string }
  | { state: 'paused' }
  | { state: 'ended' }
  | { state: 'refused'; status: number; reason: string };

type Message =
  | { type: 'hello' }
  | { type: 'record'; record: JobRecord; connection: Connection }
  | { type: 'event'; before: string | null; event: StreamEvent }
  | { type: 'connection'; connection: Connection };

const SILENCE_MS = 60_000;
const RETRY_MS = [250, 1_000, 2_000, 4_000, 8_000, 15_000];
/** After a final job's last event, this long without another means that all was told. */
const SETTLED_MS = 5_000;
/** A tab that is hidden for this long lets another read. */
const HIDDEN_MS = 10_000;

export class SharedStream {
  record: JobRecord = emptyRecord();
  connection: Connection = { state: 'connecting' };
  private readonly url: string;
  private readonly name: string;
  private readonly changed: () => void;
  private readonly channel: BroadcastChannel | null;
  private turn: AbortController | null = null;
  private reading = false;
  /** An event was missed and the whole record was asked for. */
  private behind = false;
  private hidden: ReturnType<typeof setTimeout> | undefined;

  /** `changed` is called after each change of `record` or `connection`. */
  constructor(job_id: string, changed: () => void) {
    this.url = addressOf('/api/jobs/{id}/stream', { id: job_id });
    this.name = `lowrank-job-${job_id}`;
    this.changed = changed;
    this.channel = navigator.locks && 'BroadcastChannel' in globalThis ? new BroadcastChannel(this.name) : null;
  }

  open(): void {
    this.channel?.addEventListener('message', this.onMessage);
    document.addEventListener('visibilitychange', this.onVisibility);
    this.say({ type: 'hello' });
    this.onVisibility();
  }

  close(): void {
    clearTimeout(this.hidden);
    document.removeEventListener('visibilitychange', this.onVisibility);
    this.turn?.abort();
    this.turn = null;
    this.channel?.close();
  }

  private readonly onVisibility = () => {
    clearTimeout(this.hidden);
    if (document.visibilityState === 'visible') {
      if (this.turn === null) this.takeTurn();
    } else {
      this.hidden = setTimeout(() => {
        this.turn?.abort();
        this.turn = null;
        this.reading = false;
        if (this.connection.state !== 'ended') this.setConnection({ state: 'paused' });
      }, HIDDEN_MS);
    }
  };

  private takeTurn(): void {
    const turn = new AbortController();
    this.turn = turn;
    const read = async () => {
      if (turn.signal.aborted || (this.connection.state === 'ended' && !this.behind)) return;
      this.reading = true;
      try {
        await this.readOn(turn.signal);
      } finally {
        if (this.turn === turn) this.reading = false;
      }
    };
    const held = this.channel === null ? read() : navigator.locks.request(this.name, { signal: turn.signal }, read);
    held.catch((cause: unknown) => {
      if (!turn.signal.aborted) this.setConnection({ state: 'refused', status: 0, reason: String(cause) });
    });
  }

  /** Connects again and again, each time from the cursor, until there is nothing more to come. */
  private async readOn(signal: AbortSignal): Promise<void> {
    let failures = 0;
    const settled = new AbortController();
    const either = AbortSignal.any([signal, settled.signal]);
    let quiet: ReturnType<typeof setTimeout> | undefined;
    while (!either.aborted) {
      if (this.connection.state !== 'waiting') this.setConnection({ state: 'connecting' });
      let reason = 'The connection ended.';
      let wait_ms = 0;
      try {
        await readEventStream(this.url, {
          after: this.record.cursor,
          signal: either,
          silence_ms: SILENCE_MS,
          onOpen: () => {
            failures = 0;
            this.setConnection({ state: 'live' });
          },
          onEvent: (event) => {
            this.say({ type: 'event', before: this.record.cursor, event });
            takeIn(this.record, event);
            this.changed();
            clearTimeout(quiet);
            const { job, gone } = this.record;
            if (gone !== null) settled.abort();
            else if (job !== null && isTerminal(job.status)) quiet = setTimeout(() => settled.abort(), SETTLED_MS);
          },
        });
      } catch (cause) {
        if (either.aborted) break;
        const fault = cause instanceof ApiError ? cause : new ApiError(0, 'internal', String(cause));
        if (fault.status >= 400 && fault.status < 500 && fault.status !== 429) {
          return this.setConnection({ state: 'refused', status: fault.status, reason: fault.message });
        }
        reason = fault.message;
        wait_ms = (fault.retry_after_s ?? 0) * 1000;
      }
      wait_ms = Math.max(wait_ms, RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] ?? 0);
      failures += 1;
      this.setConnection({ state: 'waiting', retry_at: Date.now() + wait_ms, reason });
      await pause(wait_ms, either);
    }
    clearTimeout(quiet);
    if (settled.signal.aborted) this.setConnection({ state: 'ended' });
  }

  private readonly onMessage = ({ data }: MessageEvent<Message>) => {
    if (data.type === 'hello') {
      if (this.reading) this.say({ type: 'record', record: this.record, connection: this.connection });
    } else if (this.reading) {
      // Two readers never hold one lock; what an earlier one still says is known already.
    } else if (data.type === 'record') {
      this.record = data.record;
      this.behind = false;
      this.setConnection(data.connection);
    } else if (data.type === 'connection') {
      this.setConnection(data.connection);
    } else if (data.before === this.record.cursor) {
      takeIn(this.record, data.event);
      this.changed();
    } else {
      this.behind = true;
      this.say({ type: 'hello' });
    }
  };

  private setConnection(connection: Connection): void {
    this.connection = connection;
    if (this.reading) this.say({ type: 'connection', connection });
    this.changed();
  }

  private say(message: Message): void {
    this.channel?.postMessage(message);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
