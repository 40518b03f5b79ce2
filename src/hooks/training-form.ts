/** What a person typed into the training form, and what it comes to. */
import {
  HYPERPARAMETER_PRESETS,
  type HyperparameterConfig,
  type HyperparameterName,
  HyperparameterOverrides,
  type PresetId,
} from '#/domain/hyperparameters.ts';
import { whyUnshared } from '#/domain/planner.ts';
import { RowTokens } from '#/domain/recipes.ts';
import { written } from '#/domain/written-number.ts';
import { readNumber } from './read-number.ts';
import type { CreateJob } from './useJobVerbs.ts';

export type FormPreset = Exclude<PresetId, 'custom'>;
export type TypedValues = Record<HyperparameterName, string>;

export interface TrainingForm {
  dataset_id: string;
  /** Null until one was chosen: then it is the preselected one. */
  base_model_id: string | null;
  preset_id: FormPreset;
  /** As typed. */
  values: TypedValues;
  /** Empty: all epochs to their end. */
  max_steps: string;
  /** Tokens at which rows are cut; empty: as planned. */
  max_seq_length: string;
  /** Of the catalogue; empty: what the studio's machine has. */
  gpu_type: string;
  gpu_count: number;
  name: string;
}

/** The form with its model: the one that was chosen, or the preselected one. */
export type ChosenForm = TrainingForm & { base_model_id: string };

export const HYPERPARAMETER_NAMES = Object.keys(HYPERPARAMETER_PRESETS.balanced) as HyperparameterName[];

const MAX_STEPS_MAX = 1_000_000;

export function presetValues(preset_id: FormPreset): TypedValues {
  const preset = HYPERPARAMETER_PRESETS[preset_id];
  return Object.fromEntries(HYPERPARAMETER_NAMES.map((name) => [name, written(preset[name])])) as TypedValues;
}

/** The model that is chosen before anybody chose: the studio's default where it can be trained, else the only one that can. */
export function preselected(models: readonly { id: string }[], default_model_id: string | null): string {
  const found = models.find(({ id }) => id === default_model_id) ?? (models.length === 1 ? models[0] : undefined);
  return found?.id ?? '';
}

/** Names of the values that are no longer the preset's own. */
export function changedFields({ preset_id, values }: TrainingForm): HyperparameterName[] {
  return HYPERPARAMETER_NAMES.filter((name) => readNumber(values[name]) !== HYPERPARAMETER_PRESETS[preset_id][name]);
}

export type FormErrors = Partial<Record<HyperparameterName | 'gpu_count' | 'max_steps' | 'max_seq_length', string>>;

/** Every broken rule of the numbers, in the domain's own words. */
export function formErrors(form: TrainingForm): FormErrors {
  const errors: FormErrors = {};
  for (const name of HYPERPARAMETER_NAMES) {
    const text = form.values[name].trim();
    if (text === '') errors[name] = `Type a number; the preset has ${written(HYPERPARAMETER_PRESETS[form.preset_id][name])}`;
    else {
      const issue = HyperparameterOverrides.shape[name].safeParse(readNumber(text)).error?.issues[0];
      if (issue !== undefined) errors[name] = issue.message;
    }
  }
  if (errors.batch_size === undefined) {
    const unshared = whyUnshared(readNumber(form.values.batch_size), form.gpu_count);
    if (unshared !== null) errors.gpu_count = unshared;
  }
  if (form.max_steps.trim() !== '') {
    const steps = readNumber(form.max_steps);
    if (!Number.isInteger(steps) || steps < 1 || steps > MAX_STEPS_MAX) {
      errors.max_steps = `must be a whole number from 1 to ${MAX_STEPS_MAX}, or empty`;
    }
  }
  if (form.max_seq_length.trim() !== '' && !RowTokens.safeParse(readNumber(form.max_seq_length)).success)
    errors.max_seq_length = `must be a whole number from ${RowTokens.minValue} to ${RowTokens.maxValue}, or empty`;
  return errors;
}

/** The values as numbers, once there is no error among them. */
export function typedNumbers(values: TypedValues): HyperparameterConfig {
  return Object.fromEntries(HYPERPARAMETER_NAMES.map((name) => [name, readNumber(values[name])])) as HyperparameterConfig;
}

/** The submission: the preset and only what differs from it. */
export function submission(form: ChosenForm): CreateJob {
  const numbers = typedNumbers(form.values);
  return {
    dataset_id: form.dataset_id,
    base_model_id: form.base_model_id,
    preset_id: form.preset_id,
    hyperparameters: Object.fromEntries(changedFields(form).map((name) => [name, numbers[name]])),
    ...(form.max_steps.trim() === '' ? {} : { max_steps: readNumber(form.max_steps) }),
    ...(form.max_seq_length.trim() === '' ? {} : { max_seq_length: readNumber(form.max_seq_length) }),
    ...(form.gpu_type === '' && form.gpu_count === 1
      ? {}
      : { gpu_config: { type: form.gpu_type === '' ? null : form.gpu_type, count: form.gpu_count } }),
    ...(form.name.trim() === '' ? {} : { name: form.name.trim() }),
  };
}
