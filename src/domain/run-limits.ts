/** What a run may take of its host, as a submission says it. */
import * as z from 'zod';
import { PROMISE_TIMES, type PromiseTimes } from './constants.ts';
import type { ExecutorName } from './executors.ts';
import { toldRule } from './told-rule.ts';
import { lacking } from './trainer-abilities.ts';

const HOUR_MS = 3_600_000;

/** The widest ranges. GB are 10⁹ bytes; nobody may ask for more time than every run has. */
export const RUN_LIMIT_RANGES = {
  cpus: { min: 1, max: 512 },
  memory_gb: { min: 0.1, max: 16_384 },
  shm_gb: { min: 0.01, max: 4_096 },
  disk_gb: { min: 0.1, max: 65_536 },
  runtime_hours: { min: 0.01, max: PROMISE_TIMES.runtime_limit_ms / HOUR_MS },
} as const;
export type RunLimitName = keyof typeof RUN_LIMIT_RANGES;

const limit = (name: RunLimitName, description: string) => {
  const { min, max } = RUN_LIMIT_RANGES[name];
  const rule = toldRule(`${name} must be ${name === 'cpus' ? 'a whole number' : 'a number'} between ${min} and ${max}`);
  const number = name === 'cpus' ? z.int(rule) : z.number(rule);
  return number.min(min, rule).max(max, rule).optional().describe(description);
};

/** Each alone; one that is absent is not limited beyond what holds for every run. */
export const RunLimits = z.strictObject({
  cpus: limit('cpus', 'Processors that it computes on'),
  memory_gb: limit('memory_gb', 'Memory of the host, of all its processes'),
  shm_gb: limit('shm_gb', 'Shared memory of its processes'),
  disk_gb: limit('disk_gb', 'What lies in its folder on disk'),
  runtime_hours: limit('runtime_hours', 'Of one attempt, from its start'),
});
export type RunLimits = z.infer<typeof RunLimits>;

const LIMIT_NAMES = Object.keys(RUN_LIMIT_RANGES) as RunLimitName[];

/** What an installation holds a run to that says nothing, and the most that one may ask for; each limit alone, and absent: none. */
interface InstallationLimits {
  default_limits: RunLimits;
  limits_max: RunLimits;
}

/** One limit that is above the installation's maximum. */
interface Excess {
  name: RunLimitName;
  value: number;
  max: number;
}

/** Those of these limits that are above a maximum. */
export function excessesOf(limits: RunLimits, limits_max: RunLimits): Excess[] {
  return LIMIT_NAMES.flatMap((name) => {
    const [value, max] = [limits[name], limits_max[name]];
    return value !== undefined && max !== undefined && value > max ? [{ name, value, max }] : [];
  });
}

/**
 * What a run is held to, limit by limit: what it asked for, else the installation's default, else its maximum, and never more than that:
 * who asks for nothing is given no more than who asks.
 */
export function grantedLimits(asked: RunLimits, { default_limits, limits_max }: InstallationLimits): RunLimits {
  const granted = LIMIT_NAMES.flatMap((name) => {
    const wish = asked[name] ?? default_limits[name];
    const most = limits_max[name];
    const given = wish === undefined ? most : Math.min(wish, most ?? wish);
    return given === undefined ? [] : [[name, given]];
  });
  return Object.fromEntries(granted);
}

/** Those that each executor keeps; what it does not is told, never silently left out. */
const KEPT: Record<ExecutorName, readonly RunLimitName[]> = {
  process: ['cpus', 'memory_gb', 'disk_gb', 'runtime_hours'],
  docker: ['cpus', 'memory_gb', 'shm_gb', 'disk_gb', 'runtime_hours'],
};

/** What of these limits is not kept where runs live so, in words. */
export function skippedLimits(limits: RunLimits, executor: ExecutorName): { kind: 'limit'; name: string; message: string }[] {
  const asked = LIMIT_NAMES.filter((name) => limits[name] !== undefined);
  const where = executor === 'docker' ? 'in containers' : 'processes of their host';
  return lacking(asked, KEPT[executor]).map((name) => ({
    kind: 'limit',
    name,
    message: `The limit ${name} is skipped: runs are ${where} here, which are held to ${KEPT[executor].join(', ')}.`,
  }));
}

/** How long one attempt may run, in milliseconds of the given times. */
export function runtimeLimitMs(limits: RunLimits, times: PromiseTimes): number {
  const { max } = RUN_LIMIT_RANGES.runtime_hours;
  return times.runtime_limit_ms * ((limits.runtime_hours ?? max) / max);
}
