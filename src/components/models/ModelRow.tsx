'use client';
import { Trash2 } from 'lucide-react';
import { useState } from 'react';
import { Button } from '#/components/ui/Button.tsx';
import { Dialog } from '#/components/ui/Dialog.tsx';
import { Progress } from '#/components/ui/Progress.tsx';
import { Time } from '#/components/ui/Time.tsx';
import { formatCount } from '#/components/units.ts';
import type { BaseModel } from '#/contract/base-models.ts';
import { formatBytes } from '#/domain/bytes.ts';
import { useDeleteModel } from '#/hooks/useBaseModels.ts';
import { ModelBadge } from './ModelBadge.tsx';
import { parametersWords, sourceWords } from './model-words.ts';

export function ModelRow({ model, mayDelete }: { model: BaseModel; mayDelete: boolean }) {
  const facts = [
    parametersWords(model.params),
    model.dtype,
    model.context_length === null ? null : `${formatCount(model.context_length)} tokens of context`,
    model.size_bytes === null ? null : formatBytes(model.size_bytes),
    model.architecture,
    model.status === 'ready' && !model.has_chat_template ? 'no chat template' : null,
  ].filter((fact) => fact !== null);
  return (
    <li className="flex items-start justify-between gap-4 px-4 py-3">
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <span className="font-medium [overflow-wrap:anywhere]">{model.name}</span>
          <ModelBadge model={model} />
        </p>
        <p className="mt-0.5 text-soft text-sm [overflow-wrap:anywhere]">
          {sourceWords(model)} · added <Time at={model.created_at} />
        </p>
        {facts.length > 0 && <p className="mt-0.5 text-sm">{facts.join(' · ')}</p>}
        {model.status === 'fetching' && <Fetching model={model} />}
        {model.status_reason !== null && (
          <p className={model.status === 'error' ? 'mt-1 max-w-prose text-bad text-sm' : 'mt-1 max-w-prose text-sm text-warn'}>
            {model.status_reason.message}
          </p>
        )}
      </div>
      {mayDelete && <Delete model={model} />}
    </li>
  );
}

function Fetching({ model }: { model: BaseModel }) {
  const fetched = model.fetched;
  const known = fetched !== null && fetched.bytes_total > 0;
  return (
    <div className="mt-2 max-w-md">
      <Progress label={`Download of ${model.name}`} value={known ? (fetched.bytes / fetched.bytes_total) * 100 : null} />
      <p className="mt-1 text-soft text-sm">
        {known ? `${formatBytes(fetched.bytes)} of ${formatBytes(fetched.bytes_total)}` : 'Its files are being looked at'}
      </p>
    </div>
  );
}

function Delete({ model }: { model: BaseModel }) {
  const [asking, setAsking] = useState(false);
  const remove = useDeleteModel(model.id);
  return (
    <>
      <Button variant="ghost" size="icon" aria-label={`Remove ${model.name}`} onClick={() => setAsking(true)}>
        <Trash2 aria-hidden />
      </Button>
      <Dialog
        open={asking}
        onOpenChange={setAsking}
        title={`Remove ${model.name}?`}
        description={
          model.in_place
            ? 'Nobody can start a training from it any more. The folder on the machine stays as it is.'
            : 'Nobody can start a training from it any more. Adapters made from it keep working with their own copy of the model.'
        }
        actions={
          <>
            <Button onClick={() => setAsking(false)}>Keep it</Button>
            <Button
              variant="danger"
              busy={remove.isPending}
              onClick={() => remove.mutate(undefined, { onSettled: () => setAsking(false) })}
            >
              Remove the model
            </Button>
          </>
        }
      />
    </>
  );
}
