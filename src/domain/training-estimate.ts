import { GB } from './bytes.ts';
import { BYTES_PER_TOKEN } from './foresight/time/row-lengths.ts';
import { DURATION_CONSTANTS, type RunDuration } from './foresight/time/run-duration.ts';
import { toCents } from './money.ts';
import type { TrainingPlan } from './planner.ts';

/** What an estimate stands on besides plan, data and device; every answer tells them. */
export const ESTIMATE_CONSTANTS = {
  /** loading model and data, before the first step */
  initialisation_s: 120,
  /** the held-out rows, once a pass */
  validation_s_per_epoch: 30,
  /** the adapter, once */
  saving_s: 60,
  /** US dollars for a GB of dataset and artifact, once a training */
  storage_usd_per_gb: 0.1,
  /** An adapter on every linear layer of an 8B model has 2.6 million parameters a rank, two bytes each. */
  artifact_gb_per_rank: 0.005,
  /** of a dataset whose tokens are not counted */
  bytes_per_token: BYTES_PER_TOKEN,
  /** of a known model on a known device, in place of the first three */
  foreseen: DURATION_CONSTANTS,
} as const;

/** How much is trained on. */
export interface TrainingLoad {
  /** Of the whole dataset, counted; null where no tokenizer was there to count with. */
  tokens: number | null;
  dataset_bytes: number;
  rank: number;
}

/** Devices of one kind: price in US dollars an hour and tokens a second, each of one of them. */
export interface TrainingDevices {
  count: number;
  hourly_rate: number;
  tokens_per_second: number;
}

export interface TrainingEstimate {
  steps_per_epoch: number;
  total_steps: number;
  /** Tokens that the run sees. */
  tokens: number;
  tokens_counted: boolean;
  tokens_per_second: number;
  training_hours: number;
  overhead_hours: number;
  duration_hours: number;
  /** US dollars, to the cent. */
  hourly_rate: number;
  cost: { compute: number; storage: number; total: number };
}

const HOUR_S = 3600;

/**
 * What a training takes on its devices:
 * duration = tokens × passes / throughput + overhead, compute = duration × rate × count, storage = GB × price.
 * Pure arithmetic over the planner's steps. What is `foreseen` of a known model on a known device gives throughput and overhead;
 * without it (null) they are the catalogue's × count and the constants'. Dollars and hours.
 */
export function estimateTraining(
  plan: Pick<TrainingPlan, 'steps_per_epoch' | 'total_steps'>,
  load: TrainingLoad,
  gpu: TrainingDevices,
  foreseen: RunDuration | null = null,
): TrainingEstimate {
  const { steps_per_epoch, total_steps } = plan;
  const constants = ESTIMATE_CONSTANTS;
  const a_pass = load.tokens ?? load.dataset_bytes / constants.bytes_per_token;
  const tokens = Math.round((a_pass * total_steps) / steps_per_epoch);
  const { training_s, overhead_s, tokens_per_second } =
    foreseen === null ? byCatalogue(plan, tokens, gpu) : asForeseen(foreseen, tokens);
  const [training_hours, overhead_hours] = [training_s / HOUR_S, overhead_s / HOUR_S];
  const duration_hours = training_hours + overhead_hours;
  const hourly_rate = toCents(gpu.hourly_rate * gpu.count);
  const compute = toCents(duration_hours * hourly_rate);
  const stored_gb = load.dataset_bytes / GB + load.rank * constants.artifact_gb_per_rank;
  const storage = toCents(stored_gb * constants.storage_usd_per_gb);
  return {
    steps_per_epoch,
    total_steps,
    tokens,
    tokens_counted: load.tokens !== null,
    tokens_per_second,
    training_hours,
    overhead_hours,
    duration_hours,
    hourly_rate,
    cost: { compute, storage, total: toCents(compute + storage) },
  };
}

type Steps = Pick<TrainingPlan, 'steps_per_epoch' | 'total_steps'>;

function byCatalogue({ steps_per_epoch, total_steps }: Steps, tokens: number, gpu: TrainingDevices) {
  const { initialisation_s, validation_s_per_epoch, saving_s } = ESTIMATE_CONSTANTS;
  const passes = Math.ceil(total_steps / steps_per_epoch);
  const tokens_per_second = gpu.tokens_per_second * gpu.count;
  const overhead_s = initialisation_s + passes * validation_s_per_epoch + saving_s;
  return { training_s: tokens / tokens_per_second, overhead_s, tokens_per_second };
}

function asForeseen({ training_s, startup_s, evaluation_s, checkpoints_s, saving_s }: RunDuration, tokens: number) {
  const overhead_s = startup_s + evaluation_s + checkpoints_s + saving_s;
  return { training_s, overhead_s, tokens_per_second: tokens / training_s };
}
