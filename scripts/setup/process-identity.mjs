// Process numbers are given out again, so a process is named by its number and the moment it started.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** @typedef {{ pid: number, started: string }} ProcessIdentity */

/**
 * The identity of process `pid`; null when it is gone or a zombie.
 * @param {number} pid
 * @returns {ProcessIdentity | null}
 */
export function identify(pid) {
  try {
    if (existsSync('/proc/self/stat')) {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (fields[0] === 'Z' || fields[0] === 'X') return null;
      const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
      return { pid, started: `${boot} ${fields[19]}` };
    }
    const started = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return { pid, started: started.trim() };
  } catch {
    return null;
  }
}

/** @param {ProcessIdentity | undefined | null} process_named */
export function lives(process_named) {
  if (!process_named) return false;
  const now = identify(process_named.pid);
  return now !== null && now.started === process_named.started;
}

/**
 * Ends the process group that `leader` leads, and waits until the leader is gone.
 * @param {ProcessIdentity} leader
 * @param {NodeJS.Signals} signal
 */
export async function endGroup(leader, signal) {
  const began = performance.now();
  let sent = signal;
  signalGroup(leader.pid, sent);
  while (lives(leader)) {
    if (sent !== 'SIGKILL' && performance.now() - began > 5000) {
      sent = 'SIGKILL';
      signalGroup(leader.pid, sent);
    }
    await pause(50);
  }
  // The leader may leave first; whatever it started must not go on writing.
  signalGroup(leader.pid, 'SIGKILL');
}

/** @param {number} pid @param {NodeJS.Signals} signal */
function signalGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error;
  }
}
