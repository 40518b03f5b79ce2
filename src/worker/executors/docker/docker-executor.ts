/** Runs as containers of a Docker engine, spoken to over its HTTP API. All that matters of a run lies in its folder or with the engine. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import * as z from 'zod';
import { GB } from '#/domain/bytes.ts';
import { readJsonFile, writeJsonFile } from '../../json-file.ts';
import { attemptMarker, bootId, findMarked, signalProcess } from '../../process-identity.ts';
import { type Executor, LaunchError, type Readiness, type RunHandle, type RunSpec, type RunState } from '../executor.ts';
import { CONTAINER_RECORD, ExitRecord, readRecord } from '../records.ts';
import { containerName, describeContainer, LABELS, pathsInContainer } from './container.ts';
import { type Container, containersOf } from './containers.ts';
import { diskOver } from './disk-over.ts';
import { type Engine, EngineAway, EngineRefusal } from './engine.ts';
import { EngineWatch, type EngineWatchOptions, noImage } from './engine-watch.ts';
import { hasFencedItself, layFence } from './fence.ts';
import { isWithoutHook, refusesGpus, withoutHook } from './gpu-check.ts';
import { accountOf, grantAccess, linkedFiles } from './input-access.ts';
import { LogCopy } from './log-copy.ts';

/** `worker_id` lasts: under it a restarted worker finds its containers. */
export interface DockerExecutorOptions extends EngineWatchOptions {
  /** A word for people who look at the engine. */
  installation: string;
  /** The folder of an attempt: private to this executor; what its container sees of it is mounted by name. */
  folderOf: (job_id: string, attempt: number) => string;
  /** A folder that this account alone can enter. */
  private_folder: string;
  /** Folders that links in a local model may lead to. */
  model_folders: string[];
  grace_ms: number;
  /** The file in which the worker says that it lives: written in place, for a container has the file itself. */
  contact_path: string;
  self_fence_ms: number;
  log_bytes_max: number;
  log_tail_bytes: number;
}

/** Written before the engine is first asked for the container. */
const Asked = z.object({ image: z.string(), image_id: z.string(), disk_bytes_max: z.number().nullable() });
/** Who may start the attempt, taken once: `forbidden` is nobody. */
const Lock = z.object({ forbidden: z.boolean() });
const Started = z.object({ container_id: z.string(), boot_id: z.string() });
/** `kill_at` in milliseconds since the boot. */
const StopWish = z.object({ reason: z.string(), kill_at: z.number(), boot_id: z.string() });

const NAMED_TRIES = 50;
const NAMED_PAUSE_MS = 100;
/** How often a run's disk is counted. */
const DISK_MS = 5_000;
/** After the end of its grace, before a container is killed that the engine should have. */
const KILL_LATE_MS = 2_000;
const NEVER = /^0001-/;
/** What the engine says of a run that it lost by a crash of the host. */
const LOST_BY_CRASH = 255;
/** 128 and the signal, as a shell tells it; a trainer itself ends with 143. */
const SIGNALS: Record<number, string> = {
  132: 'SIGILL',
  134: 'SIGABRT',
  135: 'SIGBUS',
  136: 'SIGFPE',
  137: 'SIGKILL',
  139: 'SIGSEGV',
};

/** Milliseconds since the boot: the same clock for every process of this host. */
const sinceBoot = () => Number(process.hrtime.bigint() / 1_000_000n);

export function dockerExecutor(options: DockerExecutorOptions): Executor {
  return new Docker(options);
}

class Docker implements Executor {
  readonly #options: DockerExecutorOptions;
  readonly #copies = new Map<string, LogCopy>();
  /** The wishes to end that this process has told the engine, by container. */
  readonly #told = new Map<string, number>();
  readonly #disk_looked_at = new Map<string, number>();
  readonly #watch: EngineWatch;

  constructor(options: DockerExecutorOptions) {
    this.#options = options;
    this.#watch = new EngineWatch(options);
  }

  readonly pathsInside = pathsInContainer;

  get #engine(): Engine {
    return this.#watch.engine;
  }

  get #containers() {
    return containersOf(this.#engine);
  }

  #file(handle: RunHandle, name: string): string {
    return join(this.#options.folderOf(handle.job_id, handle.attempt), name);
  }

  /** What the attempts of a job share: PROTOCOL.md has the name. */
  #cache({ job_id, attempt }: RunHandle): string {
    return join(dirname(this.#options.folderOf(job_id, attempt)), 'cache');
  }

  ready(): Promise<Readiness> {
    return this.#watch.ready();
  }

  async list(): Promise<RunHandle[]> {
    try {
      const found = await this.#containers.list({ [LABELS.worker]: this.#options.worker_id });
      return found.map((labels) => ({
        executor: 'docker',
        job_id: labels[LABELS.job] ?? '',
        attempt: Number(labels[LABELS.attempt]),
      }));
    } catch (error) {
      if (error instanceof EngineAway) return [];
      throw error;
    }
  }

  async launch(run: RunSpec): Promise<RunHandle> {
    const handle: RunHandle = { executor: 'docker', job_id: run.job_id, attempt: run.attempt };
    try {
      if (!(await this.#prepare(run, handle))) return handle;
      await this.#start(run, handle);
    } catch (error) {
      throw launchError(error);
    }
    return handle;
  }

  /** Has the container made; false when somebody has started it already. */
  async #prepare(run: RunSpec, handle: RunHandle): Promise<boolean> {
    const { folderOf, private_folder, model_folders, worker_id, installation, grace_ms, contact_path, self_fence_ms } =
      this.#options;
    const folder = folderOf(run.job_id, run.attempt);
    const lock = await readRecord(Lock, this.#file(handle, 'lock'));
    if (lock?.forbidden) throw new LaunchError('launch_failed', 'the run was forbidden before it started');
    if (lock !== null) return false;
    if ('refused' in this.#options.engine) throw new LaunchError('launch_failed', this.#options.engine.refused);
    const facts = await this.#watch.facts();
    const no_gpus = run.devices.length === 0 ? null : refusesGpus(facts);
    if (no_gpus !== null) throw new LaunchError('launch_failed', no_gpus);
    const { image, image_id } = await this.#imageOf(run);
    const account = accountOf(facts.is_rootless);
    const linked = await linkedFiles(run.paths, model_folders);
    const cache = this.#cache(handle);
    for (const path of [run.paths.output_path, cache]) await mkdir(path, { recursive: true, mode: 0o700 });
    await grantAccess(run.paths, { account, private_folder, folder, cache });
    const disk_bytes_max = run.limits.disk_gb === undefined ? null : Math.floor(run.limits.disk_gb * GB);
    const asked: z.infer<typeof Asked> = { image, image_id, disk_bytes_max };
    await writeJsonFile(this.#file(handle, CONTAINER_RECORD), asked);
    const fence_path = this.#file(handle, 'fence.py');
    await layFence(fence_path);
    const name = containerName(run.job_id, run.attempt);
    const description = describeContainer(run, {
      worker_id,
      installation,
      folder,
      cache,
      user: `${account.uid}:${account.gid}`,
      image_id,
      gpu_way: facts.gpu_way ?? 'hook',
      processors: facts.processors,
      grace_s: Math.ceil(grace_ms / 1000),
      fence_path,
      contact_path,
      self_fence_s: self_fence_ms / 1000,
      linked,
    });
    await this.#containers.create(name, description);
    let container = await this.#containers.inspect(name);
    // A name is taken a moment before there is a container: by a launch of the same attempt that is under way.
    for (let tries = 0; container === null && tries < NAMED_TRIES; tries++) {
      await pause(NAMED_PAUSE_MS);
      container = await this.#containers.inspect(name);
    }
    if (container === null || !this.#isOurs(container, handle))
      throw new LaunchError('launch_failed', `the container engine has another container of the name ${name}: remove it`);
    return true;
  }

  async #imageOf(run: RunSpec): Promise<{ image: string; image_id: string }> {
    const { reference, digest } = run.image ?? { reference: this.#options.image, digest: null };
    const names = digest === null ? [reference] : [digest, `${reference.replace(/[:@][^/]*$/, '')}@${digest}`];
    for (const name of names) {
      const image_id = await this.#containers.imageId(name);
      if (image_id !== null) return { image: reference, image_id };
    }
    throw new LaunchError('launch_failed', noImage(reference));
  }

  /** Starts the container, once: whoever comes second leaves it to the first. */
  async #start(run: RunSpec, handle: RunHandle): Promise<void> {
    if (!(await this.#take(handle, { forbidden: false }))) return;
    const name = containerName(run.job_id, run.attempt);
    try {
      await this.#containers.start(name);
    } catch (error) {
      if (!(error instanceof EngineRefusal)) throw error;
      await this.#containers.removeStopped(name);
      if (run.devices.length === 0 || !isWithoutHook(error)) throw error;
      this.#watch.gpusWereRefused();
      throw new LaunchError('launch_failed', withoutHook(error));
    }
    const container = await this.#containers.inspect(name);
    const started: z.infer<typeof Started> = { container_id: container?.id ?? '', boot_id: bootId() };
    await writeJsonFile(this.#file(handle, 'started.json'), started);
    this.#follow(handle);
  }

  /** Writes the lock where there is none; false where there is. */
  async #take(handle: RunHandle, lock: z.infer<typeof Lock>): Promise<boolean> {
    await mkdir(this.#options.folderOf(handle.job_id, handle.attempt), { recursive: true, mode: 0o700 });
    try {
      await writeFile(this.#file(handle, 'lock'), JSON.stringify(lock), { flag: 'wx', mode: 0o600 });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    }
  }

  #isOurs({ labels }: Container, { job_id, attempt }: RunHandle): boolean {
    return (
      labels[LABELS.job] === job_id &&
      labels[LABELS.attempt] === String(attempt) &&
      labels[LABELS.worker] === this.#options.worker_id
    );
  }

  /** The run's container; null where the engine has none of ours by that name. */
  async #find(handle: RunHandle): Promise<Container | null> {
    const container = await this.#containers.inspect(containerName(handle.job_id, handle.attempt));
    return container !== null && this.#isOurs(container, handle) ? container : null;
  }

  async observe(handle: RunHandle): Promise<RunState> {
    const exit = await readRecord(ExitRecord, this.#file(handle, 'exit.json'));
    if (exit !== null) return { phase: 'exited', ...exit };
    try {
      const container = await this.#find(handle);
      if (container === null) return await this.#unknown(handle);
      switch (container.status) {
        case 'created':
          return { phase: 'waiting' };
        case 'exited':
        case 'dead':
          return await this.#ended(handle, container);
        default:
          await this.#lookAfter(handle);
          return { phase: 'running', beat: sinceBoot(), trainer_alive: true };
      }
    } catch (error) {
      if (error instanceof EngineAway) return { phase: 'away', reason: error.message };
      throw error;
    }
  }

  /** What a run is that the engine knows nothing of. */
  async #unknown(handle: RunHandle): Promise<RunState> {
    const started = (await readJsonFile(this.#file(handle, 'started.json'))) !== null;
    if (started) return { phase: 'lost', started, reason: 'the container engine does not know its container any more' };
    const lock = await readRecord(Lock, this.#file(handle, 'lock'));
    if (lock === null) return { phase: 'waiting' };
    const reason = lock.forbidden ? 'the run was forbidden before it started' : 'its container is gone and had not started';
    return { phase: 'lost', started, reason };
  }

  /** Stores how a container ended, with all that it printed; only then may it be removed. */
  async #ended(handle: RunHandle, container: Container): Promise<RunState> {
    if (NEVER.test(container.started_at)) return { phase: 'lost', started: false, reason: 'its container could not be started' };
    const started = await readRecord(Started, this.#file(handle, 'started.json'));
    if (container.code === LOST_BY_CRASH && started !== null && started.boot_id !== bootId())
      return { phase: 'lost', started: true, reason: 'the host was restarted' };
    const log_bytes_dropped = await this.#copyOf(handle).finish();
    const wish = await readRecord(StopWish, this.#file(handle, 'stop.json'));
    const fenced = await hasFencedItself(this.#file(handle, 'outputs'));
    const signal = SIGNALS[container.code] ?? null;
    const exit: ExitRecord = {
      code: signal === null ? container.code : null,
      signal,
      // The kernel ended it at the limit of its own container: that is nobody else's fault.
      stop_requested: wish?.reason ?? (fenced ? 'fenced' : container.oom_killed && signal === 'SIGKILL' ? 'memory_limit' : null),
      fenced: fenced || wish?.reason === 'fenced',
      orphans_killed: 0,
      oom_kills: container.oom_killed ? 1 : 0,
      log_bytes_dropped,
      ran_ms: Math.max(0, Date.parse(container.finished_at) - Date.parse(container.started_at)),
    };
    await writeJsonFile(this.#file(handle, 'exit.json'), exit);
    return { phase: 'exited', ...exit };
  }

  #copyOf(handle: RunHandle): LogCopy {
    const name = containerName(handle.job_id, handle.attempt);
    const copy =
      this.#copies.get(name) ??
      new LogCopy({
        engine: this.#engine,
        container: name,
        log_path: this.#file(handle, 'train.log'),
        place_path: this.#file(handle, 'log.json'),
        bytes_max: this.#options.log_bytes_max,
        tail_bytes: this.#options.log_tail_bytes,
      });
    this.#copies.set(name, copy);
    return copy;
  }

  #follow(handle: RunHandle): void {
    this.#copyOf(handle).follow();
  }

  /** What a worker does for a container that runs: copies its output, keeps it to its disk, presses what was wished of it. */
  async #lookAfter(handle: RunHandle): Promise<void> {
    this.#follow(handle);
    const wish = await readRecord(StopWish, this.#file(handle, 'stop.json'));
    if (wish !== null) await this.#press(handle, wish);
    else if (await this.#isOverDisk(handle)) await this.stop(handle, this.#options.grace_ms, 'disk_limit');
  }

  async #isOverDisk(handle: RunHandle): Promise<boolean> {
    const name = containerName(handle.job_id, handle.attempt);
    const now = performance.now();
    if (now - (this.#disk_looked_at.get(name) ?? Number.NEGATIVE_INFINITY) < DISK_MS) return false;
    this.#disk_looked_at.set(name, now);
    const asked = await readRecord(Asked, this.#file(handle, CONTAINER_RECORD));
    if (asked === null || asked.disk_bytes_max === null) return false;
    return diskOver([this.#options.folderOf(handle.job_id, handle.attempt), this.#cache(handle)], asked.disk_bytes_max);
  }

  async stop(handle: RunHandle, grace_ms: number, reason: string): Promise<void> {
    const before = await readRecord(StopWish, this.#file(handle, 'stop.json'));
    // A later wish may shorten the grace, never lengthen it.
    const kill_at = Math.min(before?.kill_at ?? Number.POSITIVE_INFINITY, sinceBoot() + grace_ms);
    const wish = { reason: before?.reason ?? reason, kill_at, boot_id: bootId() };
    await writeJsonFile(this.#file(handle, 'stop.json'), wish);
    await this.#press(handle, wish);
  }

  /** Tells the engine of a wish, once; kills what is still there long after it. An engine that is away is told when it is back. */
  async #press(handle: RunHandle, { kill_at, boot_id }: z.infer<typeof StopWish>): Promise<void> {
    const name = containerName(handle.job_id, handle.attempt);
    const left_ms = boot_id === bootId() ? Math.max(0, kill_at - sinceBoot()) : 0;
    if (this.#told.get(name) !== kill_at) {
      this.#told.set(name, kill_at);
      const asked = Promise.resolve().then(() => this.#containers.stop(name, Math.ceil(left_ms / 1000)));
      // It was not heard, or forgotten: the next look tells it again.
      asked.catch(() => this.#told.delete(name));
    } else if (left_ms === 0 && sinceBoot() - kill_at > KILL_LATE_MS) await this.#containers.kill(name);
  }

  async forbid(handle: RunHandle): Promise<boolean> {
    const path = this.#file(handle, 'lock');
    await this.#take(handle, { forbidden: true });
    const lock = await readRecord(Lock, path);
    if (await this.#wasNeverAsked(handle)) return true;
    const container = await this.#find(handle);
    if (container === null) return lock?.forbidden === true;
    if (container.status !== 'created' || !(await this.#containers.removeStopped(container.id))) return false;
    if (lock?.forbidden !== true) await writeJsonFile(path, { forbidden: true });
    return true;
  }

  async #wasNeverAsked(handle: RunHandle): Promise<boolean> {
    const lock = await readRecord(Lock, this.#file(handle, 'lock'));
    return lock?.forbidden === true && (await readJsonFile(this.#file(handle, CONTAINER_RECORD))) === null;
  }

  async clear(handle: RunHandle): Promise<boolean> {
    const name = containerName(handle.job_id, handle.attempt);
    await this.#copies.get(name)?.leave();
    try {
      const container = await this.#find(handle);
      if (container !== null) {
        if (!(await this.#containers.removeAnyway(container.id))) return false;
        if ((await this.#find(handle)) !== null) return false;
      }
    } catch (error) {
      // What the engine was never asked for is not there, whether or not it answers.
      if (error instanceof EngineAway) return this.#wasNeverAsked(handle);
      if (error instanceof EngineRefusal) return false;
      throw error;
    }
    // An engine that has lost its memory leaves processes behind: on this host they are known by their marker.
    const marked = this.#engine.is_local ? ((await findMarked()).get(attemptMarker(handle.job_id, handle.attempt)) ?? []) : [];
    for (const identity of marked) await signalProcess(identity, 'SIGKILL');
    if (marked.length > 0) return false;
    for (const kept of [this.#copies, this.#told, this.#disk_looked_at]) kept.delete(name);
    return true;
  }
}

function launchError(error: unknown): unknown {
  if (error instanceof LaunchError) return error;
  if (error instanceof EngineAway) return new LaunchError('engine_away', error.message);
  const { code, message } = error as NodeJS.ErrnoException;
  const full = code === 'ENOSPC' || code === 'EDQUOT' || /no space left on device/i.test(message);
  if (full) return new LaunchError('disk_full', message);
  return error instanceof EngineRefusal || code !== undefined ? new LaunchError('launch_failed', message) : error;
}
