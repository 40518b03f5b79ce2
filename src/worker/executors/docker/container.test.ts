import { describe, expect, test } from 'vitest';
import { runSpec } from '../../../../test/run-spec.ts';
import type { RunSpec } from '../executor.ts';
import { type ContainerPlace, containerName, describeContainer, pathsInContainer } from './container.ts';

const JOB = '4f6f2a52-7b1c-4d0e-9f0a-1c2d3e4f5a6b';
const PLACE: ContainerPlace = {
  worker_id: 'host-1',
  installation: 'https://studio.example',
  folder: '/data/runs/job/3',
  cache: '/data/runs/job/cache',
  user: '10001:10001',
  image_id: 'sha256:abc',
  gpu_way: 'hook',
  processors: 8,
  grace_s: 30,
  fence_path: '/data/runs/job/3/fence.py',
  contact_path: '/data/runs/contact.json',
  self_fence_s: 720,
  linked: [],
};
const PATHS: RunSpec['paths'] = {
  dataset_path: '/data/storage/user/dataset/data',
  base_model_path: '/models/tiny',
  init_adapters: ['/data/adapters/a', '/data/adapters/b'],
  resume_from: '/data/runs/job/2/outputs/checkpoints/step-40',
  job_folder: '/data/runs/job/3',
  output_path: '/data/runs/job/3/outputs',
};
const GPUS = ['GPU-1', 'GPU-2'];

const containerOf = (run: Partial<RunSpec> = {}, place: Partial<ContainerPlace> = {}) =>
  describeContainer(runSpec(JOB, { paths: PATHS, ...run }), { ...PLACE, ...place });
const environmentOf = (run: Partial<RunSpec> = {}) =>
  Object.fromEntries(containerOf(run).Env.map((line) => [line.split('=')[0], line.replace(/^[^=]*=/, '')]));

describe('a training’s container', () => {
  test('is named by its job, further attempts by their number', () => {
    expect(containerName(JOB, 1)).toBe(`training-${JOB}`);
    expect(containerName(JOB, 3)).toBe(`training-${JOB}-3`);
  });

  test('tells by labels which attempt it is, whose worker looks after it, and for whom', () => {
    expect(containerOf({ attempt: 3 }).Labels).toEqual({
      'dev.lowrank.job': JOB,
      'dev.lowrank.attempt': '3',
      'dev.lowrank.worker': 'host-1',
      'dev.lowrank.installation': 'https://studio.example',
    });
  });

  test('runs the trainer of exactly the image that was looked at, whatever that one’s own program is', () => {
    expect(containerOf()).toMatchObject({
      Image: 'sha256:abc',
      Cmd: ['python', 'train_lora.py', '--config', '/workspace/config.json'],
      WorkingDir: '/workspace',
      StopSignal: 'SIGTERM',
      StopTimeout: 30,
    });
  });

  test('starts with what ends it when its worker is silent for too long, after the grace of every stop', () => {
    const [python, ...words] = containerOf().Entrypoint;
    const paths = ['/run/lowrank/fence.py', '/run/lowrank/contact.json', '/workspace/outputs/.fenced'];
    expect([python, words]).toEqual(['python', ['-I', '-S', ...paths, '720', '30']]);
    const { Mounts } = containerOf().HostConfig;
    for (const path of paths.slice(0, 2))
      expect(Mounts).toContainEqual(expect.objectContaining({ Target: path, ReadOnly: true }));
  });

  test('sees what its run reads, read-only, and writes to its outputs and what its job’s attempts share', () => {
    const { Mounts } = containerOf({}, { linked: [{ source: '/models/blobs/1', target: '/workspace/blobs/1' }] }).HostConfig;
    expect(Mounts.map(({ Source, Target, ReadOnly }) => [Source, Target, ReadOnly])).toEqual([
      ['/data/runs/job/3/fence.py', '/run/lowrank/fence.py', true],
      ['/data/runs/contact.json', '/run/lowrank/contact.json', true],
      ['/data/runs/job/3/config.json', '/workspace/config.json', true],
      ['/data/storage/user/dataset/data', '/workspace/datasets/data', true],
      ['/models/tiny', '/workspace/models/tiny', true],
      ['/data/runs/job/3/outputs', '/workspace/outputs', false],
      ['/data/runs/job/cache', '/workspace/cache', false],
      ['/data/adapters/a', '/workspace/adapters/1', true],
      ['/data/adapters/b', '/workspace/adapters/2', true],
      ['/data/runs/job/2/outputs/checkpoints/step-40', '/workspace/checkpoint/step-40', true],
      ['/models/blobs/1', '/workspace/blobs/1', true],
    ]);
    for (const mount of Mounts) expect(mount).toMatchObject({ Type: 'bind', BindOptions: { Propagation: 'rprivate' } });
    const bare = containerOf({ paths: { ...PATHS, init_adapters: [], resume_from: null } }).HostConfig.Mounts;
    expect(bare.map(({ Target }) => Target)).toEqual(Mounts.slice(0, 7).map(({ Target }) => Target));
  });

  test('is told of paths where they are mounted, and of none of the host', () => {
    const inside = pathsInContainer(PATHS);
    const targets = containerOf().HostConfig.Mounts.map(({ Target }) => Target);
    const { job_folder, init_adapters, ...single } = inside;
    expect(job_folder).toBe('/workspace');
    for (const path of [...init_adapters, ...Object.values(single)]) expect(targets).toContain(path);
    expect(pathsInContainer({ ...PATHS, resume_from: null }).resume_from).toBeNull();
  });

  test('has no rights: an account of its own, nothing to write but /tmp, no capability, no network, no core files', () => {
    const { User, NetworkDisabled, HostConfig } = containerOf();
    expect({ User, NetworkDisabled }).toEqual({ User: '10001:10001', NetworkDisabled: true });
    expect(HostConfig).toMatchObject({
      NetworkMode: 'none',
      IpcMode: 'private',
      ReadonlyRootfs: true,
      Tmpfs: { '/tmp': 'rw,exec,nosuid,nodev,mode=1777,size=2000000000' },
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      Privileged: false,
      PidsLimit: 4096,
      Ulimits: [{ Name: 'core', Soft: 0, Hard: 0 }],
      OomScoreAdj: 500,
    });
    for (const more of ['CapAdd', 'Devices', 'PidMode', 'UsernsMode', 'PortBindings', 'Binds'])
      expect(HostConfig).not.toHaveProperty(more);
  });

  test('has an init, keeps little of its output, is never restarted and stays until its worker has read it', () => {
    expect(containerOf().HostConfig).toMatchObject({
      Init: true,
      LogConfig: { Type: 'json-file', Config: { 'max-size': '16m', 'max-file': '4' } },
      RestartPolicy: { Name: 'no' },
      AutoRemove: false,
    });
  });

  test('has the limits of its job: memory without swap on top, processors that the engine has, shared memory', () => {
    const limits = { memory_gb: 1.5, cpus: 4, shm_gb: 0.5 };
    const of = { Memory: 1_500_000_000, MemorySwap: 1_500_000_000, NanoCpus: 4e9, ShmSize: 500_000_000 };
    expect(containerOf({ limits }).HostConfig).toMatchObject(of);
    // The engine would refuse more than it has.
    expect(containerOf({ limits }, { processors: 2 }).HostConfig.NanoCpus).toBe(2e9);
    // 0 is the engine's word for no limit.
    const without = { Memory: 0, MemorySwap: 0, NanoCpus: 0, ShmSize: 1_000_000_000 };
    expect(containerOf().HostConfig).toMatchObject(without);
    expect(environmentOf({ limits }).OMP_NUM_THREADS).toBe('4');
    expect(environmentOf()).not.toHaveProperty('OMP_NUM_THREADS');
  });

  test('has the environment of a trainer offline, with the marker of its attempt and nothing of the worker’s', () => {
    expect(environmentOf({ attempt: 3, devices: GPUS })).toEqual({
      LOWRANK_ATTEMPT_ID: `${JOB}:3`,
      HOME: '/tmp',
      TMPDIR: '/tmp',
      USER: 'training',
      LOGNAME: 'training',
      LANG: 'C.UTF-8',
      CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
      HF_HUB_OFFLINE: '1',
      PYTHONUNBUFFERED: '1',
      PYTHONDONTWRITEBYTECODE: '1',
      TOKENIZERS_PARALLELISM: 'false',
    });
  });

  test('has the leased GPUs by their uuids, all when its run took all, by the hook or by CDI', () => {
    const requests = (all_devices: boolean, gpu_way: ContainerPlace['gpu_way']) =>
      containerOf({ devices: GPUS, all_devices }, { gpu_way }).HostConfig.DeviceRequests;
    expect(requests(false, 'hook')).toEqual([{ Driver: '', DeviceIDs: GPUS, Capabilities: [['gpu']] }]);
    expect(requests(true, 'hook')).toEqual([{ Driver: '', Count: -1, Capabilities: [['gpu']] }]);
    expect(requests(false, 'cdi')).toEqual([{ Driver: 'cdi', DeviceIDs: ['nvidia.com/gpu=GPU-1', 'nvidia.com/gpu=GPU-2'] }]);
    expect(requests(true, 'cdi')).toEqual([{ Driver: 'cdi', DeviceIDs: ['nvidia.com/gpu=all'] }]);
  });

  test('has no GPU on the CPU, even where NVIDIA’s runtime gives every GPU to whoever does not ask', () => {
    for (const gpu_way of ['hook', 'cdi'] as const) expect(containerOf({}, { gpu_way }).HostConfig.DeviceRequests).toEqual([]);
    expect(environmentOf()).toMatchObject({ NVIDIA_VISIBLE_DEVICES: 'void', CUDA_VISIBLE_DEVICES: '' });
  });
});
