/** What every attempt's configuration has, whatever kind of model is trained. */
import * as z from 'zod';
import { AskedHyperparameters } from './hyperparameters.ts';
import { RunLimits } from './run-limits.ts';
import { TRAINER_CAN } from './trainer-abilities.ts';
import { TRAINER_PROTOCOL, type TrainerStrategy } from './trainer-config-parts.ts';
import { NO_WISHES, RunWishes, TRAINING_METHODS } from './training-spec.ts';

/** What a stored spec must hold to be run; it holds more. */
export const StoredSpec = z.object({
  hyperparameters: AskedHyperparameters,
  max_steps: z.int().nullable(),
  seed: z.int(),
  trigger_words: z.array(z.string()).default([]),
  method: z.enum(TRAINING_METHODS).default('lora'),
  run: RunWishes.default(NO_WISHES),
  probe_only: z.boolean().default(false),
  limits: RunLimits.default({}),
  training_image_id: z.uuid().nullable().default(null),
});
export const StoredBaseModel = z.object({
  name: z.string(),
  hf_repo_id: z.string().nullable(),
  revision: z.string().nullable(),
});

/** Where this attempt runs and what lies where. All paths are absolute. */
export interface AttemptFacts {
  job_id: string;
  attempt: number;
  dataset_path: string;
  base_model_path: string;
  job_folder: string;
  output_path: string;
  /** The newest complete checkpoint of an earlier attempt. */
  resume_from: string | null;
  device: 'cpu' | 'cuda';
  /** Of the GPU, for example 8.6; null on the CPU and where it is not known. */
  compute_capability: number | null;
  /** The adapter that the training goes on from, with the sum of its weights. */
  init_adapters: { path: string; sha256: string }[];
}

/** The first steps of each attempt: the first few are slower than the rest, the next ones tell how fast it goes. */
export const PROBE_STEPS = { warmup_steps: 3, timed_steps: 5 };

/** From this compute capability on, a GPU computes in bfloat16. */
const BFLOAT16_FROM = 8;

/** What was asked for where the device does it: a processor computes in fp32, an older GPU has no bf16. */
export function precisionOf(facts: AttemptFacts, asked: RunWishes['mixed_precision']): 'fp32' | 'bf16' | 'fp16' {
  if (facts.device === 'cpu' || asked === 'fp32') return 'fp32';
  if (asked === 'fp16') return 'fp16';
  return facts.compute_capability !== null && facts.compute_capability < BFLOAT16_FROM ? 'fp16' : 'bf16';
}

interface StoredParts {
  spec: z.infer<typeof StoredSpec>;
  plan: { checkpoint_interval: number; checkpoints_kept: number; devices: number; strategy: TrainerStrategy };
  base_model: z.infer<typeof StoredBaseModel>;
}

/** The fields around the parameters. */
export function fieldsOfAttempt({ spec, plan, base_model }: StoredParts, facts: AttemptFacts) {
  return {
    protocol: TRAINER_PROTOCOL,
    job_id: facts.job_id,
    attempt: facts.attempt,
    dataset_path: facts.dataset_path,
    base_model: {
      id: base_model.hf_repo_id ?? base_model.name,
      path: facts.base_model_path,
      revision: base_model.revision,
      on_hub: base_model.hf_repo_id !== null,
    },
    trigger_words: spec.trigger_words,
    checkpoint_interval: plan.checkpoint_interval,
    checkpoints_kept: plan.checkpoints_kept,
    probe: { ...PROBE_STEPS, only: spec.probe_only },
    job_folder: facts.job_folder,
    resume_from: facts.resume_from,
    init_adapters: facts.init_adapters,
    devices: plan.devices,
    strategy: plan.strategy,
    device: facts.device,
    output_path: facts.output_path,
    // What the trainer lacks of the exports is told as skipped; its own form is what a job ends with.
    export: [...TRAINER_CAN.exports],
  };
}

/** Parameters that mean the same whatever is trained. */
export function paramsOfAttempt({ spec }: StoredParts, facts: AttemptFacts) {
  const { hyperparameters } = spec;
  return {
    learning_rate: hyperparameters.learning_rate,
    lora_rank: hyperparameters.rank,
    lora_alpha: hyperparameters.alpha,
    lora_dropout: hyperparameters.dropout,
    precision: precisionOf(facts, spec.run.mixed_precision),
    seed: spec.seed,
  };
}
