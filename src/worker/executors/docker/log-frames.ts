/** The engine's stream of a container's output: frames of a header of eight bytes, each one entry of its log. */

const HEADER_BYTES = 8;

export interface LogEntry {
  /** When the engine read it: RFC 3339 with up to nine digits below the second. Parts of one long line have the same. */
  at: string;
  /** 1 is stdout, 2 stderr. */
  stream: number;
  /** As it was printed; without a newline at its end it is part of a line that goes on. */
  data: Buffer;
}

/** Takes the stream in whatever pieces it comes, and gives the entries that are whole. */
export class LogFrames {
  #held: Buffer = Buffer.alloc(0);

  take(piece: Buffer): LogEntry[] {
    this.#held = this.#held.length === 0 ? piece : Buffer.concat([this.#held, piece]);
    const entries: LogEntry[] = [];
    let from = 0;
    while (this.#held.length - from >= HEADER_BYTES) {
      const length = this.#held.readUInt32BE(from + 4);
      const start = from + HEADER_BYTES;
      if (this.#held.length - start < length) break;
      const body = this.#held.subarray(start, start + length);
      const blank = body.indexOf(0x20);
      entries.push({ at: body.toString('latin1', 0, blank), stream: this.#held[from] ?? 0, data: body.subarray(blank + 1) });
      from = start + length;
    }
    this.#held = this.#held.subarray(from);
    return entries;
  }
}

const NANOS = 1_000_000_000n;

/** Nanoseconds since 1970 of such a time. Docker tells all in UTC, Podman in the time of its host. */
export function nanosOf(at: string): bigint {
  const [, seconds = '', fraction = '', zone = ''] = /^([^.Z+]+?)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(at) ?? [];
  return BigInt(Date.parse(`${seconds}${zone}`)) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}

/** So many nanoseconds since 1970 as the engine's `since` takes them. */
export function sinceOf(nanos: bigint): string {
  return `${nanos / NANOS}.${String(nanos % NANOS).padStart(9, '0')}`;
}
