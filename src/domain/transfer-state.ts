/** What comes from the Hub or goes there, how far it is, and the legal moves between: the database, the API and the pages derive from these lists. */

/** Models and datasets come from the Hub, artifacts go there. */
export const TRANSFER_KINDS = ['model', 'dataset', 'artifact'] as const;
export type TransferKind = (typeof TRANSFER_KINDS)[number];
export type ImportKind = Exclude<TransferKind, 'artifact'>;

export const TRANSFER_DIRECTIONS = ['import', 'export'] as const;

export const TRANSFER_STATUSES = ['pending', 'running', 'completed', 'failed', 'cancelled'] as const;
export type TransferStatus = (typeof TRANSFER_STATUSES)[number];

/** Statuses in which a transfer is waited for. */
export const OPEN_TRANSFER_STATUSES = ['pending', 'running'] as const satisfies readonly TransferStatus[];

/** Every legal pair; the database refuses all others. What is there already completes without running. */
export const LEGAL_TRANSFER_TRANSITIONS: readonly (readonly [from: TransferStatus, to: TransferStatus])[] = [
  ['pending', 'running'],
  ['pending', 'completed'],
  ['pending', 'failed'],
  ['pending', 'cancelled'],
  ['running', 'completed'],
  ['running', 'failed'],
  ['running', 'cancelled'],
];

export function isTransferOpen(status: TransferStatus): boolean {
  return (OPEN_TRANSFER_STATUSES as readonly TransferStatus[]).includes(status);
}

/**
 * Seconds until a transfer is done at the speed that it has; null while that is not known.
 * Bytes that are left ÷ bytes a second, rounded up.
 */
export function transferEta(bytes_done: number, bytes_total: number | null, bytes_per_second: number | null): number | null {
  if (bytes_total === null || bytes_per_second === null || bytes_per_second < 1) return null;
  return Math.ceil(Math.max(0, bytes_total - bytes_done) / bytes_per_second);
}
