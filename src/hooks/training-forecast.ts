/** What the form's training will take: by the planner itself, with no request, from what the lists have brought. */
import type { BaseModel } from '#/contract/base-models.ts';
import type { DatasetSummary } from '#/contract/datasets.ts';
import type { Gpu } from '#/contract/gpu-catalog.ts';
import type { Change } from '#/domain/foresight/advice.ts';
import { foresee, type TextForecast } from '#/domain/foresight/foresee.ts';
import type { Corrections } from '#/domain/foresight/learning/correction.ts';
import { rowLengths, trainedShare } from '#/domain/foresight/time/row-lengths.ts';
import { factsOfGpu, type GpuType } from '#/domain/gpu-catalog.ts';
import { NO_WISHES } from '#/domain/training-spec.ts';
import { readNumber } from './read-number.ts';
import { formErrors, type TrainingForm, typedNumbers } from './training-form.ts';

/** The device that is trained on where the form names none: the studio's own GPU where it has one, else its processor. */
export function ownGpu(gpus: readonly Gpu[]): Gpu | undefined {
  const own = gpus.find(({ type, memory_gb }) => type === ('Own-GPU' satisfies GpuType) && memory_gb !== null);
  return own ?? gpus.find(({ type }) => type === ('CPU' satisfies GpuType));
}

export interface ForecastSources {
  dataset: DatasetSummary | undefined;
  model: BaseModel | undefined;
  gpus: readonly Gpu[];
  /** What finished runs say of the formulas. */
  corrections: Corrections;
}

/** Null while the form has a fault, no dataset that is ready, or no device. Without a model only steps, hours and cost are told. */
export function formForecast(form: TrainingForm, { dataset, model, gpus, corrections }: ForecastSources): TextForecast | null {
  const gpu = form.gpu_type === '' ? ownGpu(gpus) : gpus.find(({ type }) => type === form.gpu_type);
  if (gpu === undefined || !dataset?.training_ready || Object.keys(formErrors(form)).length > 0) return null;
  const typed = (text: string): number | null => (text.trim() === '' ? null : readNumber(text));
  return foresee({
    spec: {
      method: 'lora',
      hyperparameters: typedNumbers(form.values),
      max_steps: typed(form.max_steps),
      run: { ...NO_WISHES, max_seq_length: typed(form.max_seq_length) },
    },
    dataset: {
      training_pairs: dataset.total_training_pairs ?? 0,
      validation_pairs: dataset.total_validation_pairs ?? 0,
      tokens: dataset.total_tokens,
      bytes: dataset.file_size,
      lengths: rowLengths(dataset.statistics),
      trained_share: trainedShare(dataset.statistics),
    },
    model: { shape: model?.shape ?? null, context_length: model?.context_length ?? null },
    device: { ...gpu, count: form.gpu_count, facts: factsOfGpu(gpu) },
    offers: gpus.map((offer) => ({ ...offer, count: form.gpu_count, facts: factsOfGpu(offer) })),
    corrections,
  });
}

/** The form with an advice's changes, or null where they are no fields of it. */
export function withChanges(form: TrainingForm, changes: readonly Change[]): TrainingForm | null {
  return changes.reduce<TrainingForm | null>((changed, change) => changed && withChange(changed, change), form);
}

function withChange(form: TrainingForm, { field, value }: Change): TrainingForm | null {
  const text = String(value);
  if (field === 'max_seq_length') return { ...form, max_seq_length: text };
  if (field === 'gpu') return { ...form, gpu_type: text };
  if (field === 'gpus') return { ...form, gpu_count: Number(value) };
  if (field === 'rank') return { ...form, values: { ...form.values, rank: text } };
  // How a step goes through the device is chosen anyway.
  return field === 'gradient_checkpointing' || field === 'micro_batch' ? form : null;
}
