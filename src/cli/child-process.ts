import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { env } from '#/env.ts';
import { openLog } from './log-file.ts';

/** A process of the studio (web or worker) that is started again when it falls. */
export interface StudioProcess {
  /** Resolves with the first ready line; rejects when the process ends before it. */
  ready: Promise<Record<string, unknown>>;
  /** Ends it in order and waits; whoever does not go within the time is killed. */
  stop(): Promise<void>;
}

const RESTART_MS = 1_000;
const RESTART_MAX_MS = 30_000;
const STOP_WITHIN_MS = 15_000;
/** A process that lived this long fell for a new reason: start over with the short pause. */
const SETTLED_MS = 60_000;

/** Starts `src/<name>.ts` with Node as we run it and our environment, changed by `variables`: undefined takes one away. Its output goes to `<data>/logs/<name>.log`; it ends when we are gone. */
export function startProcess(
  name: 'server' | 'worker',
  variables: Record<string, string | undefined>,
  log: (line: string) => void,
): StudioProcess {
  const file = openLog(join(env.data_dir, 'logs', `${name}.log`));
  let child: ChildProcess | undefined;
  let stopping = false;
  let pause_ms = RESTART_MS;
  let timer: NodeJS.Timeout | undefined;
  const ready = Promise.withResolvers<Record<string, unknown>>();

  const launch = () => {
    const began = performance.now();
    const started = spawn(process.execPath, [join(env.repo, 'src', `${name}.ts`)], {
      cwd: env.repo,
      env: { ...env.inherited, ...variables },
      // Its own group: Ctrl-C reaches us alone, and we end it in order. The channel closes when we are killed.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    child = started;
    if (started.stdout !== null) {
      createInterface({ input: started.stdout }).on('line', (line) => {
        if (line.startsWith('{"ready":true')) ready.resolve(JSON.parse(line) as Record<string, unknown>);
        file.write(line);
      });
    }
    const last: string[] = [];
    if (started.stderr !== null) {
      createInterface({ input: started.stderr }).on('line', (line) => {
        last.push(line);
        if (last.length > 12) last.shift();
        file.write(line);
      });
    }
    started.on('exit', (code, signal) => {
      child = undefined;
      if (stopping) return;
      const how = signal ?? `code ${code}`;
      ready.reject(new Error(`The ${name} ended with ${how} before it was ready:\n${last.join('\n')}`));
      if (performance.now() - began > SETTLED_MS) pause_ms = RESTART_MS;
      log(`the ${name} ended with ${how}; starting it again in ${Math.round(pause_ms / 1000)} s (trainings are not touched)`);
      timer = setTimeout(launch, pause_ms);
      pause_ms = Math.min(pause_ms * 2, RESTART_MAX_MS);
    });
  };
  launch();
  // Who does not wait for it still hears of the fall through `log`.
  ready.promise.catch(() => undefined);

  return {
    ready: ready.promise,
    async stop() {
      stopping = true;
      clearTimeout(timer);
      const running = child;
      if (running !== undefined) {
        const gone = new Promise((resolve) => running.once('exit', resolve));
        running.kill('SIGTERM');
        const force = setTimeout(() => running.kill('SIGKILL'), STOP_WITHIN_MS);
        await gone;
        clearTimeout(force);
      }
      await file.end();
    },
  };
}
