import { describe, expect, test } from 'vitest';
import { cpuDevice, cpuName, findDevice, KNOWN_DEVICES } from './known-devices.ts';

const GIB = 2 ** 30;

describe('a device', () => {
  test.each([
    ...['A100-80GB', 'A100-40GB', 'H100', 'H200', 'L40S', 'L4', 'A10G', 'T4', 'V100-32GB'],
    ...['RTX-3090', 'RTX-4090', 'RTX-5090', 'B200', 'MI300X', 'CPU'],
  ])('%s is known by its own name, however that is written', (name) => {
    for (const written of [name, name.toLowerCase(), name.replaceAll('-', ' '), `  ${name.replaceAll('-', '_')} `])
      expect(findDevice(written)?.name).toBe(name);
  });

  test.each([
    ['a100', 'A100-80GB'],
    ['NVIDIA A100-SXM4-80GB', 'A100-80GB'],
    ['A100 (80GB)', 'A100-80GB'],
    ['A100-40G', 'A100-40GB'],
    ['H100 SXM5 80GB', 'H100'],
    ['NVIDIA A100 80GB PCIe', 'A100-80GB-PCIe'],
    ['NVIDIA A100-SXM4-40GB', 'A100-40GB'],
    ['NVIDIA H100 80GB HBM3', 'H100'],
    ['NVIDIA H100 PCIe', 'H100-PCIe'],
    ['NVIDIA GeForce RTX 4090', 'RTX-4090'],
    ['4090', 'RTX-4090'],
    ['Tesla V100-SXM2-32GB', 'V100-32GB'],
    ['Tesla V100-PCIE-32GB', 'V100-32GB-PCIe'],
    ['Tesla T4', 'T4'],
    ['NVIDIA L40S', 'L40S'],
    ['AMD Instinct MI300X', 'MI300X'],
    ['A100-80G', 'A100-80GB'],
    ['A100 (40 GB)', 'A100-40GB'],
    ['A100 PCIe 80GB', 'A100-80GB-PCIe'],
    ['NVIDIA A100-PCIE-40GB', 'A100-40GB'],
    ['rtx4090', 'RTX-4090'],
    ['Tesla V100-SXM2-16GB', 'V100-16GB'],
    ['V100', 'V100-32GB'],
    ['NVIDIA RTX A6000', 'RTX-A6000'],
    ['A6000 48GB', 'RTX-A6000'],
    ['NVIDIA RTX 6000 Ada Generation', 'RTX-6000-Ada'],
    ['NVIDIA RTX PRO 6000 Blackwell Server Edition', 'RTX-PRO-6000'],
    ['RTX 4070Ti', 'RTX-4070-Ti'],
    ['NVIDIA GeForce RTX 4060 Ti', 'RTX-4060-Ti-16GB'],
    ['4060 Ti 8GB', 'RTX-4060-Ti-8GB'],
    ['NVIDIA H100 NVL', 'H100-NVL'],
    ['NVIDIA GH200 480GB', 'GH200'],
    ['NVIDIA H800', 'H100'],
    ['A800-SXM4-80GB', 'A100-80GB'],
    ['MI250X', 'MI250X-GCD'],
  ])('%s, as drivers and people call it, is %s', (told, name) => {
    expect(findDevice(told)?.name).toBe(name);
  });

  test.each([
    ...['', 'NVIDIA', 'Voodoo2', 'A100-80', 'l', '__proto__', 'constructor', '80GB', 'RTX', 'RTX 6000'],
    // None has as much, and eight are not one.
    ...['A100 24GB', 'H100 94GB', 'RTX 4090 48GB', '8xA100', 'RTX 4090 Laptop GPU'],
  ])('%j is none', (name) => {
    expect(findDevice(name)).toBeNull();
  });

  test('has a name of its own, and every name finds it', () => {
    const names = KNOWN_DEVICES.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(findDevice(name)?.name).toBe(name);
  });

  test('has less memory than its name promises, and all figures that the planner counts with', () => {
    for (const facts of KNOWN_DEVICES) {
      const promised = /-(\d+)GB/.exec(facts.name)?.[1];
      if (promised !== undefined) expect(facts.memory_bytes / GIB).toBeLessThan(Number(promised));
      const { bandwidth, fp16_flops, fp32_flops, efficiency, attention_share, launch_s, link } = facts;
      for (const figure of [bandwidth, fp16_flops, fp32_flops, efficiency, attention_share, launch_s, link])
        expect(figure).toBeGreaterThan(0);
      // Consumer cards run above the clock that their peak is told at.
      expect(efficiency).toBeLessThan(1.1);
    }
  });

  test('without bf16 are those before Ampere alone', () => {
    const without = KNOWN_DEVICES.filter(({ bf16_flops }) => bf16_flops === null).map(({ name }) => name);
    expect(without).toEqual([...['T4', 'V100-32GB', 'V100-32GB-PCIe', 'V100-16GB', 'V100-16GB-PCIe', 'P100', 'RTX-2080-Ti']]);
  });

  test('that is a processor does more with more cores, but not as many times more', () => {
    const [two, eight] = [cpuDevice(2, 8 * GIB), cpuDevice(8, 8 * GIB)];
    expect(eight.fp32_flops).toBeGreaterThan(1.5 * two.fp32_flops);
    expect(eight.fp32_flops).toBeLessThan(4 * two.fp32_flops);
    expect(eight.memory_bytes).toBe(8 * GIB);
  });

  test('that is a processor is known by a name that tells its cores', () => {
    for (const cores of [1, 2, 64]) {
      const found = findDevice(cpuName('AMD EPYC 9965 192-Core Processor', cores));
      expect(found?.fp32_flops).toBe(cpuDevice(cores, 1).fp32_flops);
      expect(found?.name).toBe('CPU');
    }
    expect(findDevice('CPU, 16 cores')?.bandwidth).toBe(cpuDevice(16, 1).bandwidth);
    for (const name of ['AMD EPYC', 'AMD EPYC, 0 cores', 'AMD EPYC, cores']) expect(findDevice(name)).toBeNull();
  });
});
