import { execFile } from 'node:child_process';
import { env } from '#/env.ts';

export interface Answer {
  /** Null when it ended by a signal, ran out of time or is not there. */
  code: number | null;
  stdout: string;
  /** The last lines of what it said on stderr. */
  stderr: string;
  missing: boolean;
}

/** Runs a short program and listens. Never throws, never outlasts `within_ms`. */
export function askProgram(
  program: string,
  args: string[],
  within_ms: number,
  options: { cwd?: string; variables?: Record<string, string> } = {},
): Promise<Answer> {
  const variables = { PATH: env.PATH, LANG: 'C.UTF-8', ...options.variables } as unknown as NodeJS.ProcessEnv;
  const settings = { cwd: options.cwd, env: variables, timeout: within_ms, killSignal: 'SIGKILL', maxBuffer: 4e6 } as const;
  return new Promise((resolve) => {
    execFile(program, args, { ...settings, encoding: 'utf8' }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
      const missing = (error as NodeJS.ErrnoException | null)?.code === 'ENOENT';
      resolve({ code, stdout, stderr: stderr.trim().split('\n').slice(-3).join('\n'), missing });
    });
  });
}
