/** The numbered lines of `events.jsonl` that a trainer writes, and what its exit codes mean (trainer/PROTOCOL.md). */
import * as z from 'zod';
import { StorableText } from './storable-text.ts';
import { TRAINER_STEPS_MAX } from './trainer-config-parts.ts';

/** Longest line that is read, in UTF-16 units and in bytes alike. */
export const TRAINER_LINE_MAX = 1_000_000;

export const TRAINER_STAGES = [
  'loading_model',
  'preparing_data',
  'training',
  'evaluating',
  'saving',
  'exporting',
  'done',
] as const;

/** Why a trainer ends; it says so itself, in its `error` line. */
export const TRAINER_ERROR_CODES = [
  'bad_config',
  'data',
  'model_not_found',
  'gated_model',
  'out_of_memory',
  'nan_loss',
  'disk_full',
  'interrupted',
  'internal',
] as const;
export type TrainerErrorCode = (typeof TRAINER_ERROR_CODES)[number];

/** Why a run ended although its trainer said nothing; only the worker can know. */
export const WORKER_ERROR_CODES = [
  'dataset_missing',
  'dataset_changed',
  'killed',
  'hang',
  'gpu_lost',
  'contact_lost',
  'launch_failed',
  'model_not_fetched',
  'runtime_limit',
] as const;
export type WorkerErrorCode = (typeof WORKER_ERROR_CODES)[number];

/** Process exit code to its meaning. */
export const EXIT_CODES = {
  0: 'done',
  1: 'internal',
  2: 'bad configuration',
  3: 'data',
  4: 'model',
  5: 'memory',
  6: 'NaN',
  7: 'disk full',
  143: 'interrupted',
} as const;

/** The exit code that follows each `error` line. */
export const EXIT_CODE_OF_ERROR: Record<TrainerErrorCode, keyof typeof EXIT_CODES> = {
  bad_config: 2,
  data: 3,
  model_not_found: 4,
  gated_model: 4,
  out_of_memory: 5,
  nan_loss: 6,
  disk_full: 7,
  interrupted: 143,
  internal: 1,
};

export const TRAINER_ARTIFACT_KINDS = ['adapter', 'passport'] as const;

const step = z.int().min(0).max(TRAINER_STEPS_MAX);
const count = z.int().min(0);
const seconds = z.number().min(0);
const megabytes = z.number().min(0);
/** Below the output folder, with plain names: no `..`, no absolute path, no hidden file. */
const relativePath = z
  .string()
  .max(1000)
  .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]*(\/[A-Za-z0-9_][A-Za-z0-9._-]*)*$/);
/** A measured figure; NaN and Infinity are no JSON, so they are null and the line says `nonfinite`. */
const figure = z.number().nullable().optional();

const head = { seq: z.int().min(1), ts: z.iso.datetime() };

/** Sent once, when the model stands ready: only `stage`, `warning` and `error` lines may come before it. */
export const HelloEvent = z.strictObject({
  ...head,
  type: z.literal('hello'),
  protocol: z.literal(1),
  trainer: StorableText(100),
  versions: z.record(z.string().max(60), StorableText(100)),
  device: z.enum(['cpu', 'cuda']),
  gpus: z.array(z.strictObject({ name: StorableText(200), memory_mb: megabytes })).max(64),
  total_parameters: count,
  trainable_parameters: count,
});

export const StageEvent = z.strictObject({
  ...head,
  type: z.literal('stage'),
  stage: z.enum(TRAINER_STAGES),
  /** How far a long stage is, where it can be counted: of the images and texts that go through once before the first step. */
  done: count.optional(),
  total: count.optional(),
  /** Seconds that the rest of the stage will take; null: not known yet. */
  eta_seconds: seconds.nullable().optional(),
});

export const ProgressEvent = z.strictObject({
  ...head,
  type: z.literal('progress'),
  step,
  total_steps: step,
  epoch: z.number().min(0),
  eta_seconds: seconds.nullable(),
});

/** What the first steps of an attempt measured, once: after its warm-up and timed steps, or at its end where it has no more. */
export const ProbeEvent = z.strictObject({
  ...head,
  type: z.literal('probe'),
  /** The last step that was measured. */
  step,
  /** Steps left out before, and steps timed: fewer than asked for in a short run, but one at least. */
  warmup_steps: count,
  timed_steps: z.int().min(1),
  /** Of a timed step, the device waited for. */
  seconds_per_step: z.strictObject({ median: seconds, low: seconds, high: seconds }),
  /** Of a timed step in the mean: without padding, with it, and those that the loss was taken on. */
  tokens_per_step: z.number().min(0),
  padded_tokens_per_step: z.number().min(0),
  trained_tokens_per_step: z.number().min(0),
  /** Without padding. */
  tokens_per_second: z.number().min(0),
  /** Of a step over a whole epoch, and what such a step takes by what the timed ones took a token. */
  mean_tokens_per_step: z.number().min(0),
  expected_seconds_per_step: seconds,
  /** Padded tokens of the largest pass so far; on a run's first attempt that is as large as any to come. */
  longest_pass_tokens: count,
  /** Most that tensors took of the GPU, and most that the allocator held of it; null on the CPU. */
  peak_allocated_mb: megabytes.nullable(),
  peak_reserved_mb: megabytes.nullable(),
  /** In use on the GPU as its driver tells, by everyone; on the CPU, the most resident memory of this process. */
  device_memory_mb: megabytes,
});
export type ProbeEvent = z.infer<typeof ProbeEvent>;

/** Training figures of the last `logging_steps` steps, or `eval_loss`; the two never share a line. */
export const MetricEvent = z.strictObject({
  ...head,
  type: z.literal('metric'),
  step,
  epoch: z.number().min(0).optional(),
  loss: figure,
  learning_rate: figure,
  grad_norm: figure,
  tokens_per_second: figure,
  samples_per_second: figure,
  /** What the allocator holds of the GPU now; absent on the CPU. */
  gpu_memory_mb: figure,
  /** Most memory in use so far: tensors on the GPU, or resident memory of the process on the CPU. */
  peak_memory_mb: figure,
  eval_loss: figure,
  eval_seconds: figure,
  nonfinite: z.literal(true).optional(),
});

/** A picture below the output folder, whole when its line is written. */
const SampleImage = z.strictObject({
  path: relativePath,
  width: z.int().min(1),
  height: z.int().min(1),
  seed: count,
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: count,
});

/** What the model makes of a prompt: a language model answers in `text`, an image model draws an `image`. */
export const SampleEvent = z
  .strictObject({
    ...head,
    type: z.literal('sample'),
    step,
    prompt: StorableText(4000),
    text: StorableText(100_000).optional(),
    image: SampleImage.optional(),
  })
  .refine(({ text, image }) => (text === undefined) !== (image === undefined), 'has a text or an image')
  .meta({ oneOf: [{ required: ['text'] }, { required: ['image'] }] });

export const CheckpointEvent = z.strictObject({
  ...head,
  type: z.literal('checkpoint'),
  step,
  path: relativePath,
  bytes: count,
});

export const ArtifactEvent = z.strictObject({
  ...head,
  type: z.literal('artifact'),
  kind: z.enum(TRAINER_ARTIFACT_KINDS),
  path: relativePath,
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: count,
});

export const WarningEvent = z.strictObject({
  ...head,
  type: z.literal('warning'),
  code: z.string().regex(/^[a-z][a-z0-9_]{0,59}$/),
  message: StorableText(2000),
});

/** The last line of a run that failed; `field` names the part of config.json that is at fault. */
export const ErrorEvent = z.strictObject({
  ...head,
  type: z.literal('error'),
  code: z.enum(TRAINER_ERROR_CODES),
  message: StorableText(2000),
  hint: StorableText(2000),
  field: StorableText(200).optional(),
  traceback: StorableText(20_000).optional(),
});

/** The last line of a run that succeeded. */
export const DoneEvent = z.strictObject({
  ...head,
  type: z.literal('done'),
  summary: z.strictObject({
    steps: step,
    epochs: z.number().min(0),
    final_loss: z.number().nullable(),
    eval_loss: z.number().nullable(),
    /** The evaluated step with the lowest `eval_loss`, and that loss. */
    best_step: step.nullable(),
    best_eval_loss: z.number().nullable(),
    /** Tokens read and tokens that the loss was taken on, over all steps of this attempt. */
    tokens: count,
    trained_tokens: count,
    seconds,
    peak_memory_mb: megabytes,
    /** Most that the allocator held of the GPU; null on the CPU. */
    peak_reserved_mb: megabytes.nullable(),
  }),
});

export const TrainerEvent = z.discriminatedUnion('type', [
  HelloEvent,
  StageEvent,
  ProgressEvent,
  ProbeEvent,
  MetricEvent,
  SampleEvent,
  CheckpointEvent,
  ArtifactEvent,
  WarningEvent,
  ErrorEvent,
  DoneEvent,
]);
export type TrainerEvent = z.infer<typeof TrainerEvent>;

export type TrainerLine = { ok: true; event: TrainerEvent } | { ok: false; reason: string };

/** Parses one line of events.jsonl, given without its newline. A refused line costs nothing but itself. */
export function parseTrainerLine(line: string): TrainerLine {
  if (line.length > TRAINER_LINE_MAX) return { ok: false, reason: `longer than ${TRAINER_LINE_MAX} characters` };
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { ok: false, reason: 'not JSON' };
  }
  const parsed = TrainerEvent.safeParse(value);
  if (parsed.success) return { ok: true, event: parsed.data };
  const issue = parsed.error.issues[0];
  const where = issue?.path.join('.') || 'line';
  return { ok: false, reason: `${where}: ${issue?.message ?? 'refused'}`.slice(0, 300) };
}
