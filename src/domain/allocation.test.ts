import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DeviceNeed, type HostDevice, keepDevices, pickDevices, possibleNeeds } from './allocation.ts';

const device = (uuid: string, more: Partial<HostDevice> = {}): HostDevice => ({
  ...{ id: uuid, uuid, name: 'Test', types: ['Own-GPU'], is_part: false, occupied: false, leased: false },
  ...{ end_in_s: null, kept_for: null },
  ...more,
});
const uuids = (devices: HostDevice[] | null) => devices?.map(({ uuid }) => uuid) ?? null;
const own = (count: number): DeviceNeed => ({ type: 'Own-GPU', count });

describe('what a training is given', () => {
  test('is as many as it needs or none, by uuid, and nothing that is taken, occupied or kept for another', () => {
    const devices = [device('d'), device('b', { leased: true }), device('c', { occupied: true }), device('a')];
    expect(uuids(pickDevices(devices, own(2), null))).toEqual(['a', 'd']);
    expect(pickDevices(devices, own(3), null)).toBeNull();
    const kept = [device('a', { kept_for: 'j' }), device('b')];
    expect([uuids(pickDevices(kept, own(2), 'j')), pickDevices(kept, own(2), 'k')]).toEqual([['a', 'b'], null]);
    expect(uuids(pickDevices(kept, own(1), null))).toEqual(['b']);
  });

  test('is of the type that it named, and of one name where that is enough', () => {
    const l4 = { name: 'NVIDIA L4', types: ['Own-GPU', 'L4'] };
    const h100 = { name: 'NVIDIA H100', types: ['Own-GPU', 'H100'] };
    const devices = [device('1', h100), device('2', l4), device('3', l4)];
    expect(uuids(pickDevices(devices, { type: 'L4', count: 2 }, null))).toEqual(['2', '3']);
    expect(pickDevices(devices, { type: 'H100', count: 2 }, null)).toBeNull();
    expect(uuids(pickDevices(devices, own(2), null))).toEqual(['2', '3']);
    expect(uuids(pickDevices(devices, own(3), null))).toEqual(['1', '2', '3']);
  });

  test('is never several parts of cards: a process sees one of them', () => {
    const devices = [device('1', { is_part: true }), device('2', { is_part: true }), device('3')];
    expect([uuids(pickDevices(devices, own(1), null)), pickDevices(devices, own(2), null)]).toEqual([['1'], null]);
    expect(possibleNeeds(devices)).toEqual([own(1)]);
    expect(possibleNeeds([device('1'), device('2', { types: ['Own-GPU', 'L4'] })])).toEqual([
      own(1),
      { type: 'L4', count: 1 },
      own(2),
    ]);
  });
});

describe('what is kept for a training', () => {
  test('is what is free, and then what comes free first; nothing that somebody else holds or is kept for', () => {
    const devices = [
      device('late', { leased: true, end_in_s: 900 }),
      device('unknown', { leased: true }),
      device('soon', { leased: true, end_in_s: -3 }),
      device('free'),
      device('occupied', { occupied: true }),
      device('kept', { kept_for: 'k' }),
    ];
    expect(uuids(keepDevices(devices, own(3)))).toEqual(['free', 'soon', 'late']);
    expect(keepDevices(devices, own(5))).toBeNull();
  });

  test('lets it start when the runs that were there have ended, whatever else is submitted, and idles no other device', () => {
    // A host in whole seconds: runs end, small trainings come without end and take whatever they may have.
    const scene = fc.record({
      ends: fc.array(fc.nat(30), { minLength: 2, maxLength: 8 }),
      count: fc.integer({ min: 2, max: 8 }),
      lengths: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 9 }),
    });
    fc.assert(
      fc.property(scene, ({ ends, count, lengths }) => {
        fc.pre(count <= ends.length);
        const left = new Map(ends.map((end, at) => [`${at}`, end]));
        const devices = [...left].map(([uuid, end]) => device(uuid, { leased: end > 0, end_in_s: end }));
        const need = own(count);
        const kept = keepDevices(devices, need) ?? [];
        expect(kept).toHaveLength(count);
        for (const one of kept) one.kept_for = 'large';
        const latest = Math.max(...kept.map(({ uuid }) => left.get(uuid) ?? 0));
        let small = 0;
        let started: number | null = null;
        for (let second = 0; second <= 100 && started === null; second++) {
          for (const one of devices) one.leased = (left.get(one.uuid) ?? 0) > second;
          if (pickDevices(devices, need, 'large') !== null) started = second;
          for (let one = pickDevices(devices, own(1), null); one !== null; one = pickDevices(devices, own(1), null)) {
            const [{ uuid } = { uuid: '' }] = one;
            left.set(uuid, second + (lengths[small++ % lengths.length] ?? 1));
            for (const given of one) given.leased = true;
          }
          // What is not kept is never left idle for it.
          expect(devices.filter(({ leased, kept_for }) => !leased && kept_for === null)).toEqual([]);
        }
        expect(started).not.toBeNull();
        expect(started).toBeLessThanOrEqual(latest);
      }),
    );
  });
});
