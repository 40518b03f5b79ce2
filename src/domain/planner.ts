import type { Passes } from './foresight/choose-passes.ts';
import type { TrainerStrategy } from './trainer-config-parts.ts';
import type { TrainingSpec } from './training-spec.ts';

/** What the planner needs to know of a dataset. Rows are training pairs. */
export interface DatasetFacts {
  training_pairs: number;
  validation_pairs: number;
}

/** What the planner needs to know of a base model. */
export interface ModelFacts {
  context_length: number;
}

/** A spec with every default filled in and every step counted; only what depends on the device is left to the launch. */
export interface TrainingPlan {
  steps_per_epoch: number;
  total_steps: number;
  total_epochs: number;
  warmup_steps: number;
  /** How many train together, and how they share the work. */
  devices: number;
  strategy: TrainerStrategy;
  /** Rows in one forward pass of one device, and passes a step: their product with the devices is what was asked for. */
  micro_batch: number;
  grad_accum: number;
  max_seq_length: number;
  packing: boolean;
  gradient_checkpointing: boolean;
  lr_schedule: 'cosine';
  weight_decay: number;
  max_grad_norm: number;
  eval_rows: number;
  eval_interval: number;
  checkpoint_interval: number;
  checkpoints_kept: number;
  logging_steps: number;
}

/** Share of the rows held out to measure the evaluation loss, and the most that it ever takes. */
const HELD_OUT_SHARE = 0.05;
const HELD_OUT_ROWS_MAX = 64;
/** Below this many rows every one is needed for training. */
const HELD_OUT_FROM_ROWS = 20;
const WARMUP_SHARE = 0.03;
/** Points that a run's curve has at most, its evaluations aside: in a longer one a point tells of several steps. */
const POINTS_A_RUN = 100_000;
const SEQUENCE_LENGTH_MAX = 2048;

/** Tokens of the longest row that is trained whole on a model of this context. */
export function sequenceLength(context_length: number): number {
  return Math.min(context_length, SEQUENCE_LENGTH_MAX);
}

/** How many of `pairs` valid rows are held out of training. Deterministic, so that the dataset page and the run agree. */
export function heldOutRows(pairs: number): number {
  if (pairs < HELD_OUT_FROM_ROWS) return 0;
  return Math.min(HELD_OUT_ROWS_MAX, Math.floor(pairs * HELD_OUT_SHARE));
}

/**
 * steps_per_epoch = ceil(ceil(training_pairs / batch_size) / grad_accum); total = steps_per_epoch × epochs, or `max_steps` if that is fewer.
 * Without epochs the total is `max_steps`, however many passes that takes.
 */
export function countSteps(
  training_pairs: number,
  batch_size: number,
  epochs: number | null,
  max_steps: number | null,
  grad_accum = 1,
) {
  const steps_per_epoch = Math.max(1, Math.ceil(Math.ceil(training_pairs / batch_size) / grad_accum));
  const all = epochs === null ? (max_steps ?? steps_per_epoch) : steps_per_epoch * epochs;
  return { steps_per_epoch, total_steps: max_steps === null ? all : Math.min(max_steps, all) };
}

/** The devices of a run, and how they share the work. */
export type Sharing = Pick<TrainingPlan, 'devices' | 'strategy'>;

export const ALONE: Sharing = { devices: 1, strategy: 'none' };

/** How devices may share the work: as was asked, else each with the whole model, or with a part of it where that does not fit. */
export function sharingsOf(asked: TrainerStrategy, devices: number): [Sharing, ...Sharing[]] {
  if (devices === 1) return [ALONE];
  if (asked !== 'none') return [{ devices, strategy: asked }];
  return [
    { devices, strategy: 'ddp' },
    { devices, strategy: 'fsdp' },
  ];
}

/** Each device takes its part of the asked batch; where it does not divide, as many rows as make up for it. */
export function askedPasses(spec: Pick<TrainingSpec, 'hyperparameters' | 'run'>, devices: number): Passes {
  const micro_batch = Math.ceil(spec.hyperparameters.batch_size / devices);
  return { micro_batch, grad_accum: spec.run.grad_accum, gradient_checkpointing: false };
}

/** Why devices cannot share a batch, with what can; null where they can. */
export function whyUnshared(batch_size: number, devices: number): string | null {
  if (batch_size % devices === 0) return null;
  const numbers = Array.from({ length: batch_size }, (_, less) => batch_size - less);
  const most = numbers.find((count) => count <= devices && batch_size % count === 0) ?? 1;
  return `A batch of ${batch_size} rows does not divide among ${devices} GPUs: take ${most}, or a batch_size that is a multiple of ${devices}.`;
}

/** Steps between two checkpoints: about five times a run, at least every 500. */
export const checkpointInterval = (total_steps: number): number => Math.min(500, Math.max(25, Math.ceil(total_steps / 5)));

/** Steps of which one point of the curve tells. */
export const loggingSteps = (total_steps: number): number => Math.max(1, Math.ceil(total_steps / POINTS_A_RUN));

/**
 * Fills in every default and counts every step. Pure arithmetic: the browser, the API and the worker get one answer. `passes`: how a
 * step's rows go through a device, where that was chosen, and `sharing` how many devices there are; both change neither steps nor
 * what is learnt.
 */
export function planTraining(
  spec: Pick<TrainingSpec, 'hyperparameters' | 'max_steps' | 'run'>,
  dataset: DatasetFacts,
  model: ModelFacts,
  passes?: Passes,
  sharing: Sharing = ALONE,
): TrainingPlan {
  const { batch_size, epochs } = spec.hyperparameters;
  const { run, max_steps } = spec;
  const chosen = passes ?? askedPasses(spec, sharing.devices);
  const counted = countSteps(dataset.training_pairs, batch_size, epochs, max_steps, run.grad_accum);
  const { steps_per_epoch, total_steps } = counted;
  const interval = Math.max(10, Math.ceil(total_steps / 10));
  return {
    steps_per_epoch,
    total_steps,
    total_epochs: epochs ?? Math.ceil(total_steps / steps_per_epoch),
    // A run that ends before its warm-up does reaches its learning rate at its last step.
    warmup_steps: Math.min(run.warmup_steps ?? Math.round(total_steps * WARMUP_SHARE), total_steps),
    ...sharing,
    ...chosen,
    max_seq_length:
      run.max_seq_length === null ? sequenceLength(model.context_length) : Math.min(run.max_seq_length, model.context_length),
    packing: false,
    lr_schedule: 'cosine',
    weight_decay: 0,
    max_grad_norm: 1,
    eval_rows: dataset.validation_pairs,
    eval_interval: run.eval_interval ?? interval,
    checkpoint_interval: run.checkpoint_interval ?? checkpointInterval(total_steps),
    checkpoints_kept: 2,
    logging_steps: loggingSteps(total_steps),
  };
}
