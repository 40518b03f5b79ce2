import { describe, expect, test } from 'vitest';
import { PROMISE_TIMES, scaledPromiseTimes } from './constants.ts';
import {
  excessesOf,
  grantedLimits,
  RUN_LIMIT_RANGES,
  type RunLimitName,
  RunLimits,
  runtimeLimitMs,
  skippedLimits,
} from './run-limits.ts';

const NAMES = Object.keys(RUN_LIMIT_RANGES) as RunLimitName[];

describe('limits of a run', () => {
  test.each(NAMES)('%s is taken at both ends of its range, and refused beyond them in one sentence', (name) => {
    const { min, max } = RUN_LIMIT_RANGES[name];
    for (const value of [min, max]) expect(RunLimits.parse({ [name]: value })).toEqual({ [name]: value });
    for (const value of [min / 2, 0, -1, max + 1, '1', null, Number.NaN, Infinity, true]) {
      const issues = RunLimits.safeParse({ [name]: value }).error?.issues.map(({ path, message }) => [path, message]);
      expect([value, issues]).toEqual([value, [[[name], expect.stringContaining(`${name} must be a`)]]]);
    }
  });

  test('are whole processors, and nothing that nobody knows', () => {
    expect(RunLimits.safeParse({ cpus: 1.5 }).success).toBe(false);
    expect(RunLimits.safeParse({ gpus: 1 }).success).toBe(false);
    expect(RunLimits.parse({})).toEqual({});
  });

  test('that are not kept are named, and no others', () => {
    const all = Object.fromEntries(NAMES.map((name) => [name, RUN_LIMIT_RANGES[name].max]));
    expect(skippedLimits(all, 'process').map(({ kind, name }) => [kind, name])).toEqual([['limit', 'shm_gb']]);
    expect(skippedLimits({ cpus: 1, memory_gb: 1, disk_gb: 1, runtime_hours: 1 }, 'process')).toEqual([]);
    expect(skippedLimits(all, 'docker')).toEqual([]);
  });

  test('are what was asked, else the default, else the maximum, and never more than that', () => {
    const installation = { default_limits: { cpus: 2, memory_gb: 24 }, limits_max: { cpus: 4, disk_gb: 100, memory_gb: 16 } };
    expect(grantedLimits({}, installation)).toEqual({ cpus: 2, memory_gb: 16, disk_gb: 100 });
    expect(grantedLimits({ cpus: 3, disk_gb: 1, shm_gb: 2 }, installation)).toEqual({
      cpus: 3,
      memory_gb: 16,
      disk_gb: 1,
      shm_gb: 2,
    });
    expect(grantedLimits({ cpus: 5 }, { ...installation, default_limits: {} }).cpus).toBe(4);
    expect(grantedLimits({ shm_gb: 2 }, { default_limits: {}, limits_max: {} })).toEqual({ shm_gb: 2 });
    expect(excessesOf({ cpus: 5, memory_gb: 16, shm_gb: 9 }, installation.limits_max)).toEqual([
      { name: 'cpus', value: 5, max: 4 },
    ]);
  });

  test('of time are in the times that hold, and never above everybody’s', () => {
    expect(runtimeLimitMs({}, PROMISE_TIMES)).toBe(PROMISE_TIMES.runtime_limit_ms);
    expect(runtimeLimitMs({ runtime_hours: 2 }, PROMISE_TIMES)).toBe(2 * 3_600_000);
    expect(runtimeLimitMs({ runtime_hours: 2 }, scaledPromiseTimes(10))).toBe(720_000);
  });
});
