'use client';
import { Check } from 'lucide-react';
import { classNames } from '#/components/class-names.ts';
import { ButtonLink } from '#/components/ui/Button.tsx';
import { Panel } from '#/components/ui/Panel.tsx';
import { useBaseModels } from '#/hooks/useBaseModels.ts';
import { useDatasets } from '#/hooks/useDatasets.ts';
import { useTrainingJobs } from '#/hooks/useTrainingJobs.ts';

interface Step {
  title: string;
  about: string;
  href: string;
  action: string;
  done: boolean;
}

/** The way from a fresh installation to the first adapter; it leaves when it has been walked. */
export function FirstSteps() {
  const datasets = useDatasets({ limit: 1 });
  const models = useBaseModels({ limit: 1, trainable: true });
  const jobs = useTrainingJobs({ limit: 1 });
  if (!datasets.data || !models.data || !jobs.data || jobs.data.pagination.total > 0) return null;
  const steps: Step[] = [
    {
      title: 'Upload a dataset',
      about: 'JSON lines with what the model should learn to answer. Every row is checked, and you see it as the model will.',
      href: '/datasets',
      action: 'Upload',
      done: datasets.data.total > 0,
    },
    {
      title: 'Add a base model',
      about: 'From a folder on this machine or by its name on the Hugging Face Hub. Its facts are read from its files.',
      href: '/models',
      action: 'Add a model',
      done: models.data.total > 0,
    },
    {
      title: 'Start a training',
      about: 'A preset sets everything; you may change any of it. Watch the loss fall, then download the adapter.',
      href: '/training/configure',
      action: 'Start a training',
      done: false,
    },
  ];
  const next = steps.findIndex(({ done }) => !done);
  return (
    <Panel flush title="Three steps to your first adapter">
      <ol className="grid md:grid-cols-3">
        {steps.map((step, at) => (
          <li
            key={step.href}
            className="flex flex-col items-start gap-2 border-t p-4 first:border-t-0 md:border-t-0 md:border-l md:first:border-l-0"
          >
            <span
              className={classNames(
                'grid size-7 place-items-center rounded-full border font-medium text-sm',
                step.done ? 'border-transparent bg-good-wash text-good' : at === next ? 'border-accent text-accent' : 'text-soft',
              )}
            >
              {step.done ? <Check aria-label="Done" className="size-4" /> : at + 1}
            </span>
            <h3 className="text-base">{step.title}</h3>
            <p className="text-pretty text-soft text-sm">{step.about}</p>
            {!step.done && (
              <ButtonLink href={step.href} variant={at === next ? 'primary' : 'secondary'} size="sm" className="mt-auto">
                {step.action}
              </ButtonLink>
            )}
          </li>
        ))}
      </ol>
    </Panel>
  );
}
