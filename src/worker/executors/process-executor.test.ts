import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RunLimits } from '#/domain/run-limits.ts';
import { env } from '#/env.ts';
import { executorGuarantees, GUARANTEED } from '../../../test/executor-guarantees.ts';
import { runSpec } from '../../../test/run-spec.ts';
import { attemptMarker, findMarked, identityOf, isAlive } from '../process-identity.ts';
import type { Executor, RunHandle, RunState } from './executor.ts';
import { processExecutor } from './process-executor.ts';

const GRACE_MS = 1_000;

let folder: string;
let launched: RunHandle[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lowrank-executor-'));
  launched = [];
});
afterEach(async () => {
  for (const handle of launched) while (!(await executor('').clear(handle))) await pause(10);
  await rm(folder, { recursive: true, force: true });
});

const folderOf = (job_id: string, attempt: number) => join(folder, job_id, String(attempt));

function executor(trainer: string, more: Partial<Parameters<typeof processExecutor>[0]> = {}): Executor {
  return processExecutor({
    folderOf,
    contact_path: join(folder, 'contact.json'),
    python: env.python,
    trainer,
    cwd: folder,
    search_path: env.PATH,
    heartbeat_ms: 50,
    grace_ms: GRACE_MS,
    self_fence_ms: 60_000,
    log_bytes_max: 1_000_000,
    log_tail_bytes: 100_000,
    host_folders: {},
    ...more,
  });
}

/** Launches a run whose trainer is this Python text. */
async function launch(
  code: string,
  more: Parameters<typeof executor>[1] = {},
  job_id: string = randomUUID(),
  limits: RunLimits = {},
) {
  const trainer = join(folder, `${job_id}.py`);
  await writeFile(trainer, code);
  const runs = executor(trainer, more);
  const handle = await runs.launch(runSpec(job_id, { limits }));
  launched.push(handle);
  return { runs, handle, at: (name: string) => join(folderOf(job_id, 1), name) };
}

/** What the run became once it is over; each look is a fresh executor's, as after a restart of the worker. */
async function ended(handle: RunHandle, within_ms = 60_000): Promise<RunState> {
  const until = performance.now() + within_ms;
  for (;;) {
    const state = await executor('').observe(handle);
    if (state.phase === 'exited' || state.phase === 'lost') return state;
    if (performance.now() > until) throw new Error(`the run is still ${state.phase}`);
    await pause(10);
  }
}

async function appears(path: string, text = ''): Promise<string> {
  const until = performance.now() + 60_000;
  for (;;) {
    const content = await readFile(path, 'utf8').catch(() => '');
    if (content.includes(text) && content !== '') return content;
    if (performance.now() > until) throw new Error(`${path} never held ${text}`);
    await pause(10);
  }
}

// The wrapper carries the mark, too, and is the last to go.
const marked = async (handle: RunHandle) => (await findMarked()).get(attemptMarker(handle.job_id, handle.attempt)) ?? [];
const started = async (at: (name: string) => string) => JSON.parse(await readFile(at('started.json'), 'utf8'));

describe('a run as a process', () => {
  test('it is given the path of its configuration and nothing of our environment', async () => {
    process.env.LOWRANK_CANARY = 'secret';
    const { handle, at } = await launch('import os, sys\nprint(sys.argv[1:])\nprint(sorted(os.environ))\nprint(os.getcwd())');
    delete process.env.LOWRANK_CANARY;
    await ended(handle);
    const log = await readFile(at('train.log'), 'utf8');
    expect(log).toContain(`['--config', '${at('config.json')}']`);
    expect(log).not.toContain('CANARY');
    expect(log).not.toContain('DATABASE');
    expect(log).toContain("'CUDA_VISIBLE_DEVICES'");
  });

  test('it lies in a folder that others cannot read', async () => {
    const { handle, at } = await launch('open("outputs.txt", "w").write("x")');
    await ended(handle);
    for (const name of ['train.log', 'started.json', 'exit.json', 'run.json']) {
      expect((await stat(at(name))).mode & 0o077, name).toBe(0);
    }
    expect((await stat(at('home'))).mode & 0o077).toBe(0);
  });

  test('it computes on as many processors as it was given, and all its children do', async () => {
    const count = 'import os, subprocess, sys\nprint(len(os.sched_getaffinity(0)), flush=True)\n';
    const child = 'subprocess.run([sys.executable, "-c", "import os; print(len(os.sched_getaffinity(0)))"])';
    for (const cpus of [1, 512]) {
      const { handle, at } = await launch(count + child, {}, randomUUID(), { cpus });
      expect(await ended(handle)).toMatchObject({ code: 0 });
      const given = String(Math.min(cpus, availableParallelism()));
      expect(await readFile(at('train.log'), 'utf8')).toBe(`${given}\n${given}\n`);
    }
  });

  test('one that stays below is left alone, what its children share with it counted once', async () => {
    // Longer than two looks at it.
    const rest = 'time.sleep(2.5)';
    const code = ['import os, time', 'kept = b"x" * 120_000_000', 'for _ in range(3):', '  if os.fork() == 0:'];
    const { handle } = await launch([...code, `    ${rest}`, '    os._exit(0)', rest].join('\n'), {}, randomUUID(), {
      memory_gb: 0.3,
    });
    expect(await ended(handle)).toMatchObject({ code: 0, stop_requested: null });
  });

  test('one that writes more to disk than it was given is asked to end, and told', async () => {
    const write = (name: string) => `open(os.path.join(os.environ["HOME"], "${name}"), "wb").write(b"x" * 60_000_000)`;
    const obey = 'signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))';
    const code = ['import os, signal, sys, time', obey, write('one'), write('two'), 'time.sleep(600)'];
    const { handle } = await launch(code.join('\n'), {}, randomUUID(), { disk_gb: 0.1 });
    expect(await ended(handle)).toMatchObject({ code: 143, stop_requested: 'disk_limit' });
    const below = [...code.slice(0, 3), 'time.sleep(2.5)'].join('\n');
    const { handle: other } = await launch(below, {}, randomUUID(), { disk_gb: 0.1 });
    expect(await ended(other)).toMatchObject({ code: 0, stop_requested: null });
  });

  test('a grandchild that left its session dies with the run', async () => {
    const { runs, handle } = await launch(
      [
        'import os, time',
        'told, tell = os.pipe()',
        'if os.fork() == 0:',
        '  os.setsid()',
        '  if os.fork() == 0:',
        '    os.write(tell, b"here")',
        '    time.sleep(600)',
        '  os._exit(0)',
        'os.read(told, 4)',
        'os.wait()',
      ].join('\n'),
    );
    expect(await ended(handle)).toMatchObject({ code: 0, orphans_killed: 1 });
    while (!(await runs.clear(handle))) await pause(10);
    await expect.poll(() => marked(handle), { timeout: 60_000 }).toEqual([]);
  });

  /** Python that leaves a child, whose number it prints, in which the first thread is gone and another one goes on. */
  const HEADLESS = [
    'import ctypes, os, threading, time',
    'number = {"x86_64": 60, "aarch64": 93}[os.uname().machine]',
    'child = os.fork()',
    'if child == 0:',
    '  threading.Thread(target=time.sleep, args=(600,)).start()',
    '  ctypes.CDLL(None).syscall(number, 0)',
    'while open(f"/proc/{child}/stat").read().rpartition(") ")[2][0] != "Z": time.sleep(0.01)',
    'print("left", child, flush=True)',
  ];

  test('a process that goes on without its first thread dies with the run that left it', async () => {
    const { handle, at } = await launch(HEADLESS.join('\n'));
    expect(await ended(handle)).toMatchObject({ code: 0, orphans_killed: 1 });
    expect(existsSync(`/proc/${/left (\d+)/.exec(await readFile(at('train.log'), 'utf8'))?.[1]}`)).toBe(false);
  });

  test('a process that goes on without its first thread is found by its marker when its wrapper is gone', async () => {
    const { handle, at } = await launch([...HEADLESS, 'time.sleep(600)'].join('\n'));
    const left = Number(/left (\d+)/.exec(await appears(at('train.log'), '\n'))?.[1]);
    const identity = await identityOf(left);
    expect(await marked(handle)).toContainEqual(identity);
    process.kill((await started(at)).wrapper.pid, 'SIGKILL');
    while (!(await executor('').clear(handle))) await pause(10);
    expect(identity !== null && (await isAlive(identity))).toBe(false);
  });

  test('a run is not over while something of it cannot be killed', async () => {
    // An interpreter in which a kill does nothing: for the wrapper, its leftover waits in the kernel for good.
    const python = join(folder, 'python');
    const program = [env.python, '-I', '-S', join(env.repo, 'test/undying.py'), env.python];
    await writeFile(python, `#!/bin/sh\nexec ${program.map((word) => `'${word}'`).join(' ')} "$@"\n`, { mode: 0o755 });
    const code = 'import subprocess\nprint("left", subprocess.Popen(["setsid", "sleep", "600"]).pid, flush=True)';
    const { runs, handle, at } = await launch(code, { python });
    const left = Number(/left (\d+)/.exec(await appears(at('train.log'), '\n'))?.[1]);
    await expect.poll(() => runs.observe(handle), { timeout: 60_000 }).toMatchObject({ phase: 'running', trainer_alive: false });
    const { beat } = (await runs.observe(handle)) as { beat: number };
    const beats = async () => ((await runs.observe(handle)) as { beat?: number }).beat;
    await expect.poll(beats, { timeout: 60_000 }).toBeGreaterThan(beat + 3);
    process.kill(left, 'SIGKILL');
    expect(await ended(handle)).toMatchObject({ code: 0, orphans_killed: 1 });
  });

  test('files in the folder of a run are not taken for the wrapper’s own, nor for modules of Python', async () => {
    const job_id = randomUUID();
    await mkdir(folderOf(job_id, 1), { recursive: true });
    for (const name of ['processes', 'train_log', 'host_folders', 'json', 'signal'])
      await writeFile(join(folderOf(job_id, 1), `${name}.py`), 'raise SystemExit("led astray")');
    const { handle } = await launch('print("fine")', {}, job_id);
    expect(await ended(handle)).toMatchObject({ code: 0 });
  });

  test('when its wrapper is killed the trainer dies with it and the run is lost', async () => {
    const { handle, at } = await launch(
      'import subprocess, time\nsubprocess.Popen(["setsid", "sleep", "600"])\nprint("up")\ntime.sleep(600)',
    );
    await appears(at('train.log'), 'up');
    const { wrapper, child } = await started(at);
    process.kill(wrapper.pid, 'SIGKILL');
    expect(await ended(handle)).toMatchObject({ phase: 'lost', started: true });
    const until = performance.now() + 60_000;
    while ((await isAlive(child)) && performance.now() < until) await pause(10);
    expect(await isAlive(child)).toBe(false);
    while (!(await executor('').clear(handle))) await pause(10);
    await expect.poll(() => marked(handle), { timeout: 60_000 }).toEqual([]);
  });

  test('a process that was given the number of a dead one is never signalled', async () => {
    const innocent = spawn('sleep', ['600'], { stdio: 'ignore' });
    const identity = await identityOf(innocent.pid ?? 0);
    const { handle, at } = await launch('pass');
    await ended(handle);
    await rm(at('exit.json'));
    const record = await started(at);
    const other = { pid: innocent.pid, start: (identity?.start ?? 0) + 1 };
    await writeFile(at('started.json'), JSON.stringify({ ...record, wrapper: other, child: other }));
    const runs = executor('');
    expect(await runs.observe(handle)).toMatchObject({ phase: 'lost', started: true });
    await runs.stop(handle, 0, 'test');
    while (!(await runs.clear(handle))) await pause(10);
    expect(innocent.exitCode ?? innocent.signalCode).toBeNull();
    innocent.kill('SIGKILL');
  });

  test('after a restart of the host a run is lost, whoever has its number now', async () => {
    const { runs, handle, at } = await launch('import time\ntime.sleep(600)');
    const record = await started(at);
    await writeFile(at('started.json'), JSON.stringify({ ...record, boot_id: 'another boot' }));
    expect(await runs.observe(handle)).toMatchObject({ phase: 'lost', started: true, reason: 'the host was restarted' });
    process.kill(record.wrapper.pid, 'SIGKILL');
  });

  test('a wrapper that is asked by a signal alone says that nobody of us asked', async () => {
    const { handle, at } = await launch(
      'import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(143))\nprint("up")\ntime.sleep(600)',
    );
    await appears(at('train.log'), 'up');
    process.kill((await started(at)).wrapper.pid, 'SIGTERM');
    expect(await ended(handle)).toMatchObject({ code: 143, stop_requested: 'signal', fenced: false });
  });

  test('the beat grows while the run lives', async () => {
    const { runs, handle } = await launch('import time\ntime.sleep(600)');
    const first = await runs.observe(handle);
    await appears(join(folderOf(handle.job_id, 1), 'heartbeat'), '3');
    const later = await runs.observe(handle);
    expect([first, later]).toMatchObject([{ phase: 'running' }, { phase: 'running' }]);
    expect((later as { beat: number }).beat).toBeGreaterThan((first as { beat: number }).beat);
  });

  test('no half record is left behind', async () => {
    const { handle } = await launch('pass');
    await ended(handle);
    const names = await readdir(folderOf(handle.job_id, 1));
    expect(names.filter((name) => name.includes('.tmp') || name.startsWith('lock.'))).toEqual([]);
  });

  test('a folder that cannot be written fails the launch', async () => {
    const job_id = randomUUID();
    await mkdir(join(folder, job_id));
    await writeFile(folderOf(job_id, 1), 'a file in the way');
    await chmod(join(folder, job_id), 0o700);
    await expect(executor('x.py').launch(runSpec(job_id))).rejects.toMatchObject({
      code: 'launch_failed',
    });
  });
});

executorGuarantees(
  'the process executor',
  async () => {
    const scene = await mkdtemp(join(tmpdir(), 'lowrank-executor-'));
    const placeOf = (job_id: string, attempt: number) => join(scene, job_id, String(attempt));
    const options = {
      contact_path: join(scene, 'contact.json'),
      python: env.python,
      trainer: join(env.repo, 'test/stand_in_trainer.py'),
      cwd: scene,
      search_path: env.PATH,
      heartbeat_ms: 50,
      self_fence_ms: 60_000,
      host_folders: {},
      ...GUARANTEED,
    };
    const made = (more: Partial<typeof options> = {}) => processExecutor({ ...options, ...more, folderOf: placeOf });
    return {
      name: 'process',
      executor: () => made(),
      folderOf: (job_id) => placeOf(job_id, 1),
      source: `import { processExecutor } from ${JSON.stringify(join(import.meta.dirname, 'process-executor.ts'))};
        const executor = processExecutor({ ...${JSON.stringify(options)},
          folderOf: (job: string, attempt: number) => ${JSON.stringify(scene)} + '/' + job + '/' + attempt });`,
      withoutProgram: () => made({ cwd: join(scene, 'nowhere') }),
      unfit: () => ({ executor: made({ python: join(scene, 'no-python') }), says: /no-python/ }),
      fencing: (contact_path, self_fence_ms) => made({ contact_path, self_fence_ms }),
      async loseOwner({ job_id, attempt }) {
        const { wrapper } = JSON.parse(await readFile(join(placeOf(job_id, attempt), 'started.json'), 'utf8'));
        process.kill(wrapper.pid, 'SIGKILL');
      },
      end: () => rm(scene, { recursive: true, force: true }),
    };
  },
  {
    runs: 16,
    senseless: {
      read_only: 'a process has the rights of its account: nothing keeps it from what that may write',
      owner_killed: 'its wrapper lives and dies with it: that is `lost`',
      owner_away: 'its wrapper is no service: it cannot be away and come back',
    },
  },
);
