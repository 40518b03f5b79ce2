'use client';
import '#/hooks/zod-without-eval.ts';
import { useRouter } from 'next/navigation';
import { useMemo, useRef } from 'react';
import { Alert } from '#/components/ui/Alert.tsx';
import { Button } from '#/components/ui/Button.tsx';
import { Field, Input, Select } from '#/components/ui/Field.tsx';
import { Panel } from '#/components/ui/Panel.tsx';
import { formatOf } from '#/components/units.ts';
import type { BaseModel } from '#/contract/base-models.ts';
import type { DatasetSummary } from '#/contract/datasets.ts';
import type { Gpu } from '#/contract/gpu-catalog.ts';
import type { TextForecast } from '#/domain/foresight/foresee.ts';
import type { Corrections } from '#/domain/foresight/learning/correction.ts';
import { DEVICES_MAX, type HyperparameterName } from '#/domain/hyperparameters.ts';
import { randomKey } from '#/hooks/random-key.ts';
import { readNumber } from '#/hooks/read-number.ts';
import { formForecast, ownGpu, withChanges } from '#/hooks/training-forecast.ts';
import { HYPERPARAMETER_NAMES, preselected, submission, type TrainingForm } from '#/hooks/training-form.ts';
import { useCreateTrainingJob } from '#/hooks/useJobVerbs.ts';
import { useSettled } from '#/hooks/useSettled.ts';
import { useTrainingConfig } from '#/hooks/useTrainingConfig.ts';
import { violation } from '#/hooks/violation.ts';
import { ForecastCard } from './ForecastCard.tsx';
import { formatHours, formatUsd } from './forecast-words.ts';
import { HyperparameterField } from './HyperparameterField.tsx';
import { PresetCards } from './PresetCards.tsx';
import { FIELD_WORDS, PRESETS, presetAdvice } from './preset-words.ts';
import { SubmitCard } from './SubmitCard.tsx';

interface ConfigureFormProps {
  dataset_id: string;
  datasets: DatasetSummary[];
  models: BaseModel[];
  gpus: Gpu[];
  /** What finished runs say of the formulas. */
  corrections: Corrections;
  /** What the studio would train where none is named. */
  default_model_id: string | null;
}

export function ConfigureForm({ dataset_id, datasets, models, gpus, corrections, default_model_id }: ConfigureFormProps) {
  const router = useRouter();
  const usable = datasets.filter(({ training_ready }) => training_ready);
  const ready = models.filter(({ status }) => status === 'ready');
  const { form, errors, changed, set, setValue, choosePreset, replace } = useTrainingConfig(dataset_id);
  const create = useCreateTrainingJob();
  // One key for one body: pressing twice, or again after a lost answer, makes one job.
  const sent = useRef({ text: '', key: '' });
  const base_model_id = form.base_model_id ?? preselected(ready, default_model_id);
  const chosen = useMemo(() => ({ ...form, base_model_id }), [form, base_model_id]);
  const dataset = datasets.find(({ id }) => id === chosen.dataset_id);
  const model = ready.find(({ id }) => id === chosen.base_model_id);
  const device = gpus.find(({ type }) => type === form.gpu_type) ?? ownGpu(gpus);
  const asked = useSettled(chosen, SETTLED_MS);
  const forecast = useMemo(
    () => formForecast(asked, { dataset, model, gpus, corrections }),
    [asked, dataset, model, gpus, corrections],
  );
  const alone = useMemo(
    () => (asked.gpu_count === 1 ? null : formForecast({ ...asked, gpu_count: 1 }, { dataset, model, gpus, corrections })),
    [asked, dataset, model, gpus, corrections],
  );
  const preset = PRESETS.find(({ id }) => id === form.preset_id)?.name;

  const submit = () => {
    const body = submission(chosen);
    const text = JSON.stringify(body);
    if (sent.current.text !== text) sent.current = { text, key: randomKey() };
    create.mutate({ body, key: sent.current.key }, { onSuccess: (job) => router.push(`/jobs/${job.id}`) });
  };

  const error = create.error;
  return (
    <form
      className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_19rem]"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <div className="grid min-w-0 gap-4">
        <Panel title="Dataset and base model">
          <div className="grid gap-4 sm:grid-cols-2">
            <Field
              label="Dataset"
              error={violation(error, 'dataset_id') ?? (dataset && !dataset.training_ready ? notReady(dataset) : undefined)}
              hint={
                dataset?.training_ready
                  ? `${formatOf(dataset.total_training_pairs ?? 0, 'row')} to train on, ${dataset.total_validation_pairs ?? 0} held out`
                  : undefined
              }
            >
              {(control) => (
                <Select {...control} value={dataset?.id ?? ''} onChange={(event) => set({ dataset_id: event.target.value })}>
                  <option value="">Choose a dataset</option>
                  {dataset && !dataset.training_ready && <option value={dataset.id}>{dataset.name}</option>}
                  {usable.map(({ id, name }) => (
                    <option key={id} value={id}>
                      {name}
                    </option>
                  ))}
                </Select>
              )}
            </Field>
            <Field
              label="Base model"
              error={violation(error, 'base_model_id')}
              hint={
                model?.has_chat_template === false
                  ? 'It has no chat template: prompt and completion are joined as they are.'
                  : undefined
              }
            >
              {(control) => (
                <Select {...control} value={model?.id ?? ''} onChange={(event) => set({ base_model_id: event.target.value })}>
                  <option value="">Choose a base model</option>
                  {ready.map(({ id, name }) => (
                    <option key={id} value={id}>
                      {name}
                    </option>
                  ))}
                </Select>
              )}
            </Field>
            <Field
              label="Device"
              error={violation(error, 'gpu_config')}
              hint="What the training is priced and foretold on; it runs on what the studio has."
            >
              {(control) => (
                <Select {...control} value={form.gpu_type} onChange={(event) => set({ gpu_type: event.target.value })}>
                  <option value="">This machine{device && form.gpu_type === '' ? ` · ${deviceWords(device)}` : ''}</option>
                  {gpus.map((gpu) => (
                    <option key={gpu.type} value={gpu.type}>
                      {gpu.type} · {deviceWords(gpu)}
                    </option>
                  ))}
                </Select>
              )}
            </Field>
            <Field
              label="How many"
              hint={sharingWords(asked, forecast, alone)}
              error={errors.gpu_count ?? violation(error, 'gpu_config.count')}
            >
              {(control) => (
                <Select
                  {...control}
                  className="w-24"
                  value={form.gpu_count}
                  onChange={(event) => set({ gpu_count: Number(event.target.value) })}
                >
                  {COUNTS.map((count) => (
                    <option key={count} value={count}>
                      {count}
                    </option>
                  ))}
                </Select>
              )}
            </Field>
            <Field
              label="Name of the training (optional)"
              className="sm:col-span-2"
              hint="So that you find it again."
              error={violation(error, 'name')}
            >
              {(control) => (
                <Input
                  {...control}
                  autoComplete="off"
                  maxLength={120}
                  value={form.name}
                  onChange={(event) => set({ name: event.target.value })}
                />
              )}
            </Field>
          </div>
        </Panel>
        <Panel title="Preset">
          <PresetCards value={form.preset_id} onChange={choosePreset} />
          <p className="mt-3 max-w-[80ch] text-soft text-sm">{presetAdvice(model)}</p>
        </Panel>
        <Panel
          title="Hyperparameters"
          aside={
            <span className="flex min-h-7 items-center gap-3 text-soft text-sm">
              {changed.length === 0 ? (
                `As ${preset} sets them`
              ) : (
                <>
                  {formatOf(changed.length, 'value')} changed from {preset}
                  <Button size="sm" onClick={() => choosePreset(form.preset_id)}>
                    Back to {preset}
                  </Button>
                </>
              )}
            </span>
          }
        >
          <div className="grid gap-x-8 gap-y-5 sm:grid-cols-2">
            {HYPERPARAMETER_NAMES.map((name) => (
              <HyperparameterField
                key={name}
                name={name}
                value={form.values[name]}
                error={inLabels(errors[name] ?? violation(error, `hyperparameters.${name}`))}
                onChange={(value) => setValue(name, value)}
              />
            ))}
            <Field
              label="Stop after (optional)"
              hint="Steps; ends the run before its epochs do."
              error={errors.max_steps ?? violation(error, 'max_steps')}
            >
              {(control) => (
                <Input
                  {...control}
                  inputMode="numeric"
                  autoComplete="off"
                  className="w-24"
                  value={form.max_steps}
                  onChange={(event) => set({ max_steps: event.target.value })}
                />
              )}
            </Field>
            <Field
              label="Cut rows at (optional)"
              hint="Tokens; at most what the model takes. Empty: at most 2,048."
              error={errors.max_seq_length ?? violation(error, 'max_seq_length')}
            >
              {(control) => (
                <Input
                  {...control}
                  inputMode="numeric"
                  autoComplete="off"
                  className="w-24"
                  value={form.max_seq_length}
                  onChange={(event) => set({ max_seq_length: event.target.value })}
                />
              )}
            </Field>
          </div>
        </Panel>
      </div>
      <div className="grid gap-4 lg:sticky lg:top-7">
        <ForecastCard
          forecast={forecast}
          device={device?.type ?? 'this device'}
          knows_model={(model?.shape ?? null) !== null}
          canApply={({ changes }) => withChanges(form, changes) !== null}
          onApply={({ changes }) => replace((now) => withChanges(now, changes) ?? now)}
        />
        <SubmitCard
          dataset={dataset}
          model={model}
          errors={errors}
          forecast={forecast}
          busy={create.isPending || create.isSuccess}
        />
        {error && <Alert tone="bad" title={error.message} />}
      </div>
    </form>
  );
}

/** Long enough for a slider to come to rest. */
const SETTLED_MS = 150;

const COUNTS = Array.from({ length: DEVICES_MAX }, (_, more) => 1 + more);

/** What more devices bring, beside one of them. */
function sharingWords({ gpu_count, values }: TrainingForm, forecast: TextForecast | null, alone: TextForecast | null): string {
  if (gpu_count === 1 || forecast === null || alone === null) return 'More of them share the rows of each batch.';
  const rows = readNumber(values.batch_size) / gpu_count;
  const told = ({ hours, cost }: TextForecast) => `${formatHours(hours.figure)} for ${formatUsd(cost.figure)}`;
  return `Each takes ${formatOf(rows, 'row')} of a batch: ${told(forecast)}, in place of ${told(alone)}.`;
}

function deviceWords({ type, memory_gb, hourly_rate }: Gpu): string {
  const named = type === 'CPU' || type === 'Own-GPU' ? [type === 'CPU' ? 'processor' : 'own GPU'] : [];
  const memory = memory_gb === null ? [] : [`${Math.round(memory_gb)} GB`];
  return [...named, ...memory, hourly_rate === 0 ? 'free' : `$${hourly_rate.toFixed(2)} an hour`].join(' · ');
}

function notReady(dataset: DatasetSummary): string {
  if (dataset.status === 'error') return 'It cannot be trained on as it is: its report says what to mend.';
  return 'It is still being checked. This page goes on by itself when it is ready.';
}

/** Rules name a field as the API does; here they name it as its label does. */
function inLabels(rule: string | undefined): string | undefined {
  return rule?.replace(/^[a-z_]+(?= )/, (name) => FIELD_WORDS[name as HyperparameterName]?.label ?? name);
}
