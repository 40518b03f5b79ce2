import { expect, test } from 'vitest';
import { deviceTypes } from './device-types.ts';
import { GPU_DEFAULTS } from './gpu-catalog.ts';

const ADDED = [
  { type: 'our-box', aliases: ['Voodoo2'], like: 'RTX-4090' },
  { type: 'slow', aliases: [], like: null },
  { type: 'big-host', aliases: [], like: 'CPU, 64 cores' },
  { type: 'A100-slice', aliases: ['A100-SXM4-40GB-MIG-1g.5gb'], like: null },
];
const typesOf = (kind: 'cpu' | 'gpu', name: string) => deviceTypes({ kind, name }, [...GPU_DEFAULTS, ...ADDED]);

test.each([
  ['gpu', 'NVIDIA A100-SXM4-80GB', ['Own-GPU', 'A100-80GB']],
  ['gpu', 'NVIDIA A100-SXM4-40GB', ['Own-GPU', 'A100-40GB']],
  // A part of a card is no such card, but can be given a name of its own.
  ['gpu', 'NVIDIA A100-SXM4-40GB MIG 1g.5gb', ['Own-GPU', 'A100-slice']],
  ['gpu', 'NVIDIA A100-SXM4-40GB MIG 3g.20gb', ['Own-GPU']],
  ['gpu', 'NVIDIA GeForce RTX 4090', ['Own-GPU', 'RTX-4090', 'our-box']],
  ['gpu', 'NVIDIA Voodoo2', ['Own-GPU', 'our-box']],
  ['gpu', 'NVIDIA Something', ['Own-GPU']],
  ['cpu', 'AMD EPYC, 8 cores', ['CPU', 'big-host']],
] as const)('a %s that calls itself %s is given to whoever asks for %j', (kind, name, types) => {
  expect(typesOf(kind, name)).toEqual(types);
});

test('each type of the catalogue names itself, and no other', () => {
  for (const { type } of GPU_DEFAULTS.filter((one) => one.type !== 'Own-GPU' && one.type !== 'CPU'))
    expect(deviceTypes({ kind: 'gpu', name: type }, GPU_DEFAULTS)).toEqual(['Own-GPU', type]);
});
