import { Play } from 'lucide-react';
import { Button } from '#/components/ui/Button.tsx';
import { Panel } from '#/components/ui/Panel.tsx';
import { Facts } from '#/components/ui/Readout.tsx';
import { formatCount } from '#/components/units.ts';
import type { BaseModel } from '#/contract/base-models.ts';
import type { DatasetSummary } from '#/contract/datasets.ts';
import { countSteps, sequenceLength } from '#/domain/planner.ts';
import { readNumber } from '#/hooks/read-number.ts';
import { type FormErrors, type TrainingForm, typedNumbers } from '#/hooks/training-form.ts';
import { FIELD_WORDS } from './preset-words.ts';

interface SubmitCardProps {
  form: TrainingForm;
  dataset: DatasetSummary | undefined;
  model: BaseModel | undefined;
  errors: FormErrors;
  busy: boolean;
}

/** What the run will be, counted by the planner's own arithmetic, and the button; while it cannot start, the reason. */
export function SubmitCard({ form, dataset, model, errors, busy }: SubmitCardProps) {
  const reason = whyNot(dataset, model, errors);
  const pairs = dataset?.total_training_pairs ?? 0;
  const { batch_size, epochs } = typedNumbers(form.values);
  const limit = form.max_steps.trim() === '' ? null : readNumber(form.max_steps);
  const counted = pairs > 0 && !errors.batch_size && !errors.epochs && !errors.max_steps;
  const { steps_per_epoch, total_steps } = countSteps(pairs, batch_size, epochs, limit);
  const dash = '–';
  return (
    <Panel title="The run">
      <Facts
        facts={[
          [
            'Steps',
            counted ? (
              <b key="steps" className="font-medium">
                {formatCount(total_steps)}
              </b>
            ) : (
              dash
            ),
          ],
          ['Steps an epoch', counted ? formatCount(steps_per_epoch) : dash],
          ['Rows to train on', dataset?.training_ready ? formatCount(pairs) : dash],
          ['Held out', dataset?.training_ready ? formatCount(dataset.total_validation_pairs ?? 0) : dash],
          [
            'Rows are cut at',
            model?.context_length == null ? dash : `${formatCount(sequenceLength(model.context_length))} tokens`,
          ],
        ]}
      />
      <Button
        type="submit"
        variant="primary"
        className="mt-4 w-full"
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

function whyNot(dataset: DatasetSummary | undefined, model: BaseModel | undefined, errors: FormErrors): string | null {
  if (dataset === undefined) return 'Choose a dataset first.';
  if (!dataset.training_ready)
    return dataset.status === 'error'
      ? 'The dataset needs attention first: see its report.'
      : 'The dataset is still being checked.';
  if (model === undefined) return 'Choose a base model first.';
  const broken = Object.keys(errors)[0];
  if (broken === undefined) return null;
  const label = broken === 'max_steps' ? 'Stop after' : FIELD_WORDS[broken as keyof typeof FIELD_WORDS].label;
  return `Mend “${label}” first.`;
}
