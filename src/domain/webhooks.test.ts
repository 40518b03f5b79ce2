import { describe, expect, test } from 'vitest';
import { NOTIFICATION_TYPES } from './notifications.ts';
import { DELIVERY_TRIES_MAX, readRetryAfter, retryDelay, WEBHOOK_EVENTS } from './webhooks.ts';

test('every notification is an event of its own', () => {
  expect(new Set(WEBHOOK_EVENTS).size).toBe(NOTIFICATION_TYPES.length);
  expect(WEBHOOK_EVENTS).toContain('job.completed');
  expect(WEBHOOK_EVENTS.every((event) => /^[a-z]+\.[a-z]+$/.test(event))).toBe(true);
});

describe('a delivery that fails', () => {
  test('is tried ten times over three days', () => {
    expect(DELIVERY_TRIES_MAX).toBe(10);
    const pauses = Array.from({ length: DELIVERY_TRIES_MAX - 1 }, (_, at) => retryDelay(at + 1, 0.5, null) ?? 0);
    const days = pauses.reduce((sum, pause) => sum + pause, 0) / 86_400;
    expect(days).toBeGreaterThan(3);
    expect(days).toBeLessThan(3.5);
    expect(pauses).toEqual([...pauses].sort((a, b) => a - b));
    expect(retryDelay(DELIVERY_TRIES_MAX, 0.5, 60)).toBeNull();
  });

  test('waits a fifth more or less, never the same for all', () => {
    expect([retryDelay(2, 0, null), retryDelay(2, 0.5, null), retryDelay(2, 1, null)]).toEqual([240, 300, 360]);
  });

  test('waits at least as long as its receiver asks', () => {
    expect(retryDelay(1, 0.5, 120)).toBe(120);
    expect(retryDelay(3, 0.5, 120)).toBe(1800);
  });
});

test.each([
  [undefined, null],
  ['', null],
  ['soon', null],
  ['-5', 0],
  ['0', 0],
  ['120', 120],
  ['999999999', 86_400],
  ['Sat, 31 Jan 2026 12:01:00 GMT', 60],
  ['Sat, 31 Jan 2026 11:00:00 GMT', 0],
  ['Sun, 31 Jan 2027 12:00:00 GMT', 86_400],
])('Retry-After %j is %s seconds', (header, seconds) => {
  expect(readRetryAfter(header, new Date('2026-01-31T12:00:00Z'))).toBe(seconds);
});
