import { describe, expect, test } from 'vitest';
import { isTransferOpen, LEGAL_TRANSFER_TRANSITIONS, TRANSFER_STATUSES, transferEta } from './transfer-state.ts';

describe('a transfer', () => {
  test('leaves no status in which nobody waits for it', () => {
    for (const [from] of LEGAL_TRANSFER_TRANSITIONS) expect(isTransferOpen(from)).toBe(true);
    expect(TRANSFER_STATUSES.filter((status) => !isTransferOpen(status))).toEqual(['completed', 'failed', 'cancelled']);
  });

  test('tells when it is done from what is left and its speed, and nothing without them', () => {
    expect(transferEta(200, 1000, 300)).toBe(3);
    expect(transferEta(1000, 1000, 300)).toBe(0);
    expect(transferEta(1100, 1000, 300)).toBe(0);
    expect(transferEta(0, null, 300)).toBeNull();
    expect(transferEta(0, 1000, null)).toBeNull();
    expect(transferEta(0, 1000, 0)).toBeNull();
  });
});
