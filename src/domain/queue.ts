/** Why a job still waits, and when it may start. */

/** In the order in which they are looked for: the first that holds is the one that is told. */
export const WAIT_REASONS = [
  'held',
  'fetching_model',
  'backing_off',
  'draining',
  'quiet_hours',
  'no_worker',
  'host_away',
  'no_device',
  'disk_full',
  'active_limit',
  'behind_own_jobs',
  'no_free_device',
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
  no_device: 'No device of this installation takes work right now.',
  disk_full: 'The disk of this installation is nearly full: nothing starts until there is space.',
  active_limit: 'As many of your jobs as may run at once are running: it starts when one of them ends.',
  behind_own_jobs: 'Others of your jobs are before it.',
  no_free_device: 'Every device is taken: it starts when one becomes free.',
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

/** What the installation has for whoever waits, without saying whose it is. */
export interface MachineOutlook {
  /** Workers that answer. */
  workers: number;
  /** Said when none of them has disk enough to start anything. */
  disk_full: boolean;
  /** Devices that could take a run now. */
  free: number;
  /** Of those that are taken, seconds until each is free again. */
  busy_end_in_s: (number | null)[];
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
  if (machine.free + machine.busy_end_in_s.length === 0) return 'no_device';
  if (machine.disk_full) return 'disk_full';
  if (slots <= 0) return 'active_limit';
  if (ready_before >= slots) return 'behind_own_jobs';
  if (machine.free === 0) return 'no_free_device';
  if (machine.others_before >= machine.free) return 'others_first';
  return ready_before + machine.others_before < machine.free ? 'next' : 'behind_own_jobs';
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
  const starts =
    machine.workers > 0 && !machine.disk_full && machine.free + machine.busy_end_in_s.length > 0 && opens_in_s !== null;
  if (!starts) return in_line.map(() => ({ unpredicted: 'nothing_starts' }));
  const slots = ends(own.active_max - own.running_end_in_s.length, own.running_end_in_s);
  const devices = ends(machine.free, machine.busy_end_in_s).slice(machine.others_before);
  return in_line.map((job) => {
    if (job.host_away) return { unpredicted: 'nothing_starts' };
    const slot = slots.shift();
    const device = devices.shift();
    if (slot === undefined || device === undefined) return { unpredicted: 'unknown_end' };
    const in_s = Math.max(slot, device, job.ready_in_s, opens_in_s);
    if (job.duration_s !== null) {
      insert(slots, in_s + job.duration_s);
      insert(devices, in_s + job.duration_s);
    }
    return { in_s };
  });
}

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
