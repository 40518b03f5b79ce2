/** What a training on images will need and take, before it runs: the same questions and answers as `foresee` has of text. */
import type { ImageDatasetFacts } from '../../image-dataset.ts';
import { IMAGE_MODEL_KINDS } from '../../image-pipeline.ts';
import { type ImagePlan, type ImageSpec, planImages } from '../../image-plan.ts';
import { askedPasses, type Sharing, sharingsOf } from '../../planner.ts';
import { estimateTraining } from '../../training-estimate.ts';
import { choosePasses, type Passes } from '../choose-passes.ts';
import type { Factor } from '../forecast.ts';
import type { Forecast, Foreseen } from '../foresee.ts';
import type { ForeseenDevice, Range } from '../judge-run.ts';
import type { RunDuration } from '../time/run-duration.ts';
import { DURATION_CONSTANTS } from '../time/run-duration.ts';
import { type Verdict, verdictOf } from '../verdict.ts';
import { adviseOnImages } from './advise-on-images.ts';
import { classOfShape, guessedShape } from './class-of-shape.ts';
import { estimateImageClass, type ImageEstimate, type ImageQuestion } from './estimate-image.ts';
import type { ImageClass } from './image-classes.ts';
import type { ImageShape } from './image-shape.ts';

export interface ForeseeImagesQuestion {
  spec: ImageSpec;
  dataset: ImageDatasetFacts & { bytes: number };
  /** `shape` null: not fetched yet, or of no kind that is trained; then its name may tell what it is. */
  model: { shape: ImageShape | null; name: string };
  /** Some of the dataset's own, for the samples. */
  captions: readonly string[];
  device: ForeseenDevice;
  /** What else there is to train on, for the advice. */
  offers: readonly ForeseenDevice[];
}

/** Foretells a training on images. Pure, as `foresee` is. What runs of image models measured corrects nothing of it yet. */
export function foreseeImages(question: ForeseeImagesQuestion): Forecast<ImagePlan> {
  const { spec, dataset, captions, device, offers } = question;
  const shape = question.model.shape ?? guessedShape(question.model.name);
  const model = { kind: IMAGE_MODEL_KINDS.find((kind) => kind === shape?.kind) ?? null, side: shape?.side ?? null };
  const { count } = device;
  const asked = askedPasses(spec, count);
  const planOf = (passes: Passes, sharing: Sharing) => planImages(spec, dataset, model, captions, passes, sharing);
  const [first, ...others] = sharingsOf(spec.run.strategy, count);
  const one = shape === null ? null : classOfShape(shape);
  const { facts } = device;
  if (one === null || facts === null) return forecast(question, planOf(asked, first), null, null);
  const estimate = (plan: ImagePlan) => estimateImageClass(one, questionOf(one, plan, spec, device), facts);
  const judge = (sharing: Sharing) => {
    const passes = choosePasses(asked, (way) => {
      const { memory, time } = estimate(planOf(way, sharing));
      return {
        fits: verdictOf(memory, facts) === 'fits',
        device_bytes: memory.device_bytes,
        seconds_per_step: time.seconds_per_step,
      };
    });
    const plan = planOf(passes, sharing);
    const told = estimate(plan);
    return { plan, told, verdict: verdictOf(told.memory, facts) };
  };
  const { plan, told, verdict } = leastOf([judge(first), ...others.map(judge)]);
  const advice =
    verdict === 'fits' ? [] : adviseOnImages({ one, question: questionOf(one, plan, spec, device), told, device, offers });
  const samples = plan.micro_batch * plan.grad_accum * count;
  return forecast(question, plan, one, {
    device: facts,
    features: null,
    memory: told.memory,
    time: told.time,
    correction: { memory: uncorrected(told.memory), time: uncorrected(secondsOf(told)) },
    device_bytes: { figure: told.memory.device_bytes, low: told.memory.low_bytes, high: told.memory.high_bytes },
    seconds_per_step: { figure: told.time.seconds_per_step, low: told.time.low_seconds, high: told.time.high_seconds },
    tokens_per_second: (samples * latentTokens(plan)) / told.time.seconds_per_step,
    samples_per_second: samples / told.time.seconds_per_step,
    verdict,
    advice,
    assumptions: [],
  });
}

type Judged = { plan: ImagePlan; told: ImageEstimate; verdict: Verdict };

/** The first way of sharing that fits, or where none does the one that needs the least. */
function leastOf([first, ...others]: [Judged, ...Judged[]]): Judged {
  const less = (one: Judged, other: Judged) => (other.told.memory.device_bytes < one.told.memory.device_bytes ? other : one);
  return [first, ...others].find(({ verdict }) => verdict === 'fits') ?? others.reduce(less, first);
}

const secondsOf = ({ time }: ImageEstimate) => ({
  device_bytes: time.seconds_per_step,
  low_bytes: time.low_seconds,
  high_bytes: time.high_seconds,
});

/** No run has said anything yet: the formula's own interval. */
function uncorrected(figure: { device_bytes: number; low_bytes: number; high_bytes: number }): Factor {
  const { device_bytes, low_bytes, high_bytes } = figure;
  return { factor: 1, low: low_bytes / device_bytes, high: high_bytes / device_bytes, runs: 0, near: 0, same: false };
}

/** What PROTOCOL.md calls a token of an image: a place of its latent. */
const latentTokens = ({ resolution }: Pick<ImagePlan, 'resolution'>): number => (resolution / 8) ** 2;

function questionOf(
  one: ImageClass,
  plan: ImagePlan,
  { hyperparameters, run }: ImageSpec,
  { facts }: ForeseenDevice,
): ImageQuestion {
  return {
    model: one.name,
    method: 'lora',
    rank: hyperparameters.rank,
    resolution: plan.resolution,
    batch: plan.micro_batch,
    grad_accum: plan.grad_accum,
    gradient_checkpointing: plan.gradient_checkpointing,
    weights_dtype: facts?.kind === 'cpu' || run.mixed_precision === 'fp32' ? 'fp32' : 'bf16',
    cached_embeddings: plan.cache_text_embeddings,
    cached_latents: plan.cache_latents,
    devices: plan.devices,
    strategy: plan.strategy,
    prior_preservation: plan.prior !== null,
    ema: plan.ema_decay !== null,
    validation: plan.sample_prompts.length > 0,
  };
}

/** Of a step's seconds, those of one sample's forward pass: 2 of 4 operations a weight where the base is frozen, 2 of 6 with checkpointing. */
function forwardSeconds(plan: ImagePlan, seconds_per_step: number): number {
  const passed = plan.micro_batch * plan.grad_accum * (plan.prior === null ? 1 : 2);
  return ((seconds_per_step / passed) * 2) / (plan.gradient_checkpointing ? 6 : 4);
}

/** FLUX is told how much to obey by a number; the others draw each step with and without the prompt. */
const drawsTwice = (plan: ImagePlan): boolean => plan.model_kind !== 'flux';

/**
 * What stands around the steps: weights are read, each image goes through the autoencoder and its caption through the encoders (taken as
 * one forward pass), class images that the dataset lacks are drawn, samples are drawn at each interval.
 */
function duration(
  one: ImageClass,
  plan: ImagePlan,
  dataset: ImageDatasetFacts,
  rank: number,
  seconds_per_step: number,
): RunDuration {
  const k = DURATION_CONSTANTS;
  const forward_s = forwardSeconds(plan, seconds_per_step);
  const drawn_s = plan.sample_steps * forward_s * (drawsTwice(plan) ? 2 : 1);
  const class_images = Math.max(0, (plan.prior?.class_images ?? 0) - dataset.class_images);
  const cached = plan.cache_latents || plan.cache_text_embeddings ? dataset.images + (plan.prior?.class_images ?? 0) : 0;
  const rounds = plan.sample_interval > 0 ? Math.ceil(plan.total_steps / plan.sample_interval) + 1 : 1;
  const adapter_bytes = one.lora_a_rank * rank * 4;
  const checkpoints = plan.checkpoint_interval > 0 ? Math.ceil(plan.total_steps / plan.checkpoint_interval) : 1;
  return {
    startup_s:
      k.process_s +
      (2 * (one.denoiser + one.encoders + one.vae)) / k.disk_bytes_per_s +
      cached * forward_s +
      class_images * drawn_s,
    training_s: plan.total_steps * seconds_per_step,
    evaluation_s: rounds * plan.sample_prompts.length * drawn_s,
    checkpoints_s: checkpoints * (k.checkpoint_s + (3 * adapter_bytes) / k.written_bytes_per_s),
    saving_s: k.saving_s + adapter_bytes / k.written_bytes_per_s,
  };
}

/** Steps, hours and dollars of a plan, by its foreseen speed or else by the catalogue's. */
function forecast(
  { dataset, device, spec }: ForeseeImagesQuestion,
  plan: ImagePlan,
  one: ImageClass | null,
  foreseen: Foreseen | null,
): Forecast<ImagePlan> {
  const { rank } = spec.hyperparameters;
  const load = { tokens: dataset.samples * latentTokens(plan), dataset_bytes: dataset.bytes, rank };
  const at = (bound: keyof Range) =>
    one === null || foreseen === null
      ? estimateTraining(plan, load, device)
      : estimateTraining(plan, load, device, duration(one, plan, dataset, rank, foreseen.seconds_per_step[bound]));
  const [estimate, low, high] = [at('figure'), at('low'), at('high')];
  return {
    plan,
    foreseen,
    estimate,
    hours: { figure: estimate.duration_hours, low: low.duration_hours, high: high.duration_hours },
    cost: { figure: estimate.cost.total, low: low.cost.total, high: high.cost.total },
    evidence: { runs: 0 },
    assumptions: foreseen === null ? [] : [...new Set([...foreseen.memory.assumptions, ...foreseen.time.assumptions])],
  };
}
