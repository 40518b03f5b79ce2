/** What a training's container is: everything that is asked of the engine for it, from a run and the engine's facts. Pure. */
import { basename } from 'node:path';
import { GB } from '#/domain/bytes.ts';
import { attemptMarker } from '../../process-identity.ts';
import type { RunPaths, RunSpec } from '../executor.ts';

/** The folder of the image that holds `train_lora.py`, and below it everything that a run is given. */
const WORKSPACE = '/workspace';
/** It reads the standard library alone, whatever lies in the image's folders. */
const PYTHON = ['python', '-I', '-S'];
const COMMAND = ['python', 'train_lora.py', '--config', `${WORKSPACE}/config.json`];
/** Where the worker's means lie inside: what ends the trainer when no worker answers for it, and the sign that it does. */
const FENCE = '/run/lowrank/fence.py';
const CONTACT = '/run/lowrank/contact.json';
/** Below the outputs: there when the run ended itself because no worker answered. What begins with a dot is no output. */
export const FENCED_FILE = '.fenced';

/** Threads count, too: a loader and a computing thread for each core of a large host, for each of eight GPUs (64 × 2 × 8), four times. */
const PIDS_MAX = 4096;
/** Docker's own 64 MB is too little for PyTorch's loaders and for NCCL (its documentation asks for at least 1 GB). */
const SHM_GB = 1;
const TMP_BYTES = 2 * GB;
/** What the engine keeps of the output, 64 MB in all: the worker copies it out as it comes. */
const LOG_CAPS = { 'max-size': '16m', 'max-file': '4' };
/** As of a trainer that is a process: if the host itself runs out of memory, trainings go before services. */
const OOM_SCORE = 500;

export const LABELS = {
  job: 'dev.lowrank.job',
  attempt: 'dev.lowrank.attempt',
  worker: 'dev.lowrank.worker',
  installation: 'dev.lowrank.installation',
} as const;

export interface ContainerPlace {
  /** Of the worker's host: the same for all containers that it may adopt. */
  worker_id: string;
  /** For people who look at the engine: which studio this belongs to. */
  installation: string;
  /** The attempt's folder on the host, which has the configuration. */
  folder: string;
  /** What the job's attempts share: a folder of the host that they may write to. */
  cache: string;
  /** `uid:gid` */
  user: string;
  /** The image's own id: what was looked at is what runs. */
  image_id: string;
  /** How the engine hands out GPUs. */
  gpu_way: 'hook' | 'cdi';
  /** Processors of the engine's machine: it refuses to give more. */
  processors: number;
  /** Seconds from TERM to KILL where nobody says otherwise. */
  grace_s: number;
  /** The program that stands over the trainer: a file of the host. */
  fence_path: string;
  /** The file in which the worker says that it lives. */
  contact_path: string;
  /** Of silence in it, seconds after which the run ends itself. */
  self_fence_s: number;
  /** Further files that links in the base model lead to: where they lie, and where the link looks for them inside. */
  linked: { source: string; target: string }[];
}

/** The container's name: what makes a launch happen once. */
export function containerName(job_id: string, attempt: number): string {
  return attempt === 1 ? `training-${job_id}` : `training-${job_id}-${attempt}`;
}

/** Where a run's trainer finds things inside its container. */
export function pathsInContainer(paths: RunPaths): RunPaths {
  return {
    dataset_path: `${WORKSPACE}/datasets/${basename(paths.dataset_path)}`,
    base_model_path: `${WORKSPACE}/models/${basename(paths.base_model_path)}`,
    init_adapters: paths.init_adapters.map((_, at) => `${WORKSPACE}/adapters/${at + 1}`),
    resume_from: paths.resume_from === null ? null : `${WORKSPACE}/checkpoint/${basename(paths.resume_from)}`,
    job_folder: WORKSPACE,
    output_path: `${WORKSPACE}/outputs`,
  };
}

/** What the engine is asked to make. */
export function describeContainer(run: RunSpec, place: ContainerPlace) {
  const { limits } = run;
  const memory = limits.memory_gb === undefined ? 0 : Math.floor(limits.memory_gb * GB);
  return {
    Image: place.image_id,
    // In the place of the image's own. It lives in the container, where no worker and no engine need be there for it.
    Entrypoint: [
      ...PYTHON,
      FENCE,
      CONTACT,
      `${WORKSPACE}/outputs/${FENCED_FILE}`,
      String(place.self_fence_s),
      String(place.grace_s),
    ],
    Cmd: COMMAND,
    WorkingDir: WORKSPACE,
    User: place.user,
    Hostname: 'training',
    Env: Object.entries(environment(run)).map(([name, value]) => `${name}=${value}`),
    Labels: {
      [LABELS.job]: run.job_id,
      [LABELS.attempt]: String(run.attempt),
      [LABELS.worker]: place.worker_id,
      [LABELS.installation]: place.installation,
    },
    StopSignal: 'SIGTERM',
    StopTimeout: place.grace_s,
    NetworkDisabled: true,
    HostConfig: {
      Mounts: mounts(run, place),
      NetworkMode: 'none',
      IpcMode: 'private',
      ReadonlyRootfs: true,
      // Executable: what a framework compiles at run time (Triton's kernels) is loaded from there.
      Tmpfs: { '/tmp': `rw,exec,nosuid,nodev,mode=1777,size=${TMP_BYTES}` },
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      Privileged: false,
      Init: true,
      PidsLimit: PIDS_MAX,
      Ulimits: [{ Name: 'core', Soft: 0, Hard: 0 }],
      OomScoreAdj: OOM_SCORE,
      // Equal: no swap on top.
      Memory: memory,
      MemorySwap: memory,
      NanoCpus: Math.min(limits.cpus ?? 0, place.processors) * 1e9,
      ShmSize: Math.floor((limits.shm_gb ?? SHM_GB) * GB),
      LogConfig: { Type: 'json-file', Config: LOG_CAPS },
      RestartPolicy: { Name: 'no' },
      AutoRemove: false,
      DeviceRequests: deviceRequests(run, place.gpu_way),
    },
  };
}

function environment(run: RunSpec): Record<string, string> {
  const cpus = run.limits.cpus;
  return {
    LOWRANK_ATTEMPT_ID: attemptMarker(run.job_id, run.attempt),
    HOME: '/tmp',
    TMPDIR: '/tmp',
    // The account has no name in the image; Python's getpass, which frameworks name caches by, takes it from here.
    USER: 'training',
    LOGNAME: 'training',
    LANG: 'C.UTF-8',
    CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
    HF_HUB_OFFLINE: '1',
    PYTHONUNBUFFERED: '1',
    PYTHONDONTWRITEBYTECODE: '1',
    TOKENIZERS_PARALLELISM: 'false',
    // A quota does not change how many processors a program counts.
    ...(cpus !== undefined && { OMP_NUM_THREADS: String(cpus) }),
    // Where NVIDIA's runtime is the engine's default one, an image would get every GPU without being asked.
    ...(run.devices.length === 0 && { NVIDIA_VISIBLE_DEVICES: 'void', CUDA_VISIBLE_DEVICES: '' }),
  };
}

function mounts(run: RunSpec, { folder, cache, linked, fence_path, contact_path }: ContainerPlace) {
  const { paths } = run;
  const inside = pathsInContainer(paths);
  const bind = (Source: string, Target: string, ReadOnly = true) => ({
    Type: 'bind',
    Source,
    Target,
    ReadOnly,
    BindOptions: { Propagation: 'rprivate' },
  });
  const adapters = paths.init_adapters.map((source, at) => bind(source, inside.init_adapters[at] ?? ''));
  const checkpoint =
    paths.resume_from === null || inside.resume_from === null ? [] : [bind(paths.resume_from, inside.resume_from)];
  return [
    bind(fence_path, FENCE),
    bind(contact_path, CONTACT),
    bind(`${folder}/config.json`, `${WORKSPACE}/config.json`),
    bind(paths.dataset_path, inside.dataset_path),
    bind(paths.base_model_path, inside.base_model_path),
    bind(paths.output_path, inside.output_path, false),
    bind(cache, `${WORKSPACE}/cache`, false),
    ...adapters,
    ...checkpoint,
    ...linked.map(({ source, target }) => bind(source, target)),
  ];
}

/** The leased GPUs by their uuids; all of them when the run has taken all. */
export function deviceRequests(
  { devices, all_devices }: Pick<RunSpec, 'devices' | 'all_devices'>,
  way: ContainerPlace['gpu_way'],
) {
  if (devices.length === 0) return [];
  if (way === 'cdi') {
    const names = all_devices ? ['all'] : devices;
    return [{ Driver: 'cdi', DeviceIDs: names.map((name) => `nvidia.com/gpu=${name}`) }];
  }
  const Capabilities = [['gpu']];
  return all_devices ? [{ Driver: '', Count: -1, Capabilities }] : [{ Driver: '', DeviceIDs: devices, Capabilities }];
}
