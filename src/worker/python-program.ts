/** Short Python programs of ours (inspect a dataset, verify an adapter): bounded in time and output, and never outliving the worker. */
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import { env } from '#/env.ts';

const SHIM = join(import.meta.dirname, 'run_bounded.py');
/** The last bytes of stderr that are kept: a traceback fits. */
const STDERR_BYTES_MAX = 16 * 1024;
const KILL_AFTER_MS = 5_000;

export interface PythonProgram {
  /** What follows `python`, for example `['-m', 'lora_trainer.inspect', '--dataset', path]`. Never a secret: arguments are public. */
  args: string[];
  timeout_ms: number;
  /** Called with each line of stdout, at most `line_bytes_max` long (1 MB unless said); without it stdout goes to `stdout_path` or nowhere. */
  onLine?: (line: string) => void;
  /** A file that takes stdout as it is; replaced. */
  stdout_path?: string;
  line_bytes_max?: number;
  /** Bytes of memory of its own after which it gets no more; no limit unless said. */
  data_bytes_max?: number;
  /** Seconds of computing, not of waiting, after which the kernel ends it; no limit unless said. */
  cpu_s_max?: number;
  /** Bytes of stdout after which the program is ended; 256 MB unless said. */
  output_bytes_max?: number;
  /** More variables for the program. The rest of the environment is a short fixed list. */
  variables?: Record<string, string>;
  /** Ends the program early: TERM, then KILL. */
  signal?: AbortSignal;
}

export interface PythonEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Why we ended it, when we did. */
  ended_by: 'timeout' | 'output' | 'abort' | 'cpu' | null;
  /** The last lines of stderr. */
  stderr: string;
}

/** What every Python program of ours may see of the environment: nothing of the installation's secrets. */
function pythonEnvironment(variables: Record<string, string> = {}): NodeJS.ProcessEnv {
  return {
    PATH: env.PATH,
    LANG: 'C.UTF-8',
    PYTHONPATH: join(env.repo, 'trainer'),
    PYTHONUNBUFFERED: '1',
    PYTHONDONTWRITEBYTECODE: '1',
    HF_HUB_OFFLINE: '1',
    TOKENIZERS_PARALLELISM: 'false',
    CUDA_VISIBLE_DEVICES: '',
    ...variables,
    // Frameworks widen this type by variables that no Python program needs.
  } as unknown as NodeJS.ProcessEnv;
}

/** Runs one program to its end. Never throws for what the program does; throws when it cannot be started at all. */
export async function runPythonProgram(program: PythonProgram): Promise<PythonEnd> {
  const { line_bytes_max = 1_000_000, output_bytes_max = 256 * 1024 * 1024, data_bytes_max = 0, cpu_s_max = 0 } = program;
  const child = spawn(
    env.python,
    ['-I', '-S', '-B', SHIM, ...[process.pid, data_bytes_max, cpu_s_max].map(String), env.python, '-B', ...program.args],
    {
      env: pythonEnvironment(program.variables),
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let ended_by: PythonEnd['ended_by'] = null;
  let kill_timer: NodeJS.Timeout | undefined;
  const signalGroup = (signal: NodeJS.Signals) => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    try {
      process.kill(-child.pid, signal);
    } catch {
      // No group yet: the shim has not come so far.
      child.kill(signal);
    }
  };
  const end = (why: NonNullable<PythonEnd['ended_by']>) => {
    if (ended_by !== null) return;
    ended_by = why;
    signalGroup('SIGTERM');
    kill_timer = setTimeout(() => signalGroup('SIGKILL'), KILL_AFTER_MS);
  };
  const timer = setTimeout(() => end('timeout'), program.timeout_ms);
  const onAbort = () => end('abort');
  program.signal?.addEventListener('abort', onAbort, { once: true });
  if (program.signal?.aborted) onAbort();

  let stderr = Buffer.alloc(0);
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = Buffer.concat([stderr, chunk]).subarray(-STDERR_BYTES_MAX);
  });
  let bytes = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > output_bytes_max) end('output');
  });
  const sinks: Promise<unknown>[] = [];
  if (program.onLine !== undefined) {
    const { onLine } = program;
    const lines = createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY });
    lines.on('line', (line) => onLine(line.slice(0, line_bytes_max)));
    sinks.push(new Promise((resolve) => lines.once('close', resolve)));
  } else if (program.stdout_path !== undefined) {
    const file = createWriteStream(program.stdout_path, { mode: 0o600 });
    child.stdout.pipe(file);
    sinks.push(finished(file));
  }
  try {
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (exit_code, exit_signal) => resolve([exit_code, exit_signal]));
    });
    await Promise.all(sinks);
    if (signal === 'SIGXCPU') ended_by ??= 'cpu';
    return { code, signal, ended_by, stderr: stderr.toString('utf8') };
  } finally {
    clearTimeout(timer);
    clearTimeout(kill_timer);
    program.signal?.removeEventListener('abort', onAbort);
  }
}
