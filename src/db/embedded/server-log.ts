// The server's log file. The server appends to it by an inherited descriptor, so it is cut in place, never renamed.
import { closeSync, constants, openSync } from 'node:fs';
import { copyFile, open, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { Home } from './home.ts';

const BYTES_MAX = 4 * 1024 * 1024;
const CHECK_EVERY_MS = 10_000;

function logPath(home: Home): string {
  return join(home.path, 'server.log');
}

/** A descriptor that appends to the log; the caller closes it. Only our user may read the file. */
export function openLog(home: Home): { fd: number; close: () => void } {
  const fd = openSync(logPath(home), constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  return { fd, close: () => closeSync(fd) };
}

/** Bytes written so far; 0 where there is no log yet. */
export async function logSize(home: Home): Promise<number> {
  return (await stat(logPath(home)).catch(() => null))?.size ?? 0;
}

/** What the log says from byte `from` on, at most the last 64 KiB. */
export async function readLog(home: Home, from: number): Promise<string> {
  const file = await open(logPath(home), 'r');
  try {
    const { size } = await file.stat();
    const start = Math.max(size < from ? 0 : from, size - 65_536);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
    return buffer.subarray(0, bytesRead).toString();
  } finally {
    await file.close();
  }
}

/** Moves a log that has outgrown `bytes_max` to `server.log.1`, so both together stay near twice that. */
export async function boundLog(home: Home, bytes_max = BYTES_MAX): Promise<void> {
  if ((await logSize(home)) <= bytes_max) return;
  await copyFile(logPath(home), `${logPath(home)}.1`);
  await truncate(logPath(home), 0);
}

/** Keeps the log bounded while this process lives, without keeping the process alive. Returns the end of it. */
export function keepLogBounded(home: Home): () => void {
  const timer = setInterval(() => void boundLog(home).catch(() => clearInterval(timer)), CHECK_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}
