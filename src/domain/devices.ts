/** What a device of this installation does; the first that holds is told. */
export const DEVICE_STATES = ['quarantined', 'leased', 'occupied', 'drained', 'kept', 'free'] as const;
export type DeviceState = (typeof DEVICE_STATES)[number];

export const DEVICE_KINDS = ['gpu', 'cpu'] as const;

/** A part of a card in MIG mode, given out by itself. */
export interface MigPart {
  /** For example 1g.10gb: slices that compute, and memory. */
  profile: string;
  card_uuid: string;
}

/** A device that a run has, by the name under which its driver knows it. */
export interface RunDevice {
  id: string;
  kind: (typeof DEVICE_KINDS)[number];
  uuid: string;
}

/** Why a device is in quarantine whose run was ended and is there still: it leaves that with its last process. */
export const UNDYING = 'its run does not die: it is given out again when the last process of that is gone';

/** Why a device gets no run, in a sentence; null where nothing but a run of ours keeps it. */
export function deviceReason(device: {
  state: DeviceState;
  quarantine_reason: string | null;
  foreign_processes: number;
}): string | null {
  const { state, quarantine_reason, foreign_processes } = device;
  if (state === 'quarantined') return quarantine_reason;
  if (state === 'drained') return 'an administrator has drained it';
  if (state === 'kept') return 'it is kept for a training that waits for more devices than are free';
  if (state !== 'occupied') return null;
  return foreign_processes === 1
    ? 'a process that is no run of this installation computes on it'
    : `${foreign_processes} processes that are no run of this installation compute on it`;
}
