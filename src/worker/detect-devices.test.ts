import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { env } from '#/env.ts';
import { detectDevices, listGpus, parseGpus } from './detect-devices.ts';

let folder: string;
const path = env.PATH;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lowrank-smi-'));
  env.PATH = `${folder}:${path}`;
});
afterAll(async () => {
  env.PATH = path;
  await rm(folder, { recursive: true, force: true });
});

async function nvidiaSmi(script: string): Promise<void> {
  await writeFile(join(folder, 'nvidia-smi'), `#!/bin/sh\n${script}\n`);
  await chmod(join(folder, 'nvidia-smi'), 0o755);
}

describe('the devices of a host', () => {
  test('are the GPUs that nvidia-smi lists, by their own names', () => {
    const text =
      '0, GPU-a1, NVIDIA A100-SXM4-80GB, 81920, 3, Disabled, 8.0, 97\n1, GPU-b2, Tesla T4, 15360, 0, [N/A], 7.5, [N/A]\n';
    expect(parseGpus(text)).toMatchObject([
      { uuid: 'GPU-a1', name: 'NVIDIA A100-SXM4-80GB', memory_mb: 81920, index: 0, compute_capability: 8 },
      { uuid: 'GPU-b2', name: 'Tesla T4', memory_mb: 15360, index: 1, compute_capability: 7.5 },
    ]);
    expect(parseGpus(text).map((card) => [card.memory_used_mb, card.utilization_percent, card.is_parted])).toEqual([
      [3, 97, false],
      [0, null, false],
    ]);
  });

  test('are none of the lines that name no GPU', () => {
    expect(
      parseGpus(
        'No devices were found\n\n0, GPU-a, X, [Unknown Error], 0, , \nUnable to determine the device handle for GPU 0: GPU is lost.\n',
      ),
    ).toEqual([]);
  });

  /** A host of two cards, the second of them in MIG mode, on which `computing` goes on. */
  const parted = (computing: string) =>
    nvidiaSmi(`case "$1" in
      -L) cat <<'LIST'
GPU 0: NVIDIA H100 PCIe (UUID: GPU-a)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-b)
  MIG 1g.5gb      Device  0: (UUID: MIG-1)
  MIG 1c.3g.20gb  Device  1: (UUID: MIG-2)
LIST
      ;;
      --query-compute-apps=*) ${computing};;
      *) printf '0, GPU-a, NVIDIA H100 PCIe, 81559, 10, Disabled, 9.0, 0\\n1, GPU-b, NVIDIA A100-SXM4-40GB, 40960, 90, Enabled, 8.0, [N/A]\\n';;
    esac`);

  test('are the instances of a card in MIG mode, each by itself, and never that card', async () => {
    await parted(':');
    const { devices } = await detectDevices();
    expect(devices.map(({ uuid, index, memory_mb, mig }) => [uuid, index, memory_mb, mig])).toEqual([
      ['GPU-a', 0, 81559, null],
      ['MIG-1', 1, 4768, { profile: '1g.5gb', card_uuid: 'GPU-b' }],
      // One of three that share 20 GB.
      ['MIG-2', 1, 6357, { profile: '1c.3g.20gb', card_uuid: 'GPU-b' }],
    ]);
    expect(devices[1]).toMatchObject({ kind: 'gpu', name: 'NVIDIA A100-SXM4-40GB MIG 1g.5gb', compute_capability: 8 });
  });

  test('come with who computes on them: on an instance, or on a card of which any instance may be meant', async () => {
    const looks = async () => {
      const list = await listGpus();
      return list.ok ? list.looks.map(({ uuid, processes, by_card }) => [uuid, processes, by_card]) : list.reason;
    };
    await parted("printf 'GPU-a, 11\\nGPU-a, 12\\nMIG-2, 13\\n'");
    expect(await looks()).toEqual([
      ['GPU-a', 2, false],
      ['MIG-1', 0, false],
      ['MIG-2', 1, false],
    ]);
    await parted("echo 'GPU-b, 14'");
    expect(await looks()).toEqual([
      ['GPU-a', 0, false],
      ['MIG-1', 1, true],
      ['MIG-2', 1, true],
    ]);
    await parted('exit 6');
    expect(await looks()).toEqual(['GPU-a', 'MIG-1', 'MIG-2'].map((uuid) => [uuid, null, false]));
  });

  test('are as many places on the CPU as the operator says, each with its share of the memory', async () => {
    await nvidiaSmi('exit 9');
    const [whole] = (await detectDevices()).devices;
    const slots = env.LOWRANK_CPU_SLOTS;
    env.LOWRANK_CPU_SLOTS = 3;
    try {
      const { devices } = await detectDevices();
      expect(devices.map(({ uuid }) => uuid)).toEqual(['cpu', 'cpu-2', 'cpu-3']);
      for (const { memory_mb } of devices) expect(memory_mb).toBeCloseTo((whole?.memory_mb ?? 0) / 3, -1);
    } finally {
      env.LOWRANK_CPU_SLOTS = slots;
    }
  });

  test('are one place on the CPU where there is no GPU, and the reason is told', async () => {
    await nvidiaSmi('echo "NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver."; exit 9');
    const { devices, no_gpu } = await detectDevices();
    expect(devices).toMatchObject([{ kind: 'cpu', uuid: 'cpu' }]);
    expect(no_gpu).toContain('could not communicate with the NVIDIA driver');
  });

  test('are asked for with nothing of our environment', async () => {
    process.env.LOWRANK_CANARY = 'secret';
    await nvidiaSmi('echo "0, GPU-a, $LOWRANK_CANARY-, 1, 0, , 8.0"');
    expect(await listGpus()).toMatchObject({ ok: true, gpus: [{ name: '-' }] });
    delete process.env.LOWRANK_CANARY;
  });
});
