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
    expect(
      parseGpus('0, GPU-a1, NVIDIA A100-SXM4-80GB, 81920, 3, Disabled, 8.0\n1, GPU-b2, Tesla T4, 15360, 0, [N/A], 7.5\n'),
    ).toEqual([
      { kind: 'gpu', uuid: 'GPU-a1', name: 'NVIDIA A100-SXM4-80GB', memory_mb: 81920, compute_capability: 8 },
      { kind: 'gpu', uuid: 'GPU-b2', name: 'Tesla T4', memory_mb: 15360, compute_capability: 7.5 },
    ]);
  });

  test('are none of the lines that name no GPU', () => {
    expect(
      parseGpus(
        'No devices were found\n\n0, GPU-a, X, [Unknown Error], 0, , \nUnable to determine the device handle for GPU 0: GPU is lost.\n',
      ),
    ).toEqual([]);
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
