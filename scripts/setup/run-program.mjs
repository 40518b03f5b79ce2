// Runs an installer quietly in a process group of its own, so that the whole tree can be ended with it.
import { spawn } from 'node:child_process';
import { delimiter } from 'node:path';
import { endGroup, identify } from './process-identity.mjs';
import { SetupError } from './setup-error.mjs';

/** @type {import('./process-identity.mjs').ProcessIdentity | null} */
let current = null;
/** @type {(pid: number | undefined) => void} */
let noteChild = () => undefined;

const LINES_KEPT = 400;

/** Tells the lock which program runs. @param {(pid: number | undefined) => void} note */
export function reportChildrenTo(note) {
  noteChild = note;
}

let ending = false;

/** Ends the program that runs now, if any, and starts no other. @param {NodeJS.Signals} signal */
export async function endCurrent(signal) {
  ending = true;
  if (current !== null) await endGroup(current, signal);
}

/**
 * The environment for a nested npm: the system's own programs first, not the ones in node_modules that are about to be replaced.
 * @param {NodeJS.ProcessEnv} env
 * @returns {NodeJS.ProcessEnv}
 */
export function plainEnvironment(env) {
  const kept = Object.entries(env).filter(
    ([name]) => !/^npm_(?!config_)/.test(name) && name !== 'NODE_ENV' && name !== 'NODE_OPTIONS',
  );
  const path = (env.PATH ?? '').split(delimiter).filter((folder) => !/node_modules\/\.bin\/?$|node-gyp-bin\/?$/.test(folder));
  /** @type {Record<string, string | undefined>} */
  const plain = { ...Object.fromEntries(kept), PATH: path.join(delimiter) };
  return /** @type {NodeJS.ProcessEnv} */ (plain);
}

/**
 * Runs a program to its end. Resolves with its exit code and its lines (both streams, the last 400).
 * @param {string} program
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, on_line?: (line: string) => void }} [options]
 * @returns {Promise<{ code: number, lines: string[], stdout: string }>}
 */
export function tryProgram(program, args, options = {}) {
  return new Promise((done, failed) => {
    if (ending) return;
    const { cwd, env = process.env, on_line } = options;
    const child = spawn(program, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    current = child.pid === undefined ? null : identify(child.pid);
    noteChild(child.pid);
    /** @type {string[]} */
    const lines = [];
    let stdout = '';
    const listen = (/** @type {import('node:stream').Readable} */ stream, /** @type {boolean} */ keep) => {
      let rest = '';
      stream.setEncoding('utf8');
      stream.on('data', (/** @type {string} */ chunk) => {
        if (keep) stdout += chunk;
        const parts = (rest + chunk).split(/\r?\n/);
        rest = parts.pop() ?? '';
        for (const line of parts) take(line);
      });
      stream.on('end', () => take(rest));
    };
    const take = (/** @type {string} */ line) => {
      if (line.trim() === '') return;
      lines.push(line);
      if (lines.length > LINES_KEPT) lines.shift();
      on_line?.(line);
    };
    listen(child.stdout, true);
    listen(child.stderr, false);
    child.on('error', (error) => {
      const missing = /** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT';
      failed(missing ? new SetupError(`${program} is not on this machine.`, `Install ${program}.`) : error);
    });
    child.on('close', (code, signal) => {
      current = null;
      noteChild(undefined);
      done({ code: code ?? (signal === null ? 1 : 128), lines, stdout });
    });
  });
}

/**
 * The lines that tell a person what went wrong: the last ones, without npm's page of usage.
 * @param {string[]} lines
 */
export function worthShowing(lines) {
  const usage = lines.findIndex((line) => /^npm error Usage:/.test(line));
  const told = (usage === -1 ? lines : lines.slice(0, usage)).filter(
    (line) => !/^npm (error\s*$|warn EBADENGINE|http )/.test(line),
  );
  return told.slice(-15);
}

/**
 * Like `tryProgram`, but a failure is a SetupError with the program's last lines.
 * @param {string} program
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, on_line?: (line: string) => void, what: string, cure: string | ((lines: string[]) => string) }} options
 */
export async function runProgram(program, args, options) {
  const result = await tryProgram(program, args, options);
  if (result.code === 0) return result;
  const cure = typeof options.cure === 'string' ? options.cure : options.cure(result.lines);
  throw new SetupError(`${options.what} (exit code ${result.code}).`, cure, worthShowing(result.lines));
}
