/** Which devices of a host a training is given, and which are kept for one that needs more than are free. */

import { DEVICES_MAX } from './hyperparameters.ts';

/** What a training asks for: so many devices of one type, on one host. */
export interface DeviceNeed {
  type: string;
  count: number;
}

/** A device that takes work: neither quarantined nor drained. */
export interface HostDevice {
  id: string;
  uuid: string;
  name: string;
  /** The words by which it can be had. */
  types: readonly string[];
  /** A MIG instance: CUDA shows a process one of them alone, so it is for trainings on one device. */
  is_part: boolean;
  /** Somebody else computes on it. */
  occupied: boolean;
  /** A run has it. */
  leased: boolean;
  /** Seconds until that run ends by its own word; null where it has said none, or none has it. */
  end_in_s: number | null;
  /** The job that it is kept for. */
  kept_for: string | null;
}

const suits = (device: Pick<HostDevice, 'types' | 'is_part'>, need: DeviceNeed): boolean =>
  device.types.includes(need.type) && (need.count === 1 || !device.is_part);

/** Those of a host that a training could have, if all were free. */
export const suitable = <T extends Pick<HostDevice, 'types' | 'is_part'>>(devices: readonly T[], need: DeviceNeed): T[] =>
  devices.filter((device) => suits(device, need));

/** All that can be asked of these devices at all, the smallest first. */
export function possibleNeeds(devices: readonly Pick<HostDevice, 'types' | 'is_part'>[]): DeviceNeed[] {
  const types = [...new Set(devices.flatMap((device) => device.types))];
  const needs = types.flatMap((type) => {
    const whole = suitable(devices, { type, count: 2 }).length;
    return Array.from({ length: Math.min(Math.max(1, whole), DEVICES_MAX) }, (_, at) => ({ type, count: at + 1 }));
  });
  return needs.sort((a, b) => a.count - b.count);
}

const byUuid = (a: HostDevice, b: HostDevice): number => (a.uuid < b.uuid ? -1 : 1);

/**
 * As many as are needed of those that are free now and not kept for somebody else, by uuid; null when there are too few: all or none.
 * Devices of one name go before a mixture.
 */
export function pickDevices(devices: readonly HostDevice[], need: DeviceNeed, job_id: string | null): HostDevice[] | null {
  const free = suitable(devices, need)
    .filter(({ occupied, leased, kept_for }) => !occupied && !leased && (kept_for === null || kept_for === job_id))
    .sort((a, b) => (a.name === b.name ? byUuid(a, b) : a.name < b.name ? -1 : 1));
  if (free.length < need.count) return null;
  const alike = [...Map.groupBy(free, ({ name }) => name).values()].find((group) => group.length >= need.count);
  return (alike ?? free).slice(0, need.count).sort(byUuid);
}

/** From so many devices on, a training may have some kept: one device that comes free is enough for any other. */
export const KEPT_FROM_COUNT = 2;

/**
 * The devices to keep for a training that needs more than are free: as many as it needs, those that are free first and then those whose
 * runs end first. Null where the host has too few that could come free. Nothing else is given one of them from then on, so the training
 * starts at the latest when the runs that are on them now have ended, whatever is given the other devices meanwhile.
 */
export function keepDevices(devices: readonly HostDevice[], need: DeviceNeed): HostDevice[] | null {
  const wait = ({ leased, end_in_s }: HostDevice): number => (leased ? Math.max(0, end_in_s ?? Number.POSITIVE_INFINITY) : -1);
  const soonest = suitable(devices, need)
    .filter(({ occupied, kept_for }) => !occupied && kept_for === null)
    .sort((a, b) => (wait(a) === wait(b) ? byUuid(a, b) : wait(a) - wait(b)));
  return soonest.length < need.count ? null : soonest.slice(0, need.count);
}
