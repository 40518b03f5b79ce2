import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { logFile } from './run-folder.ts';

/** Bytes that one read answers at most. */
const CHUNK_BYTES = 256 * 1024;
const TAIL_BYTES = 64 * 1024;

export interface LogChunk {
  text: string;
  /** The offset to read from next time. */
  next: number;
  /** Bytes that the log has now. */
  size: number;
}

/**
 * Whole lines of an attempt's log from a byte offset, at most 256 KB; with `to_the_end` an unfinished last line, too.
 * A log that is not there (yet) is empty. An offset past the end answers nothing and the end.
 */
export async function readLog(job_id: string, attempt: number, offset: number, to_the_end: boolean): Promise<LogChunk> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(logFile(job_id, attempt), constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { text: '', next: 0, size: 0 };
    throw error;
  }
  try {
    const { size } = await file.stat();
    if (offset >= size) return { text: '', next: size, size };
    const buffer = Buffer.alloc(Math.min(CHUNK_BYTES, size - offset));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, offset);
    const whole = buffer.lastIndexOf(0x0a, bytesRead - 1) + 1;
    // A line longer than a chunk goes out in pieces, or nobody would ever see it or what follows it.
    const cut = whole > 0 ? whole : bytesRead === CHUNK_BYTES || to_the_end ? bytesRead : 0;
    const end = to_the_end && offset + bytesRead === size ? bytesRead : cut;
    return { text: buffer.toString('utf8', 0, end), next: offset + end, size };
  } finally {
    await file.close();
  }
}

/** The offset of the first whole line in the last 64 KB of a log: where a new follower begins. */
export async function logTail(job_id: string, attempt: number): Promise<number> {
  const { size } = await readLog(job_id, attempt, Number.MAX_SAFE_INTEGER, false);
  if (size <= TAIL_BYTES) return 0;
  const start = size - TAIL_BYTES;
  const { text } = await readLog(job_id, attempt, start, true);
  const newline = text.indexOf('\n');
  return newline < 0 ? start : start + Buffer.byteLength(text.slice(0, newline + 1));
}
