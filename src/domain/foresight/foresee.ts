/**
 * The one function that says what a training will need and take, before it runs: for every door, for the form in the browser and
 * for what is stored with a job.
 */
import type { ImagePlan } from '../image-plan.ts';
import { askedPasses, type DatasetFacts, planTraining, sharingsOf, type TrainingPlan, whyUnshared } from '../planner.ts';
import type { TrainerStrategy } from '../trainer-config-parts.ts';
import { estimateTraining, type TrainingEstimate } from '../training-estimate.ts';
import type { TrainingSpec } from '../training-spec.ts';
import { type Advice, adviseOn } from './advice.ts';
import { choosePasses, type Passes } from './choose-passes.ts';
import { type ForeseenDevice, type JudgedRun, judgeRun, type KnownRun, longestRow, type Range } from './judge-run.ts';
import type { Corrections } from './learning/correction.ts';
import type { ModelShape } from './models/model-shape.ts';
import { OUR_HABITS, ourPrecision, ourSwitches } from './our-run.ts';
import type { RunShape } from './run-shape.ts';
import type { RowLengths } from './time/row-lengths.ts';
import { runDuration } from './time/run-duration.ts';

export interface ForeseenDataset extends DatasetFacts {
  /** Of all rows, counted; null where no tokenizer was there. */
  tokens: number | null;
  bytes: number;
  lengths: RowLengths | null;
  /** Share of the tokens that the loss is taken on. */
  trained_share: number;
}

export interface ForeseeQuestion {
  spec: Pick<TrainingSpec, 'method' | 'hyperparameters' | 'max_steps' | 'run'>;
  dataset: ForeseenDataset;
  /** `shape` null: not known. */
  model: { shape: ModelShape | null; context_length: number | null };
  device: ForeseenDevice;
  /** What else there is to train on, for the advice. */
  offers: readonly ForeseenDevice[];
  corrections: Corrections;
}

interface Advised {
  /** Only where it does not fit for sure. */
  advice: Advice[];
  assumptions: string[];
}

/** What is known of a run once model and device are. */
export interface Foreseen extends Omit<JudgedRun, 'run' | 'features'>, Advised {
  /** What tells whether another run was like it; null: no run corrects it. */
  features: JudgedRun['features'] | null;
}

/** The same of a language model. */
type ForeseenText = JudgedRun & Advised;

export interface Forecast<Plan = TrainingPlan | ImagePlan, Known extends Foreseen = Foreseen> {
  plan: Plan;
  /** Null: the model or the device is not known. */
  foreseen: Known | null;
  /** Steps, hours and dollars. */
  estimate: TrainingEstimate;
  hours: Range;
  /** US dollars, storage included. */
  cost: Range;
  evidence: { runs: number };
  assumptions: string[];
}

export type TextForecast = Forecast<TrainingPlan, ForeseenText>;

/** Foretells a training. Pure: the same question has the same answer wherever it is asked. */
export function foresee(question: ForeseeQuestion): TextForecast {
  const { spec, dataset, model, device } = question;
  const { count } = device;
  const asked = askedPasses(spec, count);
  const facts = { context_length: model.context_length ?? Number.MAX_SAFE_INTEGER };
  const [first, ...others] = sharingsOf(spec.run.strategy, count);
  const planned = planTraining(spec, dataset, facts, asked, first);
  const known = knownOf(question, planned);
  if (known === null) return forecast(question, planned, null);
  const ways = [first, ...others].map(({ strategy }) => judgeStrategy({ ...known, run: { ...known.run, strategy } }, asked));
  // Where none fits, what needs the least.
  const least = ways.toSorted((a, b) => a.judged.memory.device_bytes - b.judged.memory.device_bytes)[0];
  const chosen = ways.find(({ judged }) => judged.verdict === 'fits') ?? least;
  if (chosen === undefined) return forecast(question, planned, null);
  const { judged, passes } = chosen;
  const { offers } = question;
  const advice = judged.verdict === 'fits' ? [] : adviseOn({ known, judged, device, offers });
  const plan = planTraining(spec, dataset, facts, passes, { devices: count, strategy: chosen.strategy });
  return forecast(question, plan, { ...judged, advice, assumptions: known.assumptions });
}

/** The best passes of a run, and what it needs and takes by them. */
function judgeStrategy(known: KnownRun & { run: { strategy: TrainerStrategy } }, asked: Passes) {
  const passes = choosePasses(asked, (way) => {
    const { memory, time, verdict } = judgeRun(known, withPasses(known.run, way));
    // By the formulas: of a way that was measured the figure is that run's, and would lose to every way that was not.
    return { fits: verdict === 'fits', device_bytes: memory.device_bytes, seconds_per_step: time.seconds_per_step };
  });
  return { strategy: known.run.strategy, passes, judged: judgeRun(known, withPasses(known.run, passes)) };
}

/** The run that the trainer would make of a plan; null where model or device are not known, or it trains no language model. */
function knownOf({ spec, dataset, model, device, corrections }: ForeseeQuestion, plan: TrainingPlan): KnownRun | null {
  const { facts } = device;
  const { method, hyperparameters } = spec;
  if (model.shape === null || facts === null || method === 'dreambooth') return null;
  const precision = ourPrecision(facts, spec.run.mixed_precision);
  const assumptions =
    dataset.lengths === null
      ? [`The rows’ tokens are not counted: time goes by the size of the file, memory by a row of ${plan.max_seq_length} tokens.`]
      : [];
  const unshared = whyUnshared(hyperparameters.batch_size, plan.devices);
  if (unshared !== null) assumptions.push(unshared);
  const switches = ourSwitches(facts);
  const quantization = method === 'qlora' ? 'nf4-dq' : 'none';
  const run: RunShape = {
    ...OUR_HABITS,
    method,
    quantization,
    adapter:
      method === 'full'
        ? null
        : {
            rank: hyperparameters.rank,
            targets: OUR_HABITS.targets,
            dtype: quantization === 'none' ? 'fp32' : 'bf16',
            dropout: hyperparameters.dropout,
          },
    seq_len: longestRow(dataset.lengths, plan.max_seq_length, switches),
    micro_batch: plan.micro_batch,
    grad_accum: plan.grad_accum,
    trained_share: 1,
    gradient_checkpointing: plan.gradient_checkpointing,
    precision,
    weights_dtype: precision,
    packing: plan.packing,
    gpus: plan.devices,
    strategy: plan.strategy,
    switches,
  };
  const { lengths, trained_share } = dataset;
  const size = { bytes: dataset.bytes, rows: dataset.training_pairs + dataset.validation_pairs };
  return { model: model.shape, run, facts, lengths, size, trained_share, corrections, assumptions };
}

const withPasses = (run: RunShape, passes: Passes): RunShape => ({ ...run, ...passes });

/** Steps, hours and dollars of a plan, by its foreseen speed or else by the catalogue's. */
function forecast(question: ForeseeQuestion, plan: TrainingPlan, foreseen: ForeseenText | null): TextForecast {
  const { dataset, device, spec } = question;
  const load = { tokens: dataset.tokens, dataset_bytes: dataset.bytes, rank: spec.hyperparameters.rank };
  const at = (bound: keyof Range) => {
    const { shape } = question.model;
    if (foreseen === null || shape === null) return estimateTraining(plan, load, device);
    const { run, seconds_per_step } = foreseen;
    return estimateTraining(plan, load, device, runDuration(shape, run, plan, dataset.tokens, seconds_per_step[bound]));
  };
  const [estimate, low, high] = [at('figure'), at('low'), at('high')];
  return {
    plan,
    foreseen,
    estimate,
    hours: { figure: estimate.duration_hours, low: low.duration_hours, high: high.duration_hours },
    cost: { figure: estimate.cost.total, low: low.cost.total, high: high.cost.total },
    evidence: { runs: foreseen?.correction.memory.runs ?? 0 },
    assumptions:
      foreseen === null
        ? []
        : [...new Set([...foreseen.assumptions, ...foreseen.memory.assumptions, ...foreseen.time.assumptions])],
  };
}
