/** Where answers go: a file that is whole or not there, or standard output. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, rmSync } from 'node:fs';
import { open, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { constants } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import type { Writable } from 'node:stream';

export interface Answers {
  /** A promise where the reader is slower than we are. Throws what the stream does. */
  write(line: string): Promise<void> | null;
  /** Everything is written, and in its place. */
  finish(): Promise<void>;
  /** Nothing is left of it. */
  abandon(): Promise<void>;
}

/** Lines are handed on in pieces of this many characters. */
const PIECE = 1 << 16;

/** Opens `path`, null for standard output. What is no regular file (a pipe, a device) is written to as it is. */
export async function openAnswers(path: string | null): Promise<Answers> {
  if (path === null) return answersTo(process.stdout, { finish: async () => undefined, abandon: async () => undefined });
  const there = await stat(path).catch(() => null);
  // Something that must not be replaced by a file; a folder refuses by itself.
  if (there !== null && !there.isFile()) {
    const stream = createWriteStream(path);
    return answersTo(stream, { finish: () => ended(stream), abandon: async () => void stream.destroy() });
  }
  // What a link leads to is replaced, not the link.
  const target = await targetOf(path);
  const staged = join(dirname(target), `.${basename(target)}.${randomUUID()}.tmp`);
  // Whoever may read what stood there may read this, and nobody else.
  const stream = createWriteStream(staged, { flags: 'wx', ...(there !== null && { mode: there.mode & 0o777 }) });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => {
      rmSync(staged, { force: true });
      process.exit(128 + constants.signals[signal]);
    });
  return answersTo(stream, {
    async finish() {
      await ended(stream);
      const file = await open(staged, 'r+');
      await file.sync();
      await file.close();
      await rename(staged, target);
    },
    async abandon() {
      stream.destroy();
      // Why it could not be written is what counts, not that there is nothing to remove.
      await rm(staged, { force: true }).catch(() => undefined);
    },
  });
}

function answersTo(stream: Writable, ends: Pick<Answers, 'finish' | 'abandon'>): Answers {
  let fault: Error | null = null;
  let piece = '';
  stream.on('error', (error) => {
    fault = error;
  });
  const flush = async (): Promise<void> => {
    const text = piece;
    piece = '';
    if (fault !== null) throw fault;
    if (text === '' || stream.write(text)) return;
    await once(stream, 'drain');
  };
  return {
    write(line) {
      piece += line;
      return piece.length < PIECE ? null : flush();
    },
    async finish() {
      await flush();
      if (fault !== null) throw fault;
      await ends.finish();
    },
    abandon: ends.abandon,
  };
}

async function ended(stream: Writable): Promise<void> {
  stream.end();
  await once(stream, 'close');
  if (stream.errored !== null) throw stream.errored;
}

/** Where a path leads, also by a link to what is not there yet. */
async function targetOf(path: string): Promise<string> {
  return realpath(path).catch(async () => {
    const linked = await readlink(path).catch(() => null);
    return linked === null ? path : resolve(dirname(path), linked);
  });
}
