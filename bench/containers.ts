import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { copyFile, cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { PROMISE_TIMES } from '#/domain/constants.ts';
import { dockerExecutor } from '#/worker/executors/docker/docker-executor.ts';
import { dockerEngine } from '#/worker/executors/docker/engine.ts';
import type { Executor, RunPaths } from '#/worker/executors/executor.ts';
import { processExecutor } from '#/worker/executors/process-executor.ts';
import { contactFile } from '#/worker/host.ts';
import { type DockerDaemon, makeDockerDaemon, noDaemonHere } from '../test/docker-daemon.ts';
import { buildImage, COMPILED_IMAGE } from '../test/image/built-image.ts';
import { runSpec } from '../test/run-spec.ts';
import { median, printFigures } from './figures.ts';

const REPO = join(import.meta.dirname, '..');
const PYTHON = join(REPO, 'trainer/.venv/bin/python');
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 7);
const STEPS = Number(process.env.BENCH_STEPS ?? 150);
const START_WITHIN_S = 5;
const LOOK_MS = 5;

/** Seconds of one run, from the moment at which it was asked for. */
interface Run {
  first_event: number;
  whole: number;
}

/** The container's own, as the engine has them. */
interface Started extends Run {
  /** From its creation to a running process in it. */
  start: number;
}

interface Laid {
  folder: string;
  job_id: string;
  paths: RunPaths;
}

/** Lays out what a run of the demo's model reads, in a folder of its own. */
async function layOut(root: string): Promise<Laid> {
  const job_id = randomUUID();
  const job_folder = join(root, job_id);
  const folder = join(job_folder, '1');
  await mkdir(join(folder, 'outputs'), { recursive: true, mode: 0o700 });
  const paths: RunPaths = {
    dataset_path: join(root, 'orders.jsonl'),
    base_model_path: join(root, 'model'),
    init_adapters: [],
    resume_from: null,
    job_folder,
    output_path: join(folder, 'outputs'),
  };
  return { folder, job_id, paths };
}

/** The same tiny training, whoever runs it: only its paths differ. */
async function writeConfig({ folder, job_id }: Laid, seen: RunPaths): Promise<string> {
  const sample = JSON.parse(await readFile(join(REPO, 'trainer/schema/samples/config.json'), 'utf8'));
  const path = join(folder, 'config.json');
  const config = {
    ...sample,
    job_id,
    dataset_path: seen.dataset_path,
    dataset: { ...sample.dataset, mapping: {} },
    base_model: { ...sample.base_model, path: seen.base_model_path },
    training_params: { ...sample.training_params, epochs: null, max_steps: STEPS },
    job_folder: seen.job_folder,
    output_path: seen.output_path,
  };
  await writeFile(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}

const secondsSince = (began: number) => (performance.now() - began) / 1000;

/** Seconds until the trainer has written its first line. */
async function firstEvent({ paths }: Laid, began: number, over: () => boolean): Promise<number> {
  const size = () =>
    stat(join(paths.output_path, 'events.jsonl')).then(
      (found) => found.size,
      () => 0,
    );
  while ((await size()) === 0) {
    if (over()) throw new Error(`the trainer ended before its first line: see ${paths.output_path}`);
    await pause(LOOK_MS);
  }
  return secondsSince(began);
}

/** The trainer as a person starts it, with the environment that a run has. */
async function byHand(root: string): Promise<Run> {
  const laid = await layOut(root);
  const config = await writeConfig(laid, laid.paths);
  const began = performance.now();
  const child = spawn(PYTHON, ['train_lora.py', '--config', config], {
    cwd: join(REPO, 'trainer'),
    env: {
      ...{ PATH: process.env.PATH ?? '', HOME: laid.folder, LANG: 'C.UTF-8', CUDA_VISIBLE_DEVICES: '', HF_HUB_OFFLINE: '1' },
      ...{ PYTHONUNBUFFERED: '1', PYTHONDONTWRITEBYTECODE: '1', TOKENIZERS_PARALLELISM: 'false', NODE_ENV: 'production' },
    },
    stdio: 'ignore',
  });
  let over = false;
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve)).finally(() => {
    over = true;
  });
  const first_event = await firstEvent(laid, began, () => over);
  const code = await ended;
  if (code !== 0) throw new Error(`the bare trainer ended with ${code}`);
  return { first_event, whole: secondsSince(began) };
}

/** The same by an executor, from the moment at which a worker asks it. `look` is called while it runs. */
async function byExecutor(root: string, executor: Executor, look: (job_id: string) => Promise<void>): Promise<Run> {
  const laid = await layOut(root);
  await writeConfig(laid, executor.pathsInside(laid.paths));
  const began = performance.now();
  const handle = await executor.launch(runSpec(laid.job_id, { paths: laid.paths }));
  const first_event = await firstEvent(laid, began, () => false);
  await look(laid.job_id);
  for (;;) {
    const state = await executor.observe(handle);
    if (state.phase === 'exited' && state.code === 0) break;
    if (state.phase !== 'running') throw new Error(`the run is ${JSON.stringify(state)}: see ${laid.folder}`);
    await pause(50);
  }
  const whole = secondsSince(began);
  while (!(await executor.clear(handle))) await pause(50);
  return { first_event, whole };
}

const range = (values: number[], digits: number, unit = '') =>
  `${median(values).toFixed(digits)}${unit} (${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)})`;

/**
 * The trainer by hand, as a process of the worker's and in a container: the same tiny training, in turns. The real image is built first,
 * on a bare Debian. Wants root and a dockerd that is nobody's (CONTRIBUTING.md), and the machine for itself.
 */
export async function benchContainers(): Promise<void> {
  const reason = noDaemonHere();
  if (reason !== null) {
    const words = `CONTAINERS ARE NOT MEASURED: no dockerd can run here (${reason})`;
    console.error(`\n${'!'.repeat(100)}\n${words}\n${'!'.repeat(100)}\n`);
    process.exitCode = 1;
    return;
  }
  const root = await mkdtemp(join(tmpdir(), 'lowrank-bench-containers-'));
  const daemon = await makeDockerDaemon();
  try {
    await daemon.start();
    await buildImage(daemon.host, COMPILED_IMAGE);
    await measure(root, daemon);
  } finally {
    await daemon.remove();
    await rm(root, { recursive: true, force: true });
  }
}

async function measure(root: string, daemon: DockerDaemon): Promise<void> {
  await copyFile(join(REPO, 'demo/orders.jsonl'), join(root, 'orders.jsonl'));
  await cp(join(REPO, 'demo/model'), join(root, 'model'), { recursive: true });
  const engine = dockerEngine({ kind: 'socket', path: join(daemon.folder, 'docker.sock') });
  const folderOf = (job_id: string, attempt: number) => join(root, job_id, String(attempt));
  const contact = contactFile(join(root, 'contact.json'));
  await contact.beat();
  const promised = { grace_ms: PROMISE_TIMES.grace_ms, self_fence_ms: PROMISE_TIMES.self_fence_ms, contact_path: contact.path };
  const shared = { folderOf, ...promised, log_bytes_max: 2 ** 26, log_tail_bytes: 2 ** 20 };
  const processes = processExecutor({
    ...shared,
    python: PYTHON,
    trainer: join(REPO, 'trainer/train_lora.py'),
    cwd: join(REPO, 'trainer'),
    search_path: process.env.PATH ?? '',
    heartbeat_ms: PROMISE_TIMES.heartbeat_ms,
    host_folders: {},
  });
  const containers = dockerExecutor({
    ...shared,
    engine,
    image: COMPILED_IMAGE,
    worker_id: root,
    installation: 'bench',
    private_folder: root,
    model_folders: [],
    has_gpus: false,
    facts_ms: PROMISE_TIMES.heartbeat_ms,
  });
  const inContainer = async (): Promise<Started> => {
    let start = Number.NaN;
    const run = await byExecutor(root, containers, async (job_id) => {
      const said = (await engine.ask('GET', `/containers/training-${job_id}/json`)) as {
        Created: string;
        State: { StartedAt: string };
      };
      start = (Date.parse(said.State.StartedAt) - Date.parse(said.Created)) / 1000;
    });
    return { ...run, start };
  };
  const { version } = await engine.about();
  const [load = 0] = loadavg();
  const rounds: { hand: Run; as_process: Run; in_container: Started }[] = [];
  // The first round brings files into memory, and is not counted.
  for (let round = 0; round <= ROUNDS; round++) {
    const told = {
      hand: await byHand(root),
      as_process: await byExecutor(root, processes, async () => undefined),
      in_container: await inContainer(),
    };
    console.log(`round ${round}/${ROUNDS}: ${JSON.stringify(told)}`);
    if (round > 0) rounds.push(told);
  }
  const starts = rounds.map(({ in_container }) => in_container.start);
  const each = (of: (round: (typeof rounds)[number]) => number) => range(rounds.map(of), 2, ' s');
  const ratio = (of: (round: (typeof rounds)[number]) => Run) =>
    range(
      rounds.map((round) => of(round).whole / round.hand.whole),
      3,
    );
  printFigures(
    `Containers: a training of ${STEPS} steps by hand, as a process and in a container, ${ROUNDS} rounds in turns: median (range)`,
    [
      {
        what: `start of a container, created → running (goal: at most ${START_WITHIN_S} s: ${Math.max(...starts) <= START_WITHIN_S ? 'met' : 'missed'})`,
        value: range(starts, 2, ' s'),
      },
      { what: 'asked → first event: by hand', value: each(({ hand }) => hand.first_event) },
      { what: 'asked → first event: process executor', value: each(({ as_process }) => as_process.first_event) },
      { what: 'asked → first event: Docker executor', value: each(({ in_container }) => in_container.first_event) },
      { what: 'asked → end: by hand', value: each(({ hand }) => hand.whole) },
      { what: 'asked → end: process executor, to by hand', value: ratio(({ as_process }) => as_process) },
      { what: 'asked → end: Docker executor, to by hand', value: ratio(({ in_container }) => in_container) },
      { what: 'Docker, load of the machine before', value: `${version}, ${load.toFixed(1)}` },
    ],
  );
}
