import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findDevice } from './foresight/devices/known-devices.ts';
import {
  factsOfGpu,
  findGpu,
  GPU_CONFIGURATIONS,
  GPU_DEFAULTS,
  type GpuEntry,
  GpuFigures,
  GpuName,
  gpuKey,
  mergeCatalog,
  takenGpuName,
} from './gpu-catalog.ts';

const entry = (type: string, fields: Partial<GpuEntry> = {}): GpuEntry => ({
  type,
  aliases: [],
  hourly_rate: 1,
  tokens_per_second: 100,
  memory_gb: null,
  like: null,
  ...fields,
});

describe('the catalogue', () => {
  test.each([
    ['A100-80GB', 3.5, 1800],
    ['A100-40GB', 2.8, 1500],
    ['H100', 4.2, 2200],
    ['V100-32GB', 2.1, 1200],
  ] as const)('has %s at the agreed %f $ an hour and %i tokens a second', (type, hourly_rate, tokens_per_second) => {
    expect(GPU_CONFIGURATIONS[type]).toMatchObject({ hourly_rate, tokens_per_second });
  });

  test('has the devices that people own or rent beside them, and what is one’s own is free', () => {
    const types = GPU_DEFAULTS.map((entry) => entry.type);
    expect(types).toEqual(
      expect.arrayContaining([
        ...['L4', 'L40S', 'A10G', 'T4', 'RTX-3090', 'RTX-4090', 'RTX-5090', 'H200', 'B200', 'MI300X', 'CPU', 'Own-GPU'],
      ]),
    );
    for (const type of ['CPU', 'Own-GPU']) expect(findGpu(GPU_DEFAULTS, type)?.hourly_rate).toBe(0);
  });

  test.each([
    ['a100', 'A100-80GB'],
    ['A100', 'A100-80GB'],
    ['a100-40gb', 'A100-40GB'],
    ['v100', 'V100-32GB'],
    ['h100', 'H100'],
    ['rtx 4090', 'RTX-4090'],
    ['RTX_4090', 'RTX-4090'],
    [' cpu ', 'CPU'],
    ['local', 'Own-GPU'],
    ['a10g', 'A10G'],
    ['rtx 5090', 'RTX-5090'],
    ['3090', 'RTX-3090'],
    ['mi300x', 'MI300X'],
  ])('finds %j as %s', (name, type) => {
    expect(findGpu(GPU_DEFAULTS, name)?.type).toBe(type);
  });

  test.each(['', 'a1000', 'A100-80', 'Voodoo2', '__proto__', 'constructor'])('knows no %j', (name) => {
    expect(findGpu(GPU_DEFAULTS, name)).toBeNull();
  });

  test('no name means two devices, and case never counts', () => {
    const names = GPU_DEFAULTS.flatMap((entry) => [entry.type, ...entry.aliases]);
    expect(new Set(names.map(gpuKey)).size).toBe(names.length);
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }), (name, flips) => {
        const written = [...name].map((letter, at) => (flips[at] ? letter.toUpperCase() : letter.toLowerCase())).join('');
        expect(findGpu(GPU_DEFAULTS, written)).toBe(findGpu(GPU_DEFAULTS, name));
      }),
    );
  });
});

describe('what administrators say', () => {
  test('changes figures of ours, whose names stay, and adds others by name', () => {
    const merged = mergeCatalog([
      entry('RTX-6090'),
      entry('B300', { aliases: ['b3'] }),
      entry('a100-80gb', { aliases: ['big'] }),
    ]);
    expect(merged).toHaveLength(GPU_DEFAULTS.length + 2);
    expect(merged[0]).toEqual({ ...entry('A100-80GB', { aliases: ['a100', 'big'] }), origin: 'changed' });
    expect(merged.slice(-2).map(({ type, origin }) => [type, origin])).toEqual([
      ['B300', 'added'],
      ['RTX-6090', 'added'],
    ]);
    expect(findGpu(merged, 'B3')?.type).toBe('B300');
    expect(mergeCatalog([])).toEqual(GPU_DEFAULTS.map((one) => ({ ...one, origin: 'built_in' })));
  });

  test('takes no name of another device, and no name twice', () => {
    expect(takenGpuName(GPU_DEFAULTS, entry('B300', { aliases: ['b3', 'A100'] }))).toBe('A100');
    expect(takenGpuName(GPU_DEFAULTS, entry('4090'))).toBe('4090');
    expect(takenGpuName(GPU_DEFAULTS, entry('B300', { aliases: ['b300'] }))).toBe('b300');
    expect(takenGpuName(GPU_DEFAULTS, entry('B300', { aliases: ['b3'] }))).toBeNull();
    expect(takenGpuName(GPU_DEFAULTS, entry('A100-80GB', { aliases: ['a100', 'big'] }))).toBeNull();
  });

  test('is a name that can stand in an address, dollars to the cent and a whole number of tokens', () => {
    for (const good of ['H100', 'RTX-4090', 'gfx1100.a+b', 'a'.repeat(60)]) expect(GpuName.safeParse(good).success).toBe(true);
    for (const bad of ['', ' H100', 'RTX 4090', 'a/b', '../x', 'a%2f', '-a', 'ü', 'a'.repeat(61), 7])
      expect(GpuName.safeParse(bad).success).toBe(false);
    const figures = { hourly_rate: 1, tokens_per_second: 1, aliases: [], memory_gb: null, like: null };
    for (const hourly_rate of [0, 0.01, 0.07, 999.99, 1000])
      expect(GpuFigures.safeParse({ ...figures, hourly_rate }).success).toBe(true);
    for (const hourly_rate of [-0.01, 0.001, 1.005, 1000.01, '1', Number.NaN, Infinity, null])
      expect(GpuFigures.safeParse({ ...figures, hourly_rate }).success).toBe(false);
    for (const tokens_per_second of [0, 0.5, 10_000_001, -1])
      expect(GpuFigures.safeParse({ ...figures, tokens_per_second }).success).toBe(false);
  });

  test('of what it can do is GB and the name of a device that the planner knows, in the planner’s own words', () => {
    const figures = { hourly_rate: 1, tokens_per_second: 1, aliases: [], memory_gb: null, like: null };
    for (const memory_gb of [0.1, 24, 25.3, 10_000]) expect(GpuFigures.safeParse({ ...figures, memory_gb }).success).toBe(true);
    for (const memory_gb of [0, -1, 0.05, 24.55, 10_001, '24', Number.NaN])
      expect(GpuFigures.safeParse({ ...figures, memory_gb }).success).toBe(false);
    expect(GpuFigures.safeParse({ ...figures, like: 'nvidia a100-sxm4-80gb' }).data?.like).toBe('A100-80GB');
    for (const like of ['', 'Voodoo2', 'Own-GPU', 7]) expect(GpuFigures.safeParse({ ...figures, like }).success).toBe(false);
  });
});

describe('what an entry can do', () => {
  test('is what the planner knows of its name, for all that come along but one’s own GPU', () => {
    const unknown = GPU_DEFAULTS.filter((one) => factsOfGpu(one)?.name !== one.type).map(({ type }) => type);
    expect(unknown).toEqual(['Own-GPU']);
  });

  test('is what that can do which it is told to be like, with its own memory where that is told', () => {
    const like = factsOfGpu(entry('Own-GPU', { like: 'RTX-4090' }));
    expect(like).toEqual(factsOfGpu(entry('RTX-4090')));
    expect(factsOfGpu(entry('Own-GPU', { like: 'RTX-4090', memory_gb: 12 }))).toEqual({ ...like, memory_bytes: 12e9 });
    expect(factsOfGpu(entry('Voodoo2'))).toBeNull();
    expect(factsOfGpu(entry('Voodoo2', { memory_gb: 12 }))).toBeNull();
  });

  test('has the same names in the catalogue and in the planner’s table', () => {
    for (const { type, aliases } of GPU_DEFAULTS.filter((one) => one.type !== 'Own-GPU'))
      for (const name of [type, ...aliases]) expect(findDevice(name)?.name).toBe(type);
  });
});
