import { describe, expect, test } from 'vitest';
import { isOurFault, type JobHappening, nextStatus } from './job-state.ts';
import { JOB_STATUSES, LEGAL_JOB_TRANSITIONS, TERMINAL_JOB_STATUSES } from './statuses.ts';

const HAPPENINGS: JobHappening['type'][] = [
  'claimed',
  'started',
  'not_started',
  'completed',
  'failed',
  'cancelled',
  'paused',
  'lost',
];

describe('the job state machine', () => {
  test('every happening leads along a legal pair or nowhere, and every legal pair is reached by one', () => {
    const reached = new Set<string>();
    for (const from of JOB_STATUSES) {
      for (const happening of HAPPENINGS) {
        const to = nextStatus(from, happening);
        if (to !== null) reached.add(`${from} ${to}`);
      }
    }
    expect([...reached].sort()).toEqual(LEGAL_JOB_TRANSITIONS.map(([from, to]) => `${from} ${to}`).sort());
  });

  test('nothing leaves a terminal state', () => {
    for (const status of TERMINAL_JOB_STATUSES)
      for (const happening of HAPPENINGS) expect(nextStatus(status, happening)).toBeNull();
  });

  test("the trainer's own faults are never restarted by the system", () => {
    for (const code of ['data', 'out_of_memory', 'nan_loss', 'bad_config', 'internal', 'hang', 'runtime_limit'] as const)
      expect(isOurFault(code)).toBe(false);
    for (const code of ['gpu_lost', 'contact_lost'] as const) expect(isOurFault(code)).toBe(true);
  });
});
