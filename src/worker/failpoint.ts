/** Named points between two steps at which a fault test ends, delays or fails the worker. Without LOWRANK_FAILPOINTS each costs a look-up. */
import { setTimeout as pause } from 'node:timers/promises';
import { env } from '#/env.ts';

/** Every point, in the order of a run's life; a test asserts that each is exercised. */
export const FAILPOINTS = [
  'after_claim_commit',
  'after_run_directory',
  'after_launch',
  'after_started_commit',
  'before_events_commit',
  'after_events_commit',
  'after_exit_seen',
  'before_settle',
  'after_settle_commit',
  'after_verify',
  'after_publish',
  'after_complete_commit',
  'after_prune',
] as const;
export type Failpoint = (typeof FAILPOINTS)[number];

/** The points of the wrapper that owns a run, which knows `kill` alone and dies in the first attempt of a job only. */
export const WRAPPER_FAILPOINTS = [
  'wrapper_before_started',
  'wrapper_after_started',
  'wrapper_before_exit',
  'wrapper_after_exit',
] as const;

/** What the environment says of the wrapper's points, for its own environment; '' where it says nothing. */
export const wrapperFailpoints = env.LOWRANK_FAILPOINTS.filter((item) => item.startsWith('wrapper_')).join(',');

const armed = new Map(
  env.LOWRANK_FAILPOINTS.map((item) => {
    const [name = '', action = ''] = item.split(':');
    return [name, action] as const;
  }),
);

/** Does what LOWRANK_FAILPOINTS says of this point: `kill`, `sleep=MS`, or `throw`, which throws once. */
export async function failpoint(name: Failpoint): Promise<void> {
  const action = armed.get(name);
  if (action === undefined) return;
  if (action === 'kill') process.kill(process.pid, 'SIGKILL');
  if (action === 'throw') {
    armed.delete(name);
    throw new Error(`failpoint ${name}`);
  }
  const [, ms] = /^sleep=(\d+)$/.exec(action) ?? [];
  if (ms === undefined) throw new Error(`LOWRANK_FAILPOINTS: ${name}:${action} is no action`);
  await pause(Number(ms));
}
