/** Who a process is: its number is given out again, so number and start time together, within one boot of the machine. */
import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import * as z from 'zod';

/** `start` is in clock ticks since boot. */
export const ProcessIdentity = z.object({ pid: z.int().min(2), start: z.int().min(0) });
export type ProcessIdentity = z.infer<typeof ProcessIdentity>;

/** This boot of the machine; no identity of another boot is alive. */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

interface ProcessStat {
  /** The state of the first thread, which may be gone while another one runs. */
  state: string;
  threads: number;
  start: number;
}

async function readStat(pid: number): Promise<ProcessStat | null> {
  let text: string;
  try {
    text = await readFile(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
  // The name in brackets may hold anything, brackets and blanks included.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', threads: Number(fields[17]), start: Number(fields[19]) };
}

/** The identity of a process that runs now, or null. */
export async function identityOf(pid: number): Promise<ProcessIdentity | null> {
  const stat = await readStat(pid);
  return stat === null ? null : { pid, start: stat.start };
}

/** Its first thread is gone; others may run on, or be unable to die, for example in a driver. */
const hasLeader = (stat: ProcessStat) => stat.state !== 'Z' && stat.state !== 'X';

/** True while exactly this process lives, by whichever of its threads; what only waits to be reaped is dead. */
export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  const stat = await readStat(identity.pid);
  return stat !== null && stat.start === identity.start && (hasLeader(stat) || stat.threads > 1);
}

/** Sends a signal to exactly this process: nothing is ever sent to another one that was given its number. */
export async function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): Promise<boolean> {
  if (!(await isAlive(identity))) return false;
  try {
    process.kill(identity.pid, signal);
    return true;
  } catch {
    return false;
  }
}

const MARKER = 'LOWRANK_ATTEMPT_ID=';

/** The variable that every process of an attempt carries, whoever started it: `{job_id}:{attempt}`. */
export function attemptMarker(job_id: string, attempt: number): string {
  return `${job_id}:${attempt}`;
}

/** The environment that a process was started with; '' where it cannot be read. Without its first thread the others still have it. */
async function environmentOf(pid: number): Promise<string> {
  const read = (path: string) => readFile(path, 'latin1').catch(() => '');
  const environ = await read(`/proc/${pid}/environ`);
  if (environ !== '') return environ;
  const stat = await readStat(pid);
  if (stat === null || hasLeader(stat) || stat.threads < 2) return '';
  for (const thread of await readdir(`/proc/${pid}/task`).catch(() => [])) {
    const kept = await read(`/proc/${pid}/task/${thread}/environ`);
    if (kept !== '') return kept;
  }
  return '';
}

/** Every living process of ours that carries a marker, by marker. Other users' processes cannot be read and are not ours. */
export async function findMarked(): Promise<Map<string, ProcessIdentity[]>> {
  const found = new Map<string, ProcessIdentity[]>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const environ = await environmentOf(Number(name));
    if (!environ.includes(MARKER)) continue;
    const entry = environ.split('\0').find((one) => one.startsWith(MARKER));
    const identity = await identityOf(Number(name));
    if (entry === undefined || identity === null || !(await isAlive(identity))) continue;
    const marker = entry.slice(MARKER.length);
    found.set(marker, [...(found.get(marker) ?? []), identity]);
  }
  return found;
}
