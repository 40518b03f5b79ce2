/** Reads a trainer's events.jsonl by byte offset, whole lines only. The file is the trainer's: it may hold anything. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { TRAINER_LINE_MAX } from '#/domain/trainer-events.ts';

/** Bytes read at once: one batch is one transaction. */
const BATCH_BYTES = 256 * 1024;
const NEWLINE = 0x0a;

export interface LineBatch {
  from: number;
  to: number;
  lines: string[];
  /** 1 when the bytes from `from` to `to` are one line that is too long to read. */
  oversized: number;
}

export interface LineReader {
  /** The next whole lines from an offset; null when there are none (yet). */
  read(from: number): Promise<LineBatch | null>;
}

export function lineReader(path: string): LineReader {
  /** How far the search for the end of an overlong line has come, so that no byte is looked at twice. */
  let searched = { from: -1, to: 0 };

  const findNewline = async (file: FileHandle, from: number, size: number): Promise<number | null> => {
    let at = searched.from === from ? searched.to : from;
    const chunk = Buffer.alloc(BATCH_BYTES);
    while (at < size) {
      const { bytesRead } = await file.read(chunk, 0, Math.min(chunk.length, size - at), at);
      if (bytesRead === 0) break;
      const found = chunk.subarray(0, bytesRead).indexOf(NEWLINE);
      if (found >= 0) return at + found;
      at += bytesRead;
    }
    searched = { from, to: at };
    return null;
  };

  return {
    async read(from) {
      let file: FileHandle;
      try {
        file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      } catch (error) {
        // Not there yet, or a link in its place, which is never followed.
        if (['ENOENT', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
        throw error;
      }
      try {
        const facts = await file.stat();
        if (!facts.isFile() || facts.size <= from) return null;
        const buffer = Buffer.alloc(Math.min(facts.size - from, TRAINER_LINE_MAX + BATCH_BYTES));
        const first = await file.read(buffer, 0, Math.min(buffer.length, BATCH_BYTES), from);
        let filled = first.bytesRead;
        let end = buffer.subarray(0, filled).lastIndexOf(NEWLINE);
        if (end < 0 && filled < buffer.length) {
          const rest = await file.read(buffer, filled, buffer.length - filled, from + filled);
          filled += rest.bytesRead;
          end = buffer.subarray(0, filled).indexOf(NEWLINE);
        }
        if (end >= 0) {
          const lines = buffer.toString('utf8', 0, end).split('\n');
          return { from, to: from + end + 1, lines, oversized: 0 };
        }
        if (filled <= TRAINER_LINE_MAX) return null;
        const newline = await findNewline(file, from, facts.size);
        return newline === null ? null : { from, to: newline + 1, lines: [], oversized: 1 };
      } finally {
        await file.close();
      }
    },
  };
}
