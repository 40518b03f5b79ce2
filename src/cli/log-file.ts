import { createWriteStream, type WriteStream } from 'node:fs';

/** Where a process of the studio's writes what it says. */
export interface LogFile {
  write(line: string): void;
  /** Resolves when what was written is with the system. */
  end(): Promise<void>;
}

/** After a fault the file is opened again at the first line that comes this much later. */
const REOPEN_MS = 5_000;

/**
 * A log that is added to, one line at a time. A disk that is full costs lines, never the studio: what cannot be written is
 * left out, its count is told as soon as there is space.
 */
export function openLog(path: string, reopen_ms = REOPEN_MS): LogFile {
  let file: WriteStream | null = null;
  let failed_at = Number.NEGATIVE_INFINITY;
  let lost = 0;
  const open = () => {
    const opened = createWriteStream(path, { flags: 'a', mode: 0o600 });
    opened.on('error', () => {
      if (file === opened) file = null;
      failed_at = performance.now();
      lost++;
    });
    return opened;
  };
  return {
    write(line) {
      if (file === null && performance.now() - failed_at < reopen_ms) {
        lost++;
        return;
      }
      file ??= open();
      if (lost > 0) file.write(`(at least ${lost} lines are lost: they could not be written)\n`);
      lost = 0;
      file.write(`${line}\n`);
    },
    end: () =>
      new Promise((resolve) => {
        if (file === null) resolve();
        else {
          file.once('error', () => resolve());
          file.end(() => resolve());
        }
      }),
  };
}
