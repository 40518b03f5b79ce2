/** A container's output, copied out of the engine into the run's own bounded log while it is printed. */
import { type FileHandle, open, rename, writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import * as z from 'zod';
import { readJsonFile } from '../../json-file.ts';
import { type Engine, EngineAway, EngineRefusal } from './engine.ts';
import { type LogEntry, LogFrames } from './log-frames.ts';
import { beginOf, LOG_START, LogPlace, LogProgress, LogResume } from './log-place.ts';

/** How old what is stored of the place may be: all after it is copied once more, over itself. */
const STORED_EVERY_MS = 250;
/** So many bytes of the end are joined at once: a short entry alone takes a hundred times what it holds. */
const TAIL_PIECE_BYTES = 64 * 1024;
/** Before a stream that broke is followed again. */
const AGAIN_AFTER_MS = 500;

const Stored = z.object({
  /** Bytes of the log up to the place. */
  bytes: z.int(),
  place: LogPlace,
  /** The log is whole, and so many bytes of output are not in it. */
  dropped: z.int().nullable(),
});
type Stored = z.infer<typeof Stored>;

export interface LogCopyOptions {
  engine: Engine;
  container: string;
  log_path: string;
  /** Where the place is kept. */
  place_path: string;
  bytes_max: number;
  tail_bytes: number;
}

/** One container's log: its first bytes and its last, and a line on what lies between. */
export class LogCopy {
  readonly #options: LogCopyOptions;
  #following: { stop: AbortController; over: Promise<void> } | undefined;

  constructor(options: LogCopyOptions) {
    this.#options = options;
  }

  /** Copies what is printed from now on, in the background; said again, it changes nothing. */
  follow(): void {
    if (this.#following !== undefined) return;
    const stop = new AbortController();
    const following = { stop, over: Promise.resolve() };
    // What goes wrong here is met again by the next one, or by `finish`.
    following.over = this.#keepFollowing(stop.signal)
      .catch(() => undefined)
      .finally(() => {
        if (this.#following === following) this.#following = undefined;
      });
    this.#following = following;
  }

  /** Leaves the log as it is. */
  async leave(): Promise<void> {
    const following = this.#following;
    this.#following = undefined;
    following?.stop.abort();
    await following?.over;
  }

  /** Copies all that a container that has ended printed; answers the bytes that its log does not hold. Throws `EngineAway`. */
  async finish(): Promise<number> {
    await this.leave();
    const stored = await this.#read();
    if (stored.dropped !== null) return stored.dropped;
    const file = await this.#open(stored);
    try {
      await this.#copy(file, false, new AbortController().signal);
      return await file.finish();
    } finally {
      await file.close();
    }
  }

  async #keepFollowing(stopping: AbortSignal): Promise<void> {
    while (!stopping.aborted) {
      const stored = await this.#read();
      if (stored.dropped !== null) return;
      const file = await this.#open(stored);
      try {
        await this.#copy(file, true, stopping);
        // The container has ended: `finish` looks if all is there.
        return;
      } catch (error) {
        if (error instanceof EngineRefusal) return;
        if (!(error instanceof EngineAway) && !stopping.aborted) throw error;
      } finally {
        await file.close();
      }
      await pause(AGAIN_AFTER_MS, undefined, { signal: stopping }).catch(() => undefined);
    }
  }

  async #copy(file: BoundedLog, follow: boolean, signal: AbortSignal): Promise<void> {
    const { engine, container } = this.#options;
    const since = beginOf(file.place);
    const query = { follow: follow ? '1' : '0', stdout: '1', stderr: '1', timestamps: '1', ...(since !== '' && { since }) };
    const stream = await engine.follow(`/containers/${container}/logs`, query, signal);
    const frames = new LogFrames();
    const resume = new LogResume(file.place);
    try {
      for await (const piece of stream as AsyncIterable<Buffer>) {
        for (const entry of frames.take(piece)) await file.take(resume.take(entry));
        await file.flush();
      }
    } catch (error) {
      throw new EngineAway((error as NodeJS.ErrnoException).code ?? 'its log broke off');
    }
    await file.take(resume.rest());
    await file.flush(true);
  }

  async #read(): Promise<Stored> {
    const stored = Stored.safeParse(await readJsonFile(this.#options.place_path).catch(() => null));
    return stored.data ?? { bytes: 0, place: LOG_START, dropped: null };
  }

  async #open(stored: Stored): Promise<BoundedLog> {
    const handle = await open(this.#options.log_path, 'a', 0o600);
    // What was written after the place was stored comes again.
    await handle.truncate(stored.bytes);
    return new BoundedLog(this.#options, handle, stored);
  }
}

const GAP = Buffer.from('[lowrank] Output is missing here: the container engine did not keep it.\n');
const FULL = Buffer.from('[lowrank] The log is full: of what follows only the end is kept.\n');

class BoundedLog {
  readonly #options: LogCopyOptions;
  readonly #file: FileHandle;
  readonly #progress: LogProgress;
  #bytes: number;
  #waiting: Buffer[] = [];
  #stored_at = performance.now();
  #changed = false;
  #ends_line = true;
  /** Once the head is full: the last of what came, what is not joined to it yet, and how much came. */
  #tail: Buffer = Buffer.alloc(0);
  #loose: Buffer[] = [];
  #loose_bytes = 0;
  #past_head = 0;
  #unwritten = 0;
  #full = false;

  constructor(options: LogCopyOptions, file: FileHandle, { bytes, place }: Stored) {
    this.#options = options;
    this.#file = file;
    this.#bytes = bytes;
    this.#progress = new LogProgress(place);
  }

  get place(): LogPlace {
    return this.#progress.place;
  }

  async take({ entries, gap }: { entries: LogEntry[]; gap: boolean }): Promise<void> {
    if (gap) this.#put(GAP);
    for (const entry of entries) {
      const head_left = this.#options.bytes_max - this.#options.tail_bytes - this.#bytes;
      if (!this.#full && entry.data.length <= head_left) {
        this.#put(entry.data);
        this.#progress.note(entry);
        this.#changed = true;
        continue;
      }
      // From here on the place stays: whoever goes on from it sees all of the end again.
      if (!this.#full) {
        await this.flush(true);
        this.#full = true;
      }
      this.#past_head += entry.data.length;
      this.#loose.push(entry.data);
      this.#loose_bytes += entry.data.length;
      if (this.#loose_bytes >= TAIL_PIECE_BYTES) this.#joinEnd();
    }
  }

  #joinEnd(): Buffer {
    this.#tail = Buffer.concat([this.#tail, ...this.#loose]).subarray(-this.#options.tail_bytes);
    this.#loose = [];
    this.#loose_bytes = 0;
    return this.#tail;
  }

  #put(data: Buffer): void {
    this.#waiting.push(data);
    this.#bytes += data.length;
    this.#ends_line = data.at(-1) === 0x0a;
  }

  /** Writes what waits; the place now and then, or at once when `now` says so. A full disk costs the output, never the run. */
  async flush(now = false): Promise<void> {
    const data = Buffer.concat(this.#waiting);
    this.#waiting = [];
    if (data.length > 0 && !(await this.#write(data))) return;
    if (!this.#changed || this.#full || (!now && performance.now() - this.#stored_at < STORED_EVERY_MS)) return;
    await this.#store(null);
  }

  async #store(dropped: number | null): Promise<void> {
    this.#stored_at = performance.now();
    this.#changed = false;
    const stored: Stored = { bytes: this.#bytes, place: this.#progress.place, dropped };
    const { place_path } = this.#options;
    // Not synced: a host that crashes has lost the run, too.
    await writeFile(`${place_path}.tmp`, JSON.stringify(stored), { mode: 0o600 })
      .then(() => rename(`${place_path}.tmp`, place_path))
      .catch(unlessFull);
  }

  async #write(data: Buffer): Promise<boolean> {
    try {
      await this.#file.appendFile(data);
      return true;
    } catch (error) {
      unlessFull(error as NodeJS.ErrnoException);
      const { size } = await this.#file.stat();
      this.#unwritten += this.#bytes - size;
      this.#bytes = size;
      return false;
    }
  }

  /** Writes the end; answers the bytes of output that the log does not hold. */
  async finish(): Promise<number> {
    let dropped = this.#unwritten;
    if (this.#full) {
      let end = this.#joinEnd();
      let left_out = this.#past_head - end.length;
      if (!this.#ends_line) this.#put(Buffer.from('\n'));
      this.#put(FULL);
      if (left_out > 0) {
        const cut = end.indexOf(0x0a) + 1;
        left_out += cut;
        end = end.subarray(cut);
        this.#put(Buffer.from(`[lowrank] ${left_out} bytes of output were left out here.\n`));
      }
      this.#put(end);
      dropped += left_out;
      await this.#write(Buffer.concat(this.#waiting));
      this.#waiting = [];
    }
    await this.#store(dropped);
    return dropped;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

function unlessFull(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOSPC' && error.code !== 'EDQUOT') throw error;
}
