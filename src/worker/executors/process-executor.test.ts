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
  test.each([0, 7])('exit code %i is told as it was', async (code) => {
    const { handle } = await launch(`import sys\nprint("hello")\nsys.exit(${code})`);
    expect(await ended(handle)).toEqual({
      phase: 'exited',
      code,
      signal: null,
      stop_requested: null,
      fenced: false,
      orphans_killed: 0,
      oom_kills: expect.any(Number),
      log_bytes_dropped: 0,
      ran_ms: expect.any(Number),
    });
    expect(await readFile(join(folderOf(handle.job_id, 1), 'train.log'), 'utf8')).toBe('hello\n');
  });

  test('a death by signal is told by its name', async () => {
    const { handle } = await launch('import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)');
    expect(await ended(handle)).toMatchObject({ code: null, signal: 'SIGSEGV', stop_requested: null });
  });

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

  test('a stop lets the trainer finish in its own way', async () => {
    const { runs, handle, at } = await launch(
      'import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: (print("bye"), sys.exit(143)))\nprint("up")\ntime.sleep(600)',
    );
    await appears(at('train.log'), 'up');
    await runs.stop(handle, 20_000, 'cancel');
    expect(await ended(handle)).toMatchObject({ code: 143, signal: null, stop_requested: 'cancel' });
    expect(await readFile(at('train.log'), 'utf8')).toContain('bye');
  });

  test('a trainer that ignores TERM is killed with all its children when the grace is over', async () => {
    const { runs, handle, at } = await launch(
      [
        'import os, signal, subprocess, time',
        'signal.signal(signal.SIGTERM, signal.SIG_IGN)',
        'subprocess.Popen(["sleep", "600"])',
        'subprocess.Popen(["setsid", "sleep", "600"])',
        'print("up")',
        'time.sleep(600)',
      ].join('\n'),
    );
    await appears(at('train.log'), 'up');
    const began = performance.now();
    await runs.stop(handle, GRACE_MS, 'cancel');
    expect(await ended(handle)).toMatchObject({ code: null, signal: 'SIGKILL', stop_requested: 'cancel' });
    expect(performance.now() - began).toBeGreaterThanOrEqual(GRACE_MS);
    while (!(await runs.clear(handle))) await pause(10);
    await expect.poll(() => marked(handle)).toEqual([]);
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

  test('one that takes more memory than it was given is ended, with its children, and told', async () => {
    const code = ['import os, time', 'child = os.fork()', 'kept = b"x" * (300_000_000 if child else 1)', 'time.sleep(600)'];
    const { handle } = await launch(code.join('\n'), {}, randomUUID(), { memory_gb: 0.2 });
    expect(await ended(handle)).toMatchObject({ code: null, stop_requested: 'memory_limit' });
    await expect.poll(() => marked(handle)).toEqual([]);
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
    await expect.poll(() => marked(handle)).toEqual([]);
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
    const left = Number(/left (\d+)/.exec(await appears(at('train.log'), 'left'))?.[1]);
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
    const left = Number(/left (\d+)/.exec(await appears(at('train.log'), 'left'))?.[1]);
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

  test('a program that is not there is exit 127 with the reason in the log', async () => {
    const { runs } = { runs: executor(join(folder, 'x.py'), { cwd: join(folder, 'nowhere') }) };
    const handle = await runs.launch(runSpec(randomUUID()));
    launched.push(handle);
    expect(await ended(handle)).toMatchObject({ code: 127 });
    expect(await readFile(join(folderOf(handle.job_id, 1), 'train.log'), 'utf8')).toContain('could not be started');
  });

  test('an interpreter that is not there fails the launch', async () => {
    const runs = executor('x.py', { python: join(folder, 'no-python') });
    await expect(runs.launch(runSpec(randomUUID()))).rejects.toMatchObject({
      code: 'launch_failed',
    });
  });

  test('an attempt is launched once however often it is asked for', async () => {
    const job_id = randomUUID();
    const code = `import os, time\nopen("${folder}/starts", "a").write("s")\ntime.sleep(600)`;
    const [one] = await Promise.all([launch(code, {}, job_id), launch(code, {}, job_id), launch(code, {}, job_id)]);
    await appears(join(folder, 'starts'));
    await launch(code, {}, job_id);
    await one.runs.stop(one.handle, 0, 'test');
    await ended(one.handle);
    expect(await readFile(join(folder, 'starts'), 'utf8')).toBe('s');
  });

  test('a forbidden attempt never starts, and one that runs cannot be forbidden', async () => {
    const handle: RunHandle = { executor: 'process', job_id: randomUUID(), attempt: 1 };
    const runs = executor(join(folder, 'x.py'));
    expect(await runs.forbid(handle)).toBe(true);
    expect(await runs.forbid(handle)).toBe(true);
    await expect(runs.launch(runSpec(handle.job_id))).rejects.toMatchObject({ code: 'launch_failed' });
    expect(await runs.observe(handle)).toMatchObject({ phase: 'lost', started: false });
    const other = await launch('import time\ntime.sleep(600)');
    expect(await other.runs.forbid(other.handle)).toBe(false);
    expect(await other.runs.observe(other.handle)).toMatchObject({ phase: 'running', trainer_alive: true });
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
    await expect.poll(() => marked(handle)).toEqual([]);
  });

  test('a run outlives the process that launched it and is found again with its exit code', async () => {
    const job_id = randomUUID();
    const trainer = join(folder, 'slow.py');
    const go = join(folder, 'go');
    await writeFile(
      trainer,
      `import os, sys, time\nwhile not os.path.exists(${JSON.stringify(go)}): time.sleep(0.02)\nsys.exit(42)`,
    );
    const launcher = join(folder, 'launcher.ts');
    await writeFile(
      launcher,
      `import { processExecutor } from ${JSON.stringify(join(import.meta.dirname, 'process-executor.ts'))};
       await processExecutor({ folderOf: (job: string, attempt: number) => ${JSON.stringify(folder)} + '/' + job + '/' + attempt,
         contact_path: ${JSON.stringify(join(folder, 'contact.json'))}, python: ${JSON.stringify(env.python)}, trainer: ${JSON.stringify(trainer)},
         cwd: ${JSON.stringify(folder)}, search_path: ${JSON.stringify(env.PATH)}, heartbeat_ms: 50, grace_ms: 1000, self_fence_ms: 60000,
         log_bytes_max: 1000000, log_tail_bytes: 100000, host_folders: {} }).launch(${JSON.stringify(runSpec(job_id))});
       process.kill(process.pid, 'SIGKILL');`,
    );
    const child = spawn(process.execPath, [launcher], { cwd: env.repo, stdio: 'inherit' });
    const signal = await new Promise((resolve) => child.once('exit', (_, name) => resolve(name)));
    expect(signal).toBe('SIGKILL');
    const handle: RunHandle = { executor: 'process', job_id, attempt: 1 };
    launched.push(handle);
    expect(await executor('').observe(handle)).toMatchObject({ phase: 'running', trainer_alive: true });
    await writeFile(go, '');
    expect(await ended(handle)).toMatchObject({ phase: 'exited', code: 42 });
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

  test('a flood of output is capped, says what it left out and keeps its end', async () => {
    const { handle, at } = await launch(
      'import sys\nline = b"x" * 999 + b"\\n"\nfor _ in range(20): sys.stdout.buffer.write(line * 1000)\nprint("the end", flush=True)',
    );
    const state = await ended(handle);
    const log = await readFile(at('train.log'), 'utf8');
    expect(log.length).toBeLessThan(1_001_000);
    expect(log).toMatch(/\[lowrank\] \d+ bytes of output were left out here\.\n/);
    expect(log.endsWith('the end\n')).toBe(true);
    expect(state).toMatchObject({ code: 0 });
    const words = log.split('\n').filter((line) => line.startsWith('[lowrank]'));
    const said = words.join('\n').length + 1;
    expect((state as { log_bytes_dropped: number }).log_bytes_dropped).toBe(20_000_008 - (log.length - said));
  });

  test('a run whose worker is silent for too long ends itself; one whose worker stopped in order goes on', async () => {
    const code =
      'import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(143))\nprint("up")\ntime.sleep(600)';
    const contact = join(folder, 'contact.json');
    await writeFile(contact, JSON.stringify({ beat: 1, state: 'stopped' }));
    const stopped = await launch(code, { self_fence_ms: 300 });
    await writeFile(join(folder, 'silent.json'), JSON.stringify({ beat: 1, state: 'watching' }));
    const silent = await launch(code, { self_fence_ms: 300, contact_path: join(folder, 'silent.json') });
    expect(await ended(silent.handle)).toMatchObject({ code: 143, stop_requested: 'fenced', fenced: true });
    expect(await stopped.runs.observe(stopped.handle)).toMatchObject({ phase: 'running', trainer_alive: true });
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
