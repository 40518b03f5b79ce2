import { Play } from 'lucide-react';
import { Button } from '#/components/ui/Button.tsx';
import { Panel } from '#/components/ui/Panel.tsx';
import type { BaseModel } from '#/contract/base-models.ts';
import type { DatasetSummary } from '#/contract/datasets.ts';
import type { TextForecast } from '#/domain/foresight/foresee.ts';
import type { FormErrors } from '#/hooks/training-form.ts';
import { FIELD_WORDS } from './preset-words.ts';

interface SubmitCardProps {
  dataset: DatasetSummary | undefined;
  model: BaseModel | undefined;
  errors: FormErrors;
  forecast: TextForecast | null;
  busy: boolean;
}

/** The button; while it cannot start, the reason. */
export function SubmitCard({ dataset, model, errors, forecast, busy }: SubmitCardProps) {
  const reason = whyNot(dataset, model, errors, forecast);
  return (
    <Panel>
      <Button
        type="submit"
        variant="primary"
        className="w-full"
        disabled={reason !== null}
        busy={busy}
        aria-describedby="why-not"
      >
        {!busy && <Play aria-hidden />}
        Start training
      </Button>
      <p id="why-not" className="mt-2 min-h-5 text-soft text-sm">
        {reason ?? 'It is queued and starts as soon as there is a free place.'}
      </p>
    </Panel>
  );
}

function whyNot(
  dataset: DatasetSummary | undefined,
  model: BaseModel | undefined,
  errors: FormErrors,
  forecast: TextForecast | null,
): string | null {
  if (dataset === undefined) return 'Choose a dataset first.';
  if (!dataset.training_ready)
    return dataset.status === 'error'
      ? 'The dataset needs attention first: see its report.'
      : 'The dataset is still being checked.';
  if (model === undefined) return 'Choose a base model first.';
  const broken = Object.keys(errors)[0];
  if (broken === undefined)
    return forecast?.foreseen?.verdict === 'will_not_fit' ? 'It does not fit: change what is named above first.' : null;
  const label = OTHER_LABELS[broken as keyof typeof OTHER_LABELS] ?? FIELD_WORDS[broken as keyof typeof FIELD_WORDS].label;
  return `Mend “${label}” first.`;
}

const OTHER_LABELS = { max_steps: 'Stop after', max_seq_length: 'Cut rows at', gpu_count: 'How many' } as const;
