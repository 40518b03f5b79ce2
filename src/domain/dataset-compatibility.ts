/** Whether a dataset can train a base model, told before anything is submitted. Lists filter by the same rule. */
import { sequenceLength } from './planner.ts';
import type { DatasetStatus } from './statuses.ts';

/** What is known of a dataset here. */
export interface JudgedDataset {
  name: string;
  status: DatasetStatus;
  training_ready: boolean;
  modality: string;
  /** The shape of its rows; null until recognised. */
  format: string | null;
  num_samples: number | null;
  /** The report of its check. */
  statistics: Record<string, unknown>;
}

/** What is known of a base model here. */
export interface JudgedModel {
  name: string;
  modality: string;
  context_length: number | null;
  has_chat_template: boolean;
}

export interface Compatibility {
  compatible: boolean;
  warnings: string[];
  errors: string[];
}

/** Shapes that are conversations: without a chat template there is no text to train on. The others are joined as they are. */
export const FORMATS_WITH_TURNS = ['chat', 'sharegpt', 'alpaca'] as const;

/** Fewer samples than this are a word of warning, never more; images teach sooner, and DreamBooth by as few as these. */
export const FEW_SAMPLES = 10_000;
const FEW_IMAGES = 5;

/** Share of the rows, 0 to 1, that are longer than `limit` tokens; null where nobody counted. From counts by powers of two. */
export function shareLongerThan(statistics: Record<string, unknown>, limit: number): number | null {
  const { rows_over_max_seq_length: over, max_seq_length, rows_valid, tokens } = statistics;
  if (typeof rows_valid !== 'number' || rows_valid === 0) return null;
  if (typeof over === 'number' && max_seq_length === limit) return over / rows_valid;
  const counted = tokens as { max?: unknown; buckets?: unknown } | null | undefined;
  if (counted == null || typeof counted.max !== 'number' || !Array.isArray(counted.buckets)) return null;
  if (counted.max <= limit) return 0;
  let longer = 0;
  for (const { up_to, rows } of counted.buckets as { up_to: number; rows: number }[]) {
    const from = Math.floor(up_to / 2);
    if (from >= limit) longer += rows;
    // Within a bucket rows are taken to lie evenly.
    else if (up_to > limit) longer += (rows * (up_to - limit)) / (up_to - from);
  }
  return Math.min(1, longer / rows_valid);
}

/** What speaks against training this model on this dataset (`errors`), and what to know before (`warnings`). */
export function judgeCompatibility(dataset: JudgedDataset, model: JudgedModel): Compatibility {
  const errors: string[] = [];
  const warnings: string[] = [];
  if (dataset.status !== 'ready' || !dataset.training_ready) errors.push(notReady(dataset));
  if (dataset.modality !== model.modality)
    errors.push(`Dataset ${dataset.name} is of modality ${dataset.modality}, base model ${model.name} of ${model.modality}.`);
  if (needsTemplate(dataset) && !model.has_chat_template)
    errors.push(
      `Dataset ${dataset.name} holds conversations (${dataset.format}), and base model ${model.name} has no chat template: choose an instruction-tuned model, or rows of prompt and completion.`,
    );
  const few = dataset.modality === 'image' ? FEW_IMAGES : FEW_SAMPLES;
  if (dataset.num_samples !== null && dataset.num_samples < few)
    warnings.push(`Dataset ${dataset.name} is small: ${dataset.num_samples} samples, fewer than ${few}.`);
  if (dataset.modality === 'text') warnings.push(...lengthWarnings(dataset, model));
  return { compatible: errors.length === 0, warnings, errors };
}

export function needsTemplate(dataset: Pick<JudgedDataset, 'format'>): boolean {
  return (FORMATS_WITH_TURNS as readonly (string | null)[]).includes(dataset.format);
}

function notReady({ name, status }: JudgedDataset): string {
  if (status === 'error') return `Dataset ${name} did not pass its check: its report says what to mend.`;
  if (status === 'ready') return `Dataset ${name} has no row to train on: its report says why.`;
  return `Dataset ${name} is not checked yet (${status}): wait until it is ready.`;
}

function lengthWarnings(dataset: JudgedDataset, model: JudgedModel): string[] {
  if (model.context_length === null) return [`How long a context base model ${model.name} takes is not known.`];
  const limit = sequenceLength(model.context_length);
  const share = shareLongerThan(dataset.statistics, limit);
  if (share === null) {
    if (dataset.status !== 'ready') return [];
    return [`The tokens of dataset ${dataset.name} are not counted: rows longer than ${limit} tokens would be cut.`];
  }
  if (share === 0) return [];
  const percent = share < 0.001 ? 'less than 0.1' : String(Math.round(share * 1000) / 10);
  return [`About ${percent} % of the rows of dataset ${dataset.name} are longer than ${limit} tokens and are cut.`];
}
