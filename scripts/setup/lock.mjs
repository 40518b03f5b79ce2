// One set-up at a time in a checkout. The lock names its holder and the program that the holder runs at the moment, so that a set-up
// killed in the middle is noticed, and an installer that outlived it is ended before the next one starts.
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { endGroup, identify, lives } from './process-identity.mjs';

/** @typedef {import('./process-identity.mjs').ProcessIdentity} ProcessIdentity */
/** @typedef {{ holder: ProcessIdentity, child?: ProcessIdentity }} Held */

const POLL_MS = 200;
const STALE_MS = 10_000;

/** @param {string} path @returns {Held | null} */
function readLock(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}

/** Milliseconds since `path` was written; 0 when it is gone. @param {string} path */
function age(path) {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? 0 : Date.now() - found.mtimeMs;
}

/** @param {string} path @param {Held} held */
function place(path, held) {
  const staged = `${path}.${held.holder.pid}`;
  writeFileSync(staged, JSON.stringify(held));
  try {
    linkSync(staged, path);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(staged, { force: true });
  }
}

/**
 * Replaces the lock of a dead holder. A second lock, held for milliseconds, keeps two waiters from taking over each other's.
 * @param {string} path
 * @param {Held} mine
 * @returns {Promise<boolean>}
 */
async function takeOver(path, mine) {
  const door = `${path}.takeover`;
  if (!place(door, mine)) {
    if (age(door) > STALE_MS) rmSync(door, { force: true });
    return false;
  }
  try {
    const held = readLock(path);
    if (held === null) {
      // Given back a moment ago; or torn by a power cut, and then it has lain there for a while.
      if (age(path) > STALE_MS) rmSync(path, { force: true });
      return false;
    }
    if (lives(held.holder)) return false;
    if (held.child && lives(held.child)) await endGroup(held.child, 'SIGKILL');
    writeFileSync(`${path}.${mine.holder.pid}`, JSON.stringify(mine));
    renameSync(`${path}.${mine.holder.pid}`, path);
    return true;
  } finally {
    rmSync(door, { force: true });
  }
}

/**
 * Takes the lock, waiting for a living holder. `note_child` records the program that runs now; `release` gives the lock back.
 * @param {string} root
 * @param {(word: string) => void} say told once when there is a wait
 */
export async function takeLock(root, say) {
  mkdirSync(join(root, '.setup'), { recursive: true });
  const path = join(root, '.setup', 'lock');
  const holder = identify(process.pid);
  if (holder === null) throw new Error('This process cannot name itself');
  let told = false;
  while (!place(path, { holder })) {
    const held = readLock(path);
    if (held === null || !lives(held.holder)) {
      if (await takeOver(path, { holder })) break;
    } else if (!told) {
      told = true;
      say(`another set-up of this folder is running (process ${held.holder.pid}); waiting for it`);
    }
    await pause(POLL_MS);
  }
  return {
    /** @param {number | undefined} pid */
    note_child(pid) {
      const child = pid === undefined ? null : identify(pid);
      writeFileSync(`${path}.${process.pid}`, JSON.stringify(child === null ? { holder } : { holder, child }));
      renameSync(`${path}.${process.pid}`, path);
    },
    release() {
      rmSync(path, { force: true });
    },
  };
}
