// Ending a server on purpose, and the mark that says so: whoever keeps it running must not start it again.
import { rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Home } from './home.ts';
import { isAlive, type Postmaster, servesFolder } from './postmaster.ts';
import { ServerError } from './server-error.ts';

/** `fast` ends sessions and writes everything out; `immediate` leaves that to the next start. */
export type StopMode = 'fast' | 'immediate';

const STOP_WITHIN_MS = 60_000;
const MARK = 'stopped-on-purpose';

export async function rememberStop(home: Home): Promise<void> {
  await writeFile(join(home.path, MARK), '', { mode: 0o600 });
}

export async function forgetStop(home: Home): Promise<void> {
  await rm(join(home.path, MARK), { force: true });
}

export async function wasStoppedOnPurpose(home_path: string): Promise<boolean> {
  return (await stat(join(home_path, MARK)).catch(() => null)) !== null;
}

/** A process that is gone by now needs no signal. */
export function signalServer(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Ends the server and waits until its process is gone. Throws `stop_failed` after 75 s. */
export async function stopServer(home: Home, postmaster: Postmaster, mode: StopMode): Promise<void> {
  // A process number is given out again: signal nothing that is not our server.
  if ((await servesFolder(postmaster.pid, home.pgdata)) === false) return;
  const began = performance.now();
  let urged = mode === 'immediate';
  signalServer(postmaster.pid, urged ? 'SIGQUIT' : 'SIGINT');
  while (await isAlive(postmaster.pid)) {
    const waited_ms = performance.now() - began;
    if (!urged && waited_ms > STOP_WITHIN_MS) {
      // The next start recovers from the log of changes: slower, but nothing that was acknowledged is lost.
      urged = true;
      signalServer(postmaster.pid, 'SIGQUIT');
    }
    if (waited_ms > STOP_WITHIN_MS + 15_000) {
      const what = `The database server (process ${postmaster.pid}) does not end.`;
      throw new ServerError('stop_failed', what, `Look at what holds it; kill -9 ${postmaster.pid} is safe for its data.`);
    }
    await pause(25);
  }
}
