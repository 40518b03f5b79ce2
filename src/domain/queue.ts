/** Why a job still waits, and when it may start. */
import { type DeviceNeed, type HostDevice, suitable } from './allocation.ts';

/** In the order in which they are looked for: the first that holds is the one that is told. */
export const WAIT_REASONS = [
  'held',
  'fetching_model',
  'backing_off',
  'draining',
  'quiet_hours',
  'no_worker',
  'host_away',
  'no_such_device',
  'not_enough_devices',
  'no_device',
  'foreign_processes',
  'cannot_start',
  'disk_full',
  'active_limit',
  'behind_own_jobs',
  'no_free_device',
  'gathering_devices',
  'kept_for_others',
  'others_first',
  'next',
] as const;
export type WaitReason = (typeof WAIT_REASONS)[number];

/** Each reason as whoever waits is told. */
export const WAIT_WORDS: Record<WaitReason, string> = {
  held: 'It is held: it starts when you start it.',
  fetching_model: 'Its base model is being fetched: it takes its place in the queue when the model is there.',
  backing_off: 'Its last attempt ended by a fault of ours: it is tried again after a pause.',
  draining: 'An administrator lets this installation run empty: nothing new starts until they say so.',
  quiet_hours: 'These are the quiet hours of this installation: nothing new starts until they are over.',
  no_worker: 'No worker of this installation answers right now.',
  host_away: 'It was paused on a host whose worker does not answer, and its checkpoint lies there: it goes on when that is back.',
  no_such_device:
    'No device of this installation is of the type that it asked for: it waits until there is one. Clone it for another type.',
  not_enough_devices:
    'No host of this installation has as many devices of its type as it asked for: it waits until one has. Clone it for fewer.',
  no_device: 'No device of this installation takes work right now.',
  foreign_processes: 'Programs that are no trainings of this installation compute on the devices that it could have.',
  cannot_start:
    'What starts trainings here, a container engine, is away or lacks something: `lowrank doctor` on the host of the worker says what, and nothing starts until then.',
  disk_full: 'The disk of this installation is nearly full: nothing starts until there is space.',
  active_limit: 'As many of your jobs as may run at once are running: it starts when one of them ends.',
  behind_own_jobs: 'Others of your jobs are before it.',
  no_free_device: 'Every device is taken: it starts when one becomes free.',
  gathering_devices:
    'Fewer devices are free at once than it asked for: after some minutes, those that come free are kept for it until it has all.',
  kept_for_others: 'The devices that are free are kept for a training that waits for several at once, and has waited longer.',
  others_first: 'Others have waited longer for the devices that are free.',
  next: 'It starts at any moment.',
};

/** Why nothing can be said about a start. */
export const UNPREDICTED_REASONS = ['not_in_line', 'nothing_starts', 'unknown_end', 'too_far'] as const;
export type UnpredictedReason = (typeof UNPREDICTED_REASONS)[number];

/** Beyond this place in one's own line nothing is predicted: too much happens before. */
export const PREDICTED_PLACES_MAX = 100;

/** What of one waiting job decides about its start. */
export interface WaitingJob {
  id: string;
  need: DeviceNeed;
  held: boolean;
  fetching_model: boolean;
  /** The worker does not answer that alone can let it go on. */
  host_away: boolean;
  /** Seconds from now until it may be tried again; 0 where nothing keeps it back. */
  ready_in_s: number;
  /** What it will take by our estimate; null where that is not known. */
  duration_s: number | null;
}

/** One's own place at the machine. Times are seconds from now; null where the end of a run is not known. */
export interface OwnSlots {
  active_max: number;
  running_end_in_s: (number | null)[];
}

/** Why an administrator has nothing started. */
export const HELD_REASONS = ['draining', 'quiet_hours'] as const satisfies WaitReason[];

/** A device of the installation, without whose run it has. */
export interface OutlookDevice extends Pick<HostDevice, 'types' | 'is_part' | 'occupied' | 'leased' | 'end_in_s'> {
  host: string;
  /** Neither drained nor quarantined, and its worker answers. */
  takes_work: boolean;
  /** Its worker answers, and cannot start runs by what it starts them with. */
  cannot_start: boolean;
  /** An own job that it is kept for, or somebody else's. */
  kept_for: string | 'others' | null;
}

/** What the installation has for whoever waits, without saying whose it is. */
export interface MachineOutlook {
  /** Workers that answer. */
  workers: number;
  /** Said when none of them has disk enough to start anything. */
  disk_full: boolean;
  devices: OutlookDevice[];
  /** Other people whose turn comes before ours. */
  others_before: number;
  /** Why nothing is started right now, and for how many seconds yet; null where nobody can say. */
  held: { reason: (typeof HELD_REASONS)[number]; in_s: number | null } | null;
}

/** Why a job waits that has `ready_before` of its owner's jobs before it. */
export function waitReason(job: WaitingJob, ready_before: number, own: OwnSlots, machine: MachineOutlook): WaitReason {
  const slots = own.active_max - own.running_end_in_s.length;
  if (job.held) return 'held';
  if (job.fetching_model) return 'fetching_model';
  if (job.ready_in_s > 0) return 'backing_off';
  if (machine.held !== null) return machine.held.reason;
  if (machine.workers === 0) return 'no_worker';
  if (job.host_away) return 'host_away';
  const lacking = lacksDevices(job.need, machine.devices);
  if (lacking !== null) return lacking;
  if (lacksDevices(job.need, machine.devices.filter(canStart)) !== null) return 'cannot_start';
  if (machine.disk_full) return 'disk_full';
  if (slots <= 0) return 'active_limit';
  if (ready_before >= slots) return 'behind_own_jobs';
  const taking = suitable(machine.devices, job.need).filter(takesRuns).filter(canStart);
  const all_free = taking.filter(({ leased }) => !leased);
  const free = all_free.filter(({ kept_for }) => kept_for === null || kept_for === job.id);
  const places = hosts(free).reduce((sum, one) => sum + Math.floor(one.length / job.need.count), 0);
  if (places === 0) {
    if (hosts(all_free).some((one) => one.length >= job.need.count)) return 'kept_for_others';
    return all_free.length === 0 ? 'no_free_device' : job.need.count > 1 ? 'gathering_devices' : 'kept_for_others';
  }
  if (machine.others_before >= places) return 'others_first';
  return ready_before + machine.others_before < places ? 'next' : 'behind_own_jobs';
}

const canStart = ({ cannot_start }: OutlookDevice): boolean => !cannot_start;
const takesRuns = ({ takes_work, occupied }: OutlookDevice): boolean => takes_work && !occupied;
const hosts = (devices: OutlookDevice[]): OutlookDevice[][] => [...Map.groupBy(devices, ({ host }) => host).values()];

/** Why no host could have the job even if nothing else ran. */
function lacksDevices(need: DeviceNeed, devices: OutlookDevice[]): WaitReason | null {
  const enough = (some: OutlookDevice[]) => hosts(some).some((one) => one.length >= need.count);
  if (devices.length === 0) return 'no_device';
  const of_type = devices.filter(({ types }) => types.includes(need.type));
  if (of_type.length === 0) return 'no_such_device';
  const able = suitable(of_type, need);
  if (!enough(able)) return 'not_enough_devices';
  if (!enough(able.filter(({ takes_work }) => takes_work))) return 'no_device';
  return enough(able.filter(takesRuns)) ? null : 'foreign_processes';
}

/** Seconds from now until a job starts, or why that cannot be said. */
export type PredictedStart = { in_s: number } | { unpredicted: UnpredictedReason };

/**
 * When each of one's own jobs in line starts at the earliest, in their order: each takes the place and the device that are free first,
 * for as long as it is estimated. A device goes to each of the others who come first, and nobody knows for how long; a run
 * whose end is not known gives nothing back. What others submit later is not in it.
 */
export function predictStarts(in_line: WaitingJob[], own: OwnSlots, machine: MachineOutlook): PredictedStart[] {
  const opens_in_s = machine.held === null ? 0 : machine.held.in_s;
  const startable = machine.devices.filter(canStart);
  const devices = startable
    .filter(takesRuns)
    .map((device) => ({ ...device, free_in_s: device.leased ? device.end_in_s && Math.max(0, device.end_in_s) : 0 }));
  const starts = machine.workers > 0 && !machine.disk_full && devices.length > 0 && opens_in_s !== null;
  if (!starts) return in_line.map(() => ({ unpredicted: 'nothing_starts' }));
  const slots = ends(own.active_max - own.running_end_in_s.length, own.running_end_in_s);
  for (const taken of devices
    .filter(({ kept_for, free_in_s }) => free_in_s !== null && (kept_for === null || kept_for === 'others'))
    .sort(soonestFirst)
    .slice(0, machine.others_before))
    taken.free_in_s = null;
  return in_line.map((job) => {
    if (job.host_away || lacksDevices(job.need, startable) !== null) return { unpredicted: 'nothing_starts' };
    const able = suitable(devices, job.need).filter(
      ({ kept_for, free_in_s }) => free_in_s !== null && (kept_for === null || kept_for === job.id),
    );
    // The host that has enough of them first.
    const [given] = [...Map.groupBy(able, ({ host }) => host).values()]
      .flatMap((one) => (one.length < job.need.count ? [] : [one.sort(soonestFirst).slice(0, job.need.count)]))
      .sort((a, b) => (a.at(-1)?.free_in_s ?? 0) - (b.at(-1)?.free_in_s ?? 0));
    const [slot] = slots;
    if (slot === undefined || given === undefined) return { unpredicted: 'unknown_end' };
    slots.shift();
    const in_s = Math.max(slot, given.at(-1)?.free_in_s ?? 0, job.ready_in_s, opens_in_s);
    const free_in_s = job.duration_s === null ? null : in_s + job.duration_s;
    if (free_in_s !== null) insert(slots, free_in_s);
    for (const device of given) device.free_in_s = free_in_s;
    return { in_s };
  });
}

const soonestFirst = (a: { free_in_s: number | null }, b: { free_in_s: number | null }): number =>
  (a.free_in_s ?? 0) - (b.free_in_s ?? 0);

const MINUTE_MS = 60_000;

/** The whole minute that comes next: to the millisecond, a start would tell when other people's runs end. */
export function upToMinute(instant: Date): Date {
  return new Date(Math.ceil(instant.getTime() / MINUTE_MS) * MINUTE_MS);
}

/** When places come free: `free` of them at once, the others at the ends that are known. A run that is late ends at any moment. */
function ends(free: number, known: (number | null)[]): number[] {
  const later = known.flatMap((end) => (end === null ? [] : [Math.max(0, end)]));
  return [...Array.from({ length: Math.max(0, free) }, () => 0), ...later.sort((a, b) => a - b)];
}

function insert(sorted: number[], end: number): void {
  const at = sorted.findIndex((one) => one > end);
  sorted.splice(at < 0 ? sorted.length : at, 0, end);
}
