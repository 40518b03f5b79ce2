import { useState } from 'react';
import { DEFAULT_PRESET_ID, type HyperparameterName } from '#/domain/hyperparameters.ts';
import { changedFields, type FormPreset, formErrors, presetValues, type TrainingForm } from './training-form.ts';

/** The training form: what is in it, what is wrong with it, and how it changes. */
export function useTrainingConfig(dataset_id: string) {
  const [form, setForm] = useState<TrainingForm>(() => ({
    dataset_id,
    base_model_id: null,
    preset_id: DEFAULT_PRESET_ID,
    values: presetValues(DEFAULT_PRESET_ID),
    max_steps: '',
    max_seq_length: '',
    gpu_type: '',
    gpu_count: 1,
    name: '',
  }));
  return {
    form,
    errors: formErrors(form),
    changed: changedFields(form),
    set: (part: Partial<Omit<TrainingForm, 'preset_id' | 'values'>>) => setForm((now) => ({ ...now, ...part })),
    setValue: (name: HyperparameterName, value: string) =>
      setForm((now) => ({ ...now, values: { ...now.values, [name]: value } })),
    replace: setForm,
    /** Sets every number to the preset's. */
    choosePreset: (preset_id: FormPreset) => setForm((now) => ({ ...now, preset_id, values: presetValues(preset_id) })),
  };
}
