/** What a device of this installation does; the first that holds is told. */
export const DEVICE_STATES = ['quarantined', 'leased', 'drained', 'free'] as const;
export type DeviceState = (typeof DEVICE_STATES)[number];

export const DEVICE_KINDS = ['gpu', 'cpu'] as const;

/** A device that a run has, by the name under which its driver knows it. */
export interface RunDevice {
  id: string;
  kind: (typeof DEVICE_KINDS)[number];
  uuid: string;
}
