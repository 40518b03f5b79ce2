import { expect, test } from 'vitest';
import { cpuDevice, cpuName, findDevice } from './foresight/devices/known-devices.ts';
import { factsOfGpu, findGpu, GPU_DEFAULTS } from './gpu-catalog.ts';
import { type OwnDevice, withOwnDevices } from './own-devices.ts';

function factsOf(type: string, own: OwnDevice[], catalog = GPU_DEFAULTS) {
  const entry = findGpu(withOwnDevices(catalog, own), type);
  return entry === null ? null : factsOfGpu(entry);
}
const GIB_IN_MB = 1024;
const cpu = (name: string, gib = 24): OwnDevice => ({ kind: 'cpu', name, memory_mb: gib * GIB_IN_MB });
const gpu = (name: string, gib: number): OwnDevice => ({ kind: 'gpu', name, memory_mb: gib * GIB_IN_MB });

test('an installation’s processor does what its cores do, with its own memory', () => {
  const facts = factsOf('CPU', [cpu(cpuName('AMD EPYC', 2))]);
  expect(facts).toEqual(cpuDevice(2, 24 * 2 ** 30));
});

test('a processor that was registered without its cores is any', () => {
  expect(factsOf('CPU', [cpu('AMD EPYC')])?.fp32_flops).toBe(findDevice('CPU')?.fp32_flops);
});

test('an installation’s GPU is what its driver calls it, with no more memory than torch has of it; of several the smallest', () => {
  const own = [gpu('NVIDIA GeForce RTX 4090', 24), gpu('NVIDIA GeForce RTX 4090', 12)];
  expect(factsOf('Own-GPU', own.slice(0, 1))).toEqual(findDevice('RTX-4090'));
  expect(factsOf('Own-GPU', own)?.memory_bytes).toBe(12 * 2 ** 30);
  expect(factsOf('Own-GPU', [gpu('Voodoo2', 1)])).toBeNull();
});

test('what an administrator says of it stays', () => {
  const catalog = GPU_DEFAULTS.map((entry) => (entry.type === 'Own-GPU' ? { ...entry, like: 'L4', memory_gb: 20 } : entry));
  const facts = factsOf('Own-GPU', [gpu('NVIDIA GeForce RTX 4090', 24)], catalog);
  expect([facts?.name, facts?.memory_bytes]).toEqual(['L4', 20e9]);
});

test('where there are none the catalogue is as it was', () => {
  expect(withOwnDevices(GPU_DEFAULTS, [])).toEqual(GPU_DEFAULTS);
});
