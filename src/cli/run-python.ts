import { spawn } from 'node:child_process';
import { env } from '#/env.ts';
import { CommandError } from './command-error.ts';

/** Runs a program of ours with the trainer's Python and answers what it printed. Throws with its last lines when it fails. */
export function runPython(args: string[], cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(env.python, args, {
      cwd,
      env: { NODE_ENV: env.NODE_ENV, PATH: env.PATH, LANG: 'C.UTF-8', HF_HUB_OFFLINE: '1', PYTHONDONTWRITEBYTECODE: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err = (err + text).slice(-4_000)));
    child.on('error', (error) =>
      reject(new CommandError(`The trainer's Python (${env.python}) cannot be started: ${error.message}`)),
    );
    child.on('exit', (code) => {
      if (code === 0) resolve(out);
      else reject(new CommandError(`${args[0]} failed:\n${err.trim()}`));
    });
  });
}
