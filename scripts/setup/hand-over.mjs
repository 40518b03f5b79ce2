// Gives the terminal to the command itself, under Node 24.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';

/** One Ctrl-C reaches us twice, from the terminal and from npm; a person who presses again is slower than this. */
const SAME_SIGNAL_MS = 400;

/**
 * A filter that lets the first of several equal signals in quick succession through.
 * @param {() => number} clock milliseconds
 */
export function onceInAWhile(clock) {
  /** @type {Map<string, number>} */
  const last = new Map();
  return (/** @type {string} */ signal) => {
    const before = last.get(signal);
    const now = clock();
    if (before !== undefined && now - before < SAME_SIGNAL_MS) return false;
    last.set(signal, now);
    return true;
  };
}

/**
 * Runs `args` with `node` to the end and resolves with its exit code. The command runs in a session of its own, so each signal reaches it
 * once, from us; we wait for it however long it takes to end.
 * @param {string} root @param {string} node @param {string[]} args @param {Record<string, string>} extra variables beside ours
 * @returns {Promise<number>}
 */
export function handOver(root, node, args, extra) {
  return new Promise((done, failed) => {
    const path = [join(root, 'node_modules', '.bin'), process.env.PATH ?? ''].join(delimiter);
    const child = spawn(node, args, {
      cwd: root,
      env: { ...process.env, ...extra, PATH: path },
      stdio: 'inherit',
      detached: true,
    });
    const pass = onceInAWhile(() => performance.now());
    for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
      process.removeAllListeners(signal);
      process.on(signal, () => {
        // A closed terminal ends the command in the orderly way.
        if (pass(signal)) child.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
      });
    }
    child.on('error', failed);
    child.on('close', (code, signal) => done(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}
