'use client';
import { useState } from 'react';
import { formValues } from '#/components/account/form-values.ts';
import { Alert } from '#/components/ui/Alert.tsx';
import { Button } from '#/components/ui/Button.tsx';
import { Dialog } from '#/components/ui/Dialog.tsx';
import { Field, Input } from '#/components/ui/Field.tsx';
import { Segments } from '#/components/ui/Segments.tsx';
import { tell } from '#/hooks/notify.ts';
import { type ModelSource, useRegisterModel } from '#/hooks/useBaseModels.ts';
import { unplaced, violation } from '#/hooks/violation.ts';

type Source = 'hub' | 'folder';

interface RegisterModelDialogProps {
  open: boolean;
  onOpenChange(open: boolean): void;
  /** Folders of the machine are an administrator's to name. */
  mayUseFolders: boolean;
}

export function RegisterModelDialog({ open, onOpenChange, mayUseFolders }: RegisterModelDialogProps) {
  const [source, setSource] = useState<Source>('hub');
  const register = useRegisterModel();
  const error = register.error;
  const fault = unplaced(error, ['path', 'hf_repo_id', 'revision', 'name']);
  const change = (next: boolean) => {
    register.reset();
    onOpenChange(next);
  };
  return (
    <Dialog
      open={open}
      onOpenChange={change}
      title="Add a base model"
      description="Safetensors weights with a tokenizer. Pickled weights and models that bring code of their own are refused."
    >
      <form
        className="grid gap-4"
        onSubmit={(event) => {
          const { path = '', hf_repo_id = '', revision = '', name = '' } = formValues(event);
          const named = name.trim() === '' ? {} : { name };
          const from: ModelSource =
            source === 'folder'
              ? { path: path.trim(), ...named }
              : { hf_repo_id: hf_repo_id.trim(), revision: revision.trim() || 'main', ...named };
          register.mutate(from, {
            onSuccess: (model) => {
              tell(model.status === 'fetching' ? `${model.name} is being fetched` : `${model.name} is in the list`);
              change(false);
            },
          });
        }}
      >
        {mayUseFolders && (
          <Segments<Source>
            label="Where the model is"
            className="justify-self-start"
            value={source}
            onChange={(next) => {
              register.reset();
              setSource(next);
            }}
            options={[
              ['hub', 'Hugging Face Hub'],
              ['folder', 'Folder of this machine'],
            ]}
          />
        )}
        {source === 'hub' ? (
          <>
            <Field label="Hub id" hint="As in the address of its page: owner/name." error={violation(error, 'hf_repo_id')}>
              {(control) => (
                <Input
                  {...control}
                  name="hf_repo_id"
                  required
                  placeholder="HuggingFaceTB/SmolLM-135M"
                  autoComplete="off"
                  spellCheck={false}
                />
              )}
            </Field>
            <Field
              label="Revision"
              hint="A branch, tag or commit; it is pinned to the commit it names now."
              error={violation(error, 'revision')}
            >
              {(control) => <Input {...control} name="revision" defaultValue="main" autoComplete="off" spellCheck={false} />}
            </Field>
          </>
        ) : (
          <Field
            label="Folder"
            hint="Absolute path, below the models folder of the data directory or one that LOWRANK_MODEL_FOLDERS names. It is read where it lies."
            error={violation(error, 'path')}
          >
            {(control) => (
              <Input
                {...control}
                name="path"
                required
                placeholder="/srv/models/my-model"
                className="font-mono"
                autoComplete="off"
                spellCheck={false}
              />
            )}
          </Field>
        )}
        <Field label="Name (optional)" error={violation(error, 'name')}>
          {(control) => <Input {...control} name="name" maxLength={120} autoComplete="off" />}
        </Field>
        {fault !== null && <Alert tone="bad" title={fault} />}
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={() => change(false)}>Not now</Button>
          <Button type="submit" variant="primary" busy={register.isPending}>
            Add the model
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
