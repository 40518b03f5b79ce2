/** Runs as processes of this host, each owned by a small wrapper in a session of its own (run_wrapper/). */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { link, mkdir, open, readFile, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { GB } from '#/domain/bytes.ts';
import { writeJsonFile } from '../json-file.ts';
import { attemptMarker, bootId, findMarked, isAlive, ProcessIdentity, signalProcess } from '../process-identity.ts';
import { type Executor, LaunchError, type RunHandle, type RunState } from './executor.ts';
import { CONTAINER_RECORD, ExitRecord, readRecord } from './records.ts';

/** A folder, which Python runs by its __main__.py: in isolation it is the only way to what lies beside it. */
const WRAPPER = join(import.meta.dirname, 'run_wrapper');
/** A wrapper that has not said anything after this long is looked after by `observe`, not waited for. */
const LAUNCH_WITHIN_MS = 10_000;
const MARKER = /^([0-9a-f-]{36}):([1-9]\d*)$/;

export interface ProcessExecutorOptions {
  /** The folder of an attempt: private to this executor and the run. */
  folderOf: (job_id: string, attempt: number) => string;
  /** The file in which the worker says that it lives. */
  contact_path: string;
  python: string;
  /** The trainer's program, an absolute path. */
  trainer: string;
  cwd: string;
  /** Where the trainer finds programs. */
  search_path: string;
  heartbeat_ms: number;
  grace_ms: number;
  self_fence_ms: number;
  log_bytes_max: number;
  log_tail_bytes: number;
  /** Folders of this host, each with the name that stands in its place in a log. */
  host_folders: Record<string, string>;
  /** For fault tests: at which points the wrapper of a first attempt dies. */
  failpoints?: string;
}

const Lock = z.object({ wrapper: ProcessIdentity.nullable(), boot_id: z.string() });
const Started = z.object({ marker: z.string(), boot_id: z.string(), wrapper: ProcessIdentity, child: ProcessIdentity });
type Started = z.infer<typeof Started>;

export function processExecutor(options: ProcessExecutorOptions): Executor {
  const fileOf = (handle: RunHandle, name: string) => join(options.folderOf(handle.job_id, handle.attempt), name);
  const readStarted = (handle: RunHandle) => readRecord(Started, fileOf(handle, 'started.json'));
  const readExit = (handle: RunHandle) => readRecord(ExitRecord, fileOf(handle, 'exit.json'));

  const observe = async (handle: RunHandle): Promise<RunState> => {
    const exit = await readExit(handle);
    if (exit !== null) return { phase: 'exited', ...exit };
    const started = await readStarted(handle);
    if (started !== null) {
      if (started.boot_id === bootId() && (await isAlive(started.wrapper))) {
        const beat = Number(await readFile(fileOf(handle, 'heartbeat'), 'utf8').catch(() => '0'));
        return { phase: 'running', beat, trainer_alive: await isAlive(started.child) };
      }
      // It may have ended between the two looks.
      const ended = await readExit(handle);
      if (ended !== null) return { phase: 'exited', ...ended };
      const reason = started.boot_id === bootId() ? 'the process that owned the run is gone' : 'the host was restarted';
      return { phase: 'lost', started: true, reason };
    }
    const lock = await readRecord(Lock, fileOf(handle, 'lock'));
    if (lock === null) return { phase: 'waiting' };
    if (lock.wrapper === null) return { phase: 'lost', started: false, reason: 'the run was forbidden before it started' };
    if (lock.boot_id === bootId() && (await isAlive(lock.wrapper))) return { phase: 'waiting' };
    if ((await readStarted(handle)) !== null) return observe(handle);
    return { phase: 'lost', started: false, reason: 'the process that was to start the run is gone' };
  };

  const clear = async (handle: RunHandle): Promise<boolean> => {
    const started: Started | null = await readStarted(handle);
    // The trainer dies with its wrapper; whatever else carries the marker is killed by it.
    if (started !== null && started.boot_id === bootId()) {
      await signalProcess(started.wrapper, 'SIGKILL');
      await signalProcess(started.child, 'SIGKILL');
    }
    const marked = (await findMarked()).get(attemptMarker(handle.job_id, handle.attempt)) ?? [];
    for (const identity of marked) await signalProcess(identity, 'SIGKILL');
    if (started !== null && started.boot_id === bootId() && (await isAlive(started.child))) return false;
    return marked.length === 0;
  };

  const forbid = async (handle: RunHandle): Promise<boolean> => {
    const lock = fileOf(handle, 'lock');
    const mine = `${lock}.${process.pid}`;
    await mkdir(options.folderOf(handle.job_id, handle.attempt), { recursive: true, mode: 0o700 });
    await writeFile(mine, JSON.stringify({ wrapper: null, boot_id: bootId() }), { mode: 0o600 });
    try {
      await link(mine, lock);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      return (await readRecord(Lock, lock))?.wrapper === null;
    } finally {
      await unlink(mine);
    }
  };

  return {
    observe,
    clear,
    forbid,
    pathsInside: (paths) => paths,
    ready: async () => ({ state: 'ready' }),

    async list() {
      const runs: RunHandle[] = [];
      for (const marker of (await findMarked()).keys()) {
        const [, job_id, attempt] = MARKER.exec(marker) ?? [];
        if (job_id === undefined) continue;
        const handle: RunHandle = { executor: 'process', job_id, attempt: Number(attempt) };
        // Another installation on this machine has markers, too: ours have a folder here. What lives in a container has its own executor.
        const is_ours = existsSync(dirname(options.folderOf(job_id, handle.attempt)));
        if (is_ours && !existsSync(fileOf(handle, CONTAINER_RECORD))) runs.push(handle);
      }
      return runs;
    },

    async launch(run) {
      const folder = options.folderOf(run.job_id, run.attempt);
      const handle: RunHandle = { executor: 'process', job_id: run.job_id, attempt: run.attempt };
      const marker = attemptMarker(run.job_id, run.attempt);
      try {
        await mkdir(join(folder, 'home'), { recursive: true, mode: 0o700 });
        await writeJsonFile(join(folder, 'run.json'), {
          marker,
          argv: [options.python, options.trainer, '--config', join(folder, 'config.json')],
          cwd: options.cwd,
          env: {
            PATH: options.search_path,
            HOME: join(folder, 'home'),
            TMPDIR: join(folder, 'home'),
            LANG: 'C.UTF-8',
            LOWRANK_ATTEMPT_ID: marker,
            // Empty, never unset: without it a run on the CPU would see every GPU.
            CUDA_VISIBLE_DEVICES: run.devices.join(','),
            CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
            HF_HUB_OFFLINE: '1',
            PYTHONUNBUFFERED: '1',
            PYTHONDONTWRITEBYTECODE: '1',
            TOKENIZERS_PARALLELISM: 'false',
          },
          cpus: run.limits.cpus ?? null,
          memory_bytes_max: run.limits.memory_gb === undefined ? null : Math.floor(run.limits.memory_gb * GB),
          disk_bytes_max: run.limits.disk_gb === undefined ? null : Math.floor(run.limits.disk_gb * GB),
          contact_path: options.contact_path,
          heartbeat_ms: options.heartbeat_ms,
          grace_ms: options.grace_ms,
          self_fence_ms: options.self_fence_ms,
          log_bytes_max: options.log_bytes_max,
          log_tail_bytes: options.log_tail_bytes,
          host_folders: options.host_folders,
        });
      } catch (error) {
        throw launchError(error);
      }
      const words = await open(join(folder, 'wrapper.log'), 'a', 0o600);
      try {
        const environment: Record<string, string> = { PATH: options.search_path, LANG: 'C.UTF-8', LOWRANK_ATTEMPT_ID: marker };
        if (options.failpoints) environment.LOWRANK_FAILPOINTS = options.failpoints;
        const wrapper = spawn(options.python, ['-I', '-S', '-B', WRAPPER, folder], {
          detached: true,
          cwd: folder,
          env: environment as unknown as NodeJS.ProcessEnv,
          stdio: ['ignore', words.fd, words.fd],
        });
        const ended = new Promise<NodeJS.Signals | null>((resolve, reject) => {
          wrapper.once('error', reject);
          wrapper.once('exit', (_, signal) => resolve(signal));
        });
        wrapper.unref();
        await started(handle, ended);
      } catch (error) {
        throw launchError(error);
      } finally {
        await words.close();
      }
      return handle;
    },

    async stop(handle, grace_ms, reason) {
      await writeJsonFile(fileOf(handle, 'stop.json'), { reason, grace_ms });
      const started = await readStarted(handle);
      // The wrapper reads stop.json by itself; the signal only wakes it.
      if (started !== null && started.boot_id === bootId()) await signalProcess(started.wrapper, 'SIGTERM');
    },
  };

  /** Waits until the wrapper has started the trainer, or has ended without: then the run never was. */
  async function started(handle: RunHandle, ended: Promise<NodeJS.Signals | null>): Promise<void> {
    let over = false;
    let killed = false;
    const onEnd = ended.then((signal) => {
      over = true;
      killed = signal !== null;
    });
    // Its failure is met in the race below.
    onEnd.catch(() => undefined);
    const until = performance.now() + LAUNCH_WITHIN_MS;
    while (performance.now() < until) {
      if ((await readStarted(handle)) !== null || (await readExit(handle)) !== null) return;
      if (over) {
        const state = await observe(handle);
        // A second launch of the attempt ends at the lock: the first one's run is the run.
        if (state.phase !== 'lost' && (await readRecord(Lock, fileOf(handle, 'lock'))) !== null) return;
        // From outside, before anything ran: no failure of the launch. From now on `observe` tells that it never began.
        if (killed) {
          await forbid(handle);
          return;
        }
        const words = await readFile(fileOf(handle, 'wrapper.log'), 'utf8').catch(() => '');
        const full = words.includes('ENOSPC') || words.includes('No space left');
        throw new LaunchError(full ? 'disk_full' : 'launch_failed', words.trim().split('\n').at(-1) || 'the run did not start');
      }
      await Promise.race([onEnd, new Promise((resolve) => setTimeout(resolve, 5))]);
    }
  }
}

function launchError(error: unknown): LaunchError {
  if (error instanceof LaunchError) return error;
  const code = (error as NodeJS.ErrnoException).code;
  const message = error instanceof Error ? error.message : String(error);
  return new LaunchError(code === 'ENOSPC' || code === 'EDQUOT' ? 'disk_full' : 'launch_failed', message);
}
