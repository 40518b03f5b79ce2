import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type MachineOutlook,
  type OutlookDevice,
  type OwnSlots,
  predictStarts,
  WAIT_REASONS,
  WAIT_WORDS,
  type WaitingJob,
  waitReason,
} from './queue.ts';

const job = (more: Partial<WaitingJob> = {}): WaitingJob => ({
  id: 'j',
  need: { type: 'Own-GPU', count: 1 },
  held: false,
  fetching_model: false,
  host_away: false,
  ready_in_s: 0,
  duration_s: 100,
  ...more,
});
const own = (active_max = 2, running_end_in_s: OwnSlots['running_end_in_s'] = []): OwnSlots => ({ active_max, running_end_in_s });
const gpu = (more: Partial<OutlookDevice> = {}): OutlookDevice => ({
  ...{ host: 'h', types: ['Own-GPU'], is_part: false, takes_work: true, occupied: false, leased: false },
  ...{ cannot_start: false, end_in_s: null, kept_for: null },
  ...more,
});
type Outlook = MachineOutlook & { free: number; busy_end_in_s: (number | null)[] };
const machine = ({ free = 1, busy_end_in_s = [], ...more }: Partial<Outlook> = {}): MachineOutlook => ({
  workers: 1,
  disk_full: false,
  devices: [...Array.from({ length: free }, () => gpu()), ...busy_end_in_s.map((end_in_s) => gpu({ leased: true, end_in_s }))],
  others_before: 0,
  held: null,
  ...more,
});
const two = { type: 'Own-GPU', count: 2 };

describe('why a job waits', () => {
  test.each([
    ['held', job({ held: true }), 0, own(), machine()],
    ['fetching_model', job({ fetching_model: true }), 0, own(), machine()],
    ['backing_off', job({ ready_in_s: 3 }), 0, own(), machine()],
    ['draining', job(), 0, own(), machine({ held: { reason: 'draining', in_s: null }, workers: 0 })],
    ['quiet_hours', job(), 0, own(), machine({ held: { reason: 'quiet_hours', in_s: 60 } })],
    ['no_worker', job(), 0, own(), machine({ workers: 0, free: 0 })],
    ['host_away', job({ host_away: true }), 0, own(), machine()],
    ['no_worker', job({ host_away: true }), 0, own(), machine({ workers: 0, free: 0 })],
    ['no_device', job(), 0, own(), machine({ free: 0 })],
    ['disk_full', job(), 0, own(), machine({ disk_full: true })],
    ['active_limit', job(), 0, own(1, [50]), machine()],
    ['active_limit', job(), 3, own(1, [null]), machine()],
    ['behind_own_jobs', job(), 2, own(), machine({ free: 8 })],
    ['behind_own_jobs', job(), 1, own(), machine()],
    ['no_free_device', job(), 0, own(), machine({ free: 0, busy_end_in_s: [9] })],
    ['others_first', job(), 0, own(), machine({ others_before: 1 })],
    ['next', job(), 0, own(), machine()],
    ['next', job(), 1, own(), machine({ free: 3, others_before: 1 })],
    ['no_such_device', job({ need: { type: 'H100', count: 1 } }), 0, own(), machine()],
    ['not_enough_devices', job({ need: two }), 0, own(), machine({ devices: [gpu(), gpu({ host: 'i' })] })],
    ['not_enough_devices', job({ need: two }), 0, own(), machine({ devices: [gpu({ is_part: true }), gpu({ is_part: true })] })],
    ['no_device', job({ need: two }), 0, own(), machine({ devices: [gpu(), gpu({ takes_work: false })] })],
    ['foreign_processes', job(), 0, own(), machine({ devices: [gpu({ occupied: true })] })],
    ['cannot_start', job(), 0, own(), machine({ devices: [gpu({ cannot_start: true, leased: true })] })],
    [
      'cannot_start',
      job({ need: two }),
      0,
      own(),
      machine({ devices: [gpu(), gpu({ host: 'i', cannot_start: true }), gpu({ host: 'i', cannot_start: true })] }),
    ],
    ['no_free_device', job(), 0, own(), machine({ devices: [gpu({ cannot_start: true }), gpu({ host: 'i', leased: true })] })],
    ['gathering_devices', job({ need: two }), 0, own(), machine({ free: 1, busy_end_in_s: [9] })],
    ['kept_for_others', job(), 0, own(), machine({ devices: [gpu({ kept_for: 'others' }), gpu({ leased: true })] })],
    ['next', job({ need: two }), 0, own(), machine({ devices: [gpu({ kept_for: 'j' }), gpu({ kept_for: 'j' })] })],
    ['others_first', job({ need: two }), 0, own(), machine({ free: 3, others_before: 1 })],
  ] as const)('%s', (reason, waiting, ready_before, slots, outlook) => {
    expect(waitReason(waiting, ready_before, slots, outlook)).toBe(reason);
  });

  test('is a sentence for each', () => {
    for (const reason of WAIT_REASONS) expect(WAIT_WORDS[reason]).toMatch(/^[A-Z].*\.$/);
  });
});

describe('when a job starts', () => {
  const inSeconds = (jobs: WaitingJob[], slots: OwnSlots, outlook: MachineOutlook) =>
    predictStarts(jobs, slots, outlook).map((start) => ('in_s' in start ? start.in_s : start.unpredicted));

  test('is when its owner’s place and a device are free, one after the other', () => {
    expect(inSeconds([job(), job(), job()], own(2), machine({ free: 1, busy_end_in_s: [30] }))).toEqual([0, 30, 100]);
    expect(inSeconds([job(), job()], own(1, [40]), machine({ free: 5 }))).toEqual([40, 140]);
    expect(inSeconds([job({ ready_in_s: 7 })], own(), machine())).toEqual([7]);
  });

  test('is not said of one whose host is away, which keeps nobody up', () => {
    expect(inSeconds([job({ host_away: true }), job()], own(1), machine())).toEqual(['nothing_starts', 0]);
  });

  test('of a run that should be over already is at any moment', () => {
    expect(inSeconds([job()], own(1, [-5]), machine({ free: 0, busy_end_in_s: [-5] }))).toEqual([0]);
  });

  test('is after everybody whose turn comes first, and not said where that is all that is known', () => {
    expect(inSeconds([job()], own(), machine({ free: 1, busy_end_in_s: [60], others_before: 1 }))).toEqual([60]);
    expect(inSeconds([job()], own(), machine({ others_before: 1 }))).toEqual(['unknown_end']);
  });

  test('is not said where the end of what is before it is not known', () => {
    expect(inSeconds([job()], own(1, [null]), machine())).toEqual(['unknown_end']);
    expect(inSeconds([job()], own(), machine({ free: 0, busy_end_in_s: [null] }))).toEqual(['unknown_end']);
    expect(inSeconds([job({ duration_s: null }), job()], own(), machine())).toEqual([0, 'unknown_end']);
  });

  test('of several devices is when the first host has them all, and what is kept for it is its own', () => {
    const devices = [
      gpu(),
      gpu({ leased: true, end_in_s: 70 }),
      gpu({ host: 'i', leased: true, end_in_s: 20 }),
      gpu({ host: 'i', leased: true, end_in_s: 40 }),
    ];
    expect(inSeconds([job({ need: two }), job()], own(3), machine({ devices }))).toEqual([40, 0]);
    const kept = devices.map((device) => ({ ...device, kept_for: device.host === 'h' ? 'j' : null }));
    expect(inSeconds([job({ need: two }), job({ id: 'k' })], own(3), machine({ devices: kept }))).toEqual([40, 140]);
    expect(inSeconds([job({ id: 'k', need: two })], own(), machine({ devices: kept.slice(0, 2) }))).toEqual(['unknown_end']);
    expect(inSeconds([job({ need: { type: 'H100', count: 1 } }), job()], own(1), machine())).toEqual(['nothing_starts', 0]);
  });

  test('is not said where nothing starts at all', () => {
    for (const outlook of [machine({ workers: 0 }), machine({ free: 0 }), machine({ disk_full: true })])
      expect(inSeconds([job(), job()], own(), outlook)).toEqual(['nothing_starts', 'nothing_starts']);
  });

  test('never puts more of a person’s jobs, or of a machine’s, at one time than there are places', () => {
    const seconds = fc.integer({ min: 0, max: 500 });
    const end = fc.option(seconds);
    const line = fc.array(fc.record({ ready_in_s: seconds, duration_s: fc.option(fc.integer({ min: 1, max: 500 })) }), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(
        line,
        fc.integer({ min: 1, max: 4 }),
        fc.array(end, { maxLength: 4 }),
        fc.nat(3),
        fc.array(end, { maxLength: 3 }),
        fc.nat(3),
        (jobs, active_max, running, free, busy, others_before) => {
          const running_end_in_s = running.slice(0, active_max);
          const waiting = jobs.map((one) => job(one));
          const starts = predictStarts(
            waiting,
            own(active_max, running_end_in_s),
            machine({ free, busy_end_in_s: busy, others_before }),
          );
          expect(starts).toHaveLength(jobs.length);
          const runs = starts.flatMap((start, at) =>
            'in_s' in start ? [{ from: start.in_s, to: start.in_s + (waiting[at]?.duration_s ?? Infinity) }] : [],
          );
          const others = running_end_in_s.map((to) => ({ from: 0, to: to ?? Infinity }));
          for (const { from } of runs) {
            const atOnce = (all: { from: number; to: number }[]) => all.filter((run) => run.from <= from && from < run.to).length;
            expect(atOnce([...runs, ...others])).toBeLessThanOrEqual(active_max);
            expect(atOnce([...runs, ...busy.map((to) => ({ from: 0, to: to ?? Infinity }))])).toBeLessThanOrEqual(
              free + busy.length,
            );
          }
        },
      ),
    );
  });
});
