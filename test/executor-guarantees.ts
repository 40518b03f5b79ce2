/** What every executor guarantees, whatever its runs live in: one suite that each of them passes. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { env } from '#/env.ts';
import type { Executor, RunHandle, RunSpec, RunState } from '#/worker/executors/executor.ts';
import { attemptMarker, findMarked } from '#/worker/process-identity.ts';
import { runSpec } from './run-spec.ts';

/** Every case by its name: an executor for which one makes no sense says which, and why. */
const CASES = {
  ends: 'exit codes 0 and 7, and a death by signal, are told as they were, with all that was printed',
  sees: 'its program is given its configuration and what it names, and nothing of our environment',
  private: 'its folder is for this account alone',
  stop: 'a stop lets its program finish in its own way',
  stubborn: 'one that ignores TERM is killed with all its children when the grace is over',
  memory: 'one that takes more memory than it was given is ended with its children, and told',
  disk: 'one that writes more to disk than it was given is asked to end, and told',
  missing: 'a program that is not there is exit 127, with the reason in the log',
  unfit: 'what it cannot start at all fails the launch in words, and the attempt never was',
  once: 'an attempt is launched once however often it is asked for',
  forbid: 'a forbidden attempt never starts, and one that runs cannot be forbidden',
  adopt: 'it outlives the worker that launched it and is found again, with its exit code and each line of its log once',
  lost: 'one whose owner knows nothing of it any more is lost, and nothing of it is left',
  fence:
    'when nobody answers for it any more it ends itself, with its children, and says so; a worker that is heard, or stopped in order, keeps it',
  reboot: 'after a restart of the host it is lost, or as its owner told',
  flood: 'a flood of output is capped, says what it left out and keeps its end',
  read_only: 'it cannot write to its dataset, its model, its configuration or the system around it',
  owner_killed: 'it outlives the death of what owns it, and is found again with its log whole',
  owner_away: 'what owns it may be away for ten seconds: it goes on, nobody takes it for dead, and others wait',
} as const;
type GuaranteeCase = keyof typeof CASES;

/** What the cases go by: an executor under test is made with these. */
export const GUARANTEED = { grace_ms: 1_000, log_bytes_max: 400_000, log_tail_bytes: 100_000 };

/** Long against the second between two looks at the worker's sign of life, and against a busy machine. */
const FENCE_MS = 3_000;

/** How an executor is set up and shaken for the cases. */
export interface ExecutorScene {
  name: RunHandle['executor'];
  /** A fresh one, as a worker that was just started has it. */
  executor(): Executor;
  /** The folder of a job's first attempt. */
  folderOf(job_id: string): string;
  /** TypeScript that makes `executor`, for a process of its own. */
  source: string;
  /** One whose program is not there. */
  withoutProgram(): Executor;
  /** One that has nothing to start runs with, and what its refusal says. */
  unfit(): { executor: Executor; says: RegExp };
  /** One whose runs end themselves when this file stays the same for so long. */
  fencing(contact_path: string, self_fence_ms: number): Executor;
  /** Makes the run's owner forget it. */
  loseOwner(handle: RunHandle): Promise<void>;
  /** Kills what owns runs and brings it back; only where that is a thing of its own. */
  owner?: { kill(): Promise<void>; start(): Promise<void> };
  end(): Promise<void>;
}

/** Registers the cases for an executor, without those of `senseless`; `runs` is how many that must be. */
export function executorGuarantees(
  name: string,
  makeScene: () => Promise<ExecutorScene>,
  { runs, senseless }: { runs: number; senseless: Partial<Record<GuaranteeCase, string>> },
): void {
  let ran = 0;
  let scene: ExecutorScene;
  let launched: RunHandle[];

  const guarantee = (one: GuaranteeCase, body: () => Promise<void>) => {
    if (senseless[one] !== undefined) return;
    test(CASES[one], async () => {
      ran += 1;
      await body();
    });
  };

  const at = (handle: RunHandle, file: string) => join(scene.folderOf(handle.job_id), file);
  const logOf = (handle: RunHandle) => readFile(at(handle, 'train.log'), 'utf8').catch(() => '');
  const marked = async ({ job_id, attempt }: RunHandle) => (await findMarked()).get(attemptMarker(job_id, attempt)) ?? [];

  /** Lays out what a run reads: a configuration with its program, a dataset of one line, a model of one file. */
  const layOut = async (program: string, more: Partial<RunSpec> = {}): Promise<RunSpec> => {
    const job_id = more.job_id ?? randomUUID();
    const folder = scene.folderOf(job_id);
    const paths = {
      dataset_path: join(folder, 'given/rows.jsonl'),
      base_model_path: join(folder, 'given/model'),
      init_adapters: [],
      resume_from: null,
      job_folder: join(folder, '..'),
      output_path: join(folder, 'outputs'),
    };
    await mkdir(paths.base_model_path, { recursive: true, mode: 0o700 });
    await mkdir(paths.output_path, { recursive: true, mode: 0o700 });
    await writeFile(paths.dataset_path, '{"prompt":"a"}\n', { mode: 0o600 });
    await writeFile(join(paths.base_model_path, 'config.json'), '{"model":1}', { mode: 0o600 });
    const config = { program, ...scene.executor().pathsInside(paths) };
    await writeFile(join(folder, 'config.json'), JSON.stringify(config), { mode: 0o600 });
    return runSpec(job_id, { paths, ...more });
  };

  const launch = async (program: string, more: Partial<RunSpec> = {}, runs_by = scene.executor()) => {
    const spec = await layOut(program, more);
    const handle: RunHandle = { executor: scene.name, job_id: spec.job_id, attempt: 1 };
    launched.push(handle);
    launchers.set(handle.job_id, runs_by);
    expect(await runs_by.launch(spec)).toEqual(handle);
    return { runs: runs_by, handle, spec };
  };

  const until = async <T>(look: () => Promise<T>, holds: (seen: T) => boolean, within_ms = 60_000): Promise<T> => {
    const end = performance.now() + within_ms;
    for (;;) {
      const seen = await look();
      if (holds(seen)) return seen;
      if (performance.now() > end) throw new Error(`it never came to that: ${JSON.stringify(seen)?.slice(0, 2_000)}`);
      await pause(20);
    }
  };
  const isOver = ({ phase }: RunState) => phase === 'exited' || phase === 'lost';
  /** One worker at a time looks after a run: unless said, the one that launched it. */
  const launchers = new Map<string, Executor>();
  const ended = (handle: RunHandle, runs_by = launchers.get(handle.job_id) ?? scene.executor()) =>
    until(() => runs_by.observe(handle), isOver);
  /** Something that the program wrote below its outputs. */
  const told = (handle: RunHandle, file: string, holds = (text: string) => text !== '') =>
    until(() => readFile(at(handle, `outputs/${file}`), 'utf8').catch(() => ''), holds);
  const cleared = async (handle: RunHandle) => {
    await until(() => (launchers.get(handle.job_id) ?? scene.executor()).clear(handle), Boolean);
    expect(await marked(handle)).toEqual([]);
  };

  const TELL =
    'import os, signal, subprocess, sys, time\ndef tell(name, text="x"): open(config["output_path"] + "/" + name, "a").write(text)\n';
  const OBEY = `${TELL}signal.signal(signal.SIGTERM, lambda *_: (print("bye", flush=True), sys.exit(143)))\n`;
  const FOREVER = 'tell("up")\ntime.sleep(600)';

  describe(`the guarantees of ${name}`, () => {
    beforeEach(async () => {
      launched = [];
      scene = await makeScene();
    });
    afterEach(async () => {
      for (const handle of launched) await until(() => (launchers.get(handle.job_id) ?? scene.executor()).clear(handle), Boolean);
      await scene.end();
    });

    guarantee('ends', async () => {
      const [none, seven, segv] = await Promise.all([
        launch('print("hello")'),
        launch('import sys\nprint("to stderr", file=sys.stderr)\nsys.exit(7)'),
        launch('import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)'),
      ]);
      expect(await ended(none.handle)).toEqual({
        phase: 'exited',
        code: 0,
        signal: null,
        stop_requested: null,
        fenced: false,
        orphans_killed: 0,
        oom_kills: expect.any(Number),
        log_bytes_dropped: 0,
        ran_ms: expect.any(Number),
      });
      expect(await logOf(none.handle)).toBe('hello\n');
      expect(await ended(seven.handle)).toMatchObject({ code: 7, signal: null });
      expect(await logOf(seven.handle)).toBe('to stderr\n');
      expect(await ended(segv.handle)).toMatchObject({ code: null, signal: 'SIGSEGV', stop_requested: null });
      await cleared(none.handle);
      // What is told stays told.
      expect(await ended(none.handle)).toMatchObject({ code: 0 });
    });

    guarantee('sees', async () => {
      process.env.LOWRANK_CANARY = 'secret';
      const { handle, spec } = await launch(
        [
          'import os, sys',
          'print(open(config["dataset_path"]).read() + open(config["base_model_path"] + "/config.json").read())',
          'print(sys.argv[1:], config["dataset_path"], os.environ["LOWRANK_ATTEMPT_ID"])',
          'print(sorted(os.environ.items()))',
          'open(config["output_path"] + "/events.jsonl", "w").write("{}")',
        ].join('\n'),
      );
      delete process.env.LOWRANK_CANARY;
      expect(await ended(handle)).toMatchObject({ code: 0 });
      const log = await logOf(handle);
      const inside = scene.executor().pathsInside(spec.paths);
      expect(log).toContain('{"prompt":"a"}\n{"model":1}\n');
      expect(log).toMatch(/\['--config', '\/[^']+\/config\.json'\]/);
      expect(log).toContain(`${inside.dataset_path} ${handle.job_id}:1\n`);
      expect(log).toContain("('CUDA_VISIBLE_DEVICES', '')");
      expect(log).not.toMatch(/CANARY|DATABASE/);
      expect(await readFile(at(handle, 'outputs/events.jsonl'), 'utf8')).toBe('{}');
    });

    guarantee('private', async () => {
      const { handle } = await launch('print("x")');
      await ended(handle);
      for (const file of ['train.log', 'started.json', 'exit.json', 'lock'])
        expect((await stat(at(handle, file))).mode & 0o077, file).toBe(0);
    });

    guarantee('stop', async () => {
      const { runs, handle } = await launch(`${OBEY}${FOREVER}`);
      await told(handle, 'up');
      expect(await runs.observe(handle)).toMatchObject({ phase: 'running', trainer_alive: true });
      await runs.stop(handle, 20_000, 'cancel');
      expect(await ended(handle)).toMatchObject({ code: 143, signal: null, stop_requested: 'cancel' });
      expect(await logOf(handle)).toContain('bye');
    });

    guarantee('stubborn', async () => {
      const child = 'import time; time.sleep(600)';
      const children = `for own in (False, True): subprocess.Popen([sys.executable, "-c", "${child}"], start_new_session=own)`;
      const ignore = 'signal.signal(signal.SIGTERM, signal.SIG_IGN)';
      const { runs, handle } = await launch(`${TELL}${ignore}\n${children}\n${FOREVER}`);
      await told(handle, 'up');
      const began = performance.now();
      await runs.stop(handle, GUARANTEED.grace_ms, 'cancel');
      expect(await ended(handle)).toMatchObject({ code: null, signal: 'SIGKILL', stop_requested: 'cancel' });
      expect(performance.now() - began).toBeGreaterThanOrEqual(GUARANTEED.grace_ms);
      await cleared(handle);
    });

    guarantee('memory', async () => {
      // More than half of what it was given in the one, and in the other.
      const code = ['import os, time', 'child = os.fork()', 'kept = b"x" * (300_000_000 if child else 1)', 'time.sleep(600)'];
      const { handle } = await launch(code.join('\n'), { limits: { memory_gb: 0.2 } });
      expect(await ended(handle)).toMatchObject({ code: null, stop_requested: 'memory_limit' });
      await cleared(handle);
    });

    guarantee('disk', async () => {
      // Half of it where its outputs are, half where the job's attempts share what they make.
      const write = [
        'cache = config["job_folder"] + "/cache"',
        'os.makedirs(cache, exist_ok=True)',
        'for place in (config["output_path"], cache):',
        '    open(place + "/large", "wb").write(b"x" * 60_000_000)',
      ].join('\n');
      const { handle } = await launch(`${OBEY}${write}\n${FOREVER}`, { limits: { disk_gb: 0.1 } });
      expect(await ended(handle)).toMatchObject({ code: 143, stop_requested: 'disk_limit' });
    });

    guarantee('missing', async () => {
      const { handle } = await launch('pass', {}, scene.withoutProgram());
      expect(await ended(handle)).toMatchObject({ code: 127 });
      expect(await logOf(handle)).toMatch(/No such file|could not be started/);
    });

    guarantee('unfit', async () => {
      const { executor: unfit, says } = scene.unfit();
      const spec = await layOut('pass');
      const handle: RunHandle = { executor: scene.name, job_id: spec.job_id, attempt: 1 };
      await expect(unfit.launch(spec)).rejects.toMatchObject({ code: 'launch_failed', message: expect.stringMatching(says) });
      expect(await unfit.forbid(handle)).toBe(true);
      expect(await unfit.observe(handle)).toMatchObject({ phase: 'lost', started: false });
      expect(await unfit.clear(handle)).toBe(true);
    });

    guarantee('once', async () => {
      const spec = await layOut(`${OBEY}tell("starts")\ntime.sleep(600)`);
      const handle: RunHandle = { executor: scene.name, job_id: spec.job_id, attempt: 1 };
      launched.push(handle);
      const runs = scene.executor();
      await Promise.all([runs.launch(spec), runs.launch(spec), runs.launch(spec)]);
      await told(handle, 'starts');
      await runs.launch(spec);
      await runs.stop(handle, 0, 'test');
      await ended(handle, runs);
      await scene.executor().launch(spec);
      expect(await scene.executor().observe(handle)).toMatchObject({ phase: 'exited' });
      expect(await readFile(at(handle, 'outputs/starts'), 'utf8')).toBe('x');
    });

    guarantee('forbid', async () => {
      const spec = await layOut('pass');
      const handle: RunHandle = { executor: scene.name, job_id: spec.job_id, attempt: 1 };
      const runs = scene.executor();
      expect(await runs.observe(handle)).toEqual({ phase: 'waiting' });
      expect(await runs.forbid(handle)).toBe(true);
      expect(await scene.executor().forbid(handle)).toBe(true);
      await expect(runs.launch(spec)).rejects.toMatchObject({ code: 'launch_failed' });
      expect(await runs.observe(handle)).toMatchObject({ phase: 'lost', started: false });
      expect(await runs.clear(handle)).toBe(true);
      const other = await launch(`${TELL}${FOREVER}`);
      expect(await scene.executor().forbid(other.handle)).toBe(false);
      expect(await other.runs.observe(other.handle)).toMatchObject({ phase: 'running', trainer_alive: true });
      expect(await runs.list()).toContainEqual(other.handle);
    });

    guarantee('adopt', async () => {
      const LINES = 3_000;
      const program = `${TELL}for at in range(${LINES}):
  print("line", at, file=sys.stderr if at % 3 == 0 else sys.stdout, flush=True)
  if at == 1_000:
    tell("half")
    while not os.path.exists(config["output_path"] + "/go"): time.sleep(0.02)
sys.exit(42)`;
      const spec = await layOut(program);
      const handle: RunHandle = { executor: scene.name, job_id: spec.job_id, attempt: 1 };
      launched.push(handle);
      // A worker that looks after its run as one does, until it is killed.
      const worker = join(scene.folderOf(spec.job_id), 'given/worker.ts');
      await writeFile(
        worker,
        `${scene.source}
         const handle = await executor.launch(${JSON.stringify(spec)});
         for (;;) { await executor.observe(handle); await new Promise((resolve) => setTimeout(resolve, 20)); }`,
      );
      const child = spawn(process.execPath, [worker], { cwd: env.repo, stdio: ['ignore', 'inherit', 'inherit'] });
      const gone = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
      await told(handle, 'half');
      await until(
        () => logOf(handle),
        (log) => log.includes('line 1000\n'),
      );
      child.kill('SIGKILL');
      expect(await gone).toBe('SIGKILL');
      const heir = scene.executor();
      expect(await heir.observe(handle)).toMatchObject({ phase: 'running', trainer_alive: true });
      await writeFile(at(handle, 'outputs/go'), '');
      expect(await ended(handle, heir)).toMatchObject({ phase: 'exited', code: 42, log_bytes_dropped: 0 });
      // The two streams may overtake each other; each keeps its own order.
      const numbers = (await logOf(handle))
        .trimEnd()
        .split('\n')
        .map((line) => Number(line.replace('line ', '')));
      const all = Array.from({ length: LINES }, (_, at_line) => at_line);
      expect(numbers.filter((at_line) => at_line % 3 === 0)).toEqual(all.filter((at_line) => at_line % 3 === 0));
      expect(numbers.filter((at_line) => at_line % 3 !== 0)).toEqual(all.filter((at_line) => at_line % 3 !== 0));
    });

    guarantee('lost', async () => {
      const { handle } = await launch(`${TELL}${FOREVER}`);
      await told(handle, 'up');
      await scene.loseOwner(handle);
      expect(await ended(handle)).toMatchObject({ phase: 'lost', started: true });
      await cleared(handle);
    });

    guarantee('fence', async () => {
      const child = 'import time; time.sleep(600)';
      // What is printed while the engine is dead is lost where its container ends, too; files are not.
      const obey = `${TELL}signal.signal(signal.SIGTERM, lambda *_: (tell("bye"), sys.exit(143)))`;
      const obeys = `${obey}\nsubprocess.Popen([sys.executable, "-c", "${child}"], start_new_session=True)\n${FOREVER}`;
      const ignores = obeys.replace('sys.exit(143)', 'None');
      const launchUnder = async (said: string, program = obeys) => {
        const contact = join(scene.folderOf(randomUUID()), '../contact.json');
        await mkdir(dirname(contact), { recursive: true });
        await writeFile(contact, said);
        const run = await launch(program, {}, scene.fencing(contact, FENCE_MS));
        await told(run.handle, 'up');
        return { ...run, contact };
      };
      // Those that stay were there first: their time would be over before the others'.
      const [stopped, heard] = await Promise.all([launchUnder('{"state":"stopped"}'), launchUnder('0')]);
      const beating = setInterval(() => writeFileSync(heard.contact, String(performance.now())), FENCE_MS / 20);
      try {
        const [silent, deaf] = await Promise.all([launchUnder('0'), launchUnder('0', ignores)]);
        // Now nobody lives for them, neither worker nor engine.
        await scene.owner?.kill();
        const left = async () => (await Promise.all([silent, deaf].map(({ handle }) => marked(handle)))).flat();
        await until(left, (those) => those.length === 0);
        for (const { handle } of [stopped, heard]) expect(await marked(handle)).not.toEqual([]);
        await scene.owner?.start();
        expect(await ended(silent.handle)).toMatchObject({ code: 143, stop_requested: 'fenced', fenced: true });
        expect(await told(silent.handle, 'bye')).toBe('x');
        expect(await ended(deaf.handle)).toMatchObject({ signal: 'SIGKILL', stop_requested: 'fenced', fenced: true });
        for (const { runs, handle } of [stopped, heard])
          expect(await runs.observe(handle)).toMatchObject({ phase: 'running', trainer_alive: true });
      } finally {
        clearInterval(beating);
      }
    });

    guarantee('reboot', async () => {
      const { handle } = await launch(`${TELL}${FOREVER}`);
      const record = JSON.parse(await readFile(at(handle, 'started.json'), 'utf8'));
      await scene.loseOwner(handle);
      await writeFile(at(handle, 'started.json'), JSON.stringify({ ...record, boot_id: 'another boot' }));
      expect(await ended(handle)).toMatchObject({ phase: 'lost', started: true });
      await writeFile(at(handle, 'started.json'), JSON.stringify(record));
    });

    guarantee('flood', async () => {
      const code =
        'import sys\nline = b"x" * 99 + b"\\n"\nfor _ in range(20): sys.stdout.buffer.write(line * 1000)\nprint("the end", flush=True)';
      const { handle } = await launch(code);
      const state = await ended(handle);
      const log = await logOf(handle);
      expect(state).toMatchObject({ code: 0 });
      expect(log.length).toBeLessThan(GUARANTEED.log_bytes_max + 1_000);
      expect(log).toMatch(/\[lowrank\] \d+ bytes of output were left out here\.\n/);
      expect(log.endsWith('the end\n')).toBe(true);
      const words = log.split('\n').filter((line) => line.startsWith('[lowrank]'));
      const said = words.join('\n').length + 1;
      const cut_lines = log.split('\n').filter((line) => line !== '' && !/^(x{99}|the end|\[lowrank\].*)$/.test(line));
      expect((state as { log_bytes_dropped: number }).log_bytes_dropped).toBe(
        2_000_008 - (log.length - said) + (cut_lines.length > 0 ? 1 : 0),
      );
    });

    guarantee('read_only', async () => {
      const paths = [
        'config["dataset_path"]',
        'config["base_model_path"] + "/new"',
        'sys.argv[2]',
        '"/workspace/new"',
        '"/etc/new"',
      ];
      const tries = paths.map(
        (path) => `try:\n  open(${path}, "a")\n  print("written")\nexcept OSError as error: print(error.errno)`,
      );
      const spec = await layOut(`import sys\n${tries.join('\n')}\nopen("/tmp/scratch", "w").write("may")`);
      const handle: RunHandle = { executor: scene.name, job_id: spec.job_id, attempt: 1 };
      launched.push(handle);
      // Its mode alone would let everybody write.
      for (const path of [spec.paths.dataset_path, spec.paths.base_model_path]) await chmod(path, 0o777);
      const runs = scene.executor();
      await runs.launch(spec);
      expect(await ended(handle, runs)).toMatchObject({ code: 0 });
      // EROFS, each time.
      expect(await logOf(handle)).toBe('30\n'.repeat(paths.length));
    });

    guarantee('owner_killed', async () => {
      const { owner } = scene;
      if (owner === undefined) throw new Error('there is no owner to kill');
      const program = `${TELL}print("before", flush=True)\ntell("up")
def wait(name):
  while not os.path.exists(config["output_path"] + "/" + name): time.sleep(0.02)
wait("go")\nprint("meanwhile", flush=True)\ntell("said")
wait("end")\nprint("after", flush=True)\nsys.exit(5)`;
      const { runs, handle } = await launch(program);
      await told(handle, 'up');
      await until(
        () => logOf(handle),
        (log) => log === 'before\n',
      );
      await owner.kill();
      expect(await runs.observe(handle)).toMatchObject({ phase: 'away' });
      await writeFile(at(handle, 'outputs/go'), '');
      await told(handle, 'said');
      await owner.start();
      expect(await runs.observe(handle)).toMatchObject({ phase: 'running' });
      await writeFile(at(handle, 'outputs/end'), '');
      expect(await ended(handle)).toMatchObject({ phase: 'exited', code: 5 });
      expect(await logOf(handle)).toBe('before\nmeanwhile\nafter\n');
    });

    guarantee('owner_away', async () => {
      const { owner } = scene;
      if (owner === undefined) throw new Error('there is no owner to be away');
      // It counts the time itself: that it goes on is what is asked.
      const { runs, handle } = await launch(`${OBEY}for at in range(6_000):\n  tell("beats")\n  time.sleep(0.1)`);
      const before = (await told(handle, 'beats')).length;
      await owner.kill();
      const other = await layOut('pass');
      const other_handle: RunHandle = { executor: scene.name, job_id: other.job_id, attempt: 1 };
      const fresh = scene.executor();
      expect(await fresh.ready()).toMatchObject({ state: 'away' });
      await expect(fresh.launch(other)).rejects.toMatchObject({ code: 'engine_away' });
      expect(await fresh.forbid(other_handle)).toBe(true);
      await runs.stop(handle, 20_000, 'cancel');
      await told(handle, 'beats', (text) => text.length > before + 100);
      expect(await runs.observe(handle)).toMatchObject({ phase: 'away' });
      expect(await runs.clear(handle)).toBe(false);
      await owner.start();
      // The wish that came meanwhile is followed now.
      expect(await ended(handle, runs)).toMatchObject({ code: 143, stop_requested: 'cancel' });
      expect(await logOf(handle)).toContain('bye');
    });

    test(`it was held to ${runs} guarantees`, () => {
      expect(ran).toBe(runs);
      expect(Object.keys(CASES).length - Object.keys(senseless).length).toBe(runs);
    });
  });
}
