'use client';
import { useState } from 'react';
import { Button } from '#/components/ui/Button.tsx';
import { Field, Select } from '#/components/ui/Field.tsx';
import { Panel } from '#/components/ui/Panel.tsx';
import type { DatasetReport } from '#/domain/dataset-report.ts';
import type { ColumnMapping } from '#/domain/trainer-config.ts';
import { useChangeDataset } from '#/hooks/useDatasets.ts';

type FieldName = keyof ColumnMapping;
interface Form {
  format: 'prompt_completion' | 'chat' | 'sharegpt' | 'alpaca' | 'text';
  name: string;
  fields: readonly (readonly [field: FieldName, label: string, optional?: true])[];
}

const FORMS: readonly Form[] = [
  {
    format: 'prompt_completion',
    name: 'A question and its answer',
    fields: [
      ['prompt', 'Question or prompt'],
      ['completion', 'Answer to learn'],
      ['system', 'System message', true],
    ],
  },
  { format: 'chat', name: 'A list of chat messages (role, content)', fields: [['messages', 'Messages']] },
  { format: 'sharegpt', name: 'A ShareGPT conversation (from, value)', fields: [['conversations', 'Conversation']] },
  {
    format: 'alpaca',
    name: 'An instruction, perhaps with an input, and its output',
    fields: [
      ['instruction', 'Instruction'],
      ['input', 'Input', true],
      ['output', 'Output to learn'],
    ],
  },
  { format: 'text', name: 'Plain text, learned whole', fields: [['text', 'Text']] },
];

interface MappingFormProps {
  dataset_id: string;
  columns: string[];
  suggestion: DatasetReport['suggestion'];
}

/** Says which column of a file with names of its own holds what; the file is then checked again. */
export function MappingForm({ dataset_id, columns, suggestion }: MappingFormProps) {
  const change = useChangeDataset(dataset_id);
  const [format, setFormat] = useState<Form['format']>(
    () => FORMS.find((form) => form.format === suggestion?.format)?.format ?? 'prompt_completion',
  );
  const [mapping, setMapping] = useState<ColumnMapping>(suggestion?.mapping ?? {});
  const form = FORMS.find((one) => one.format === format) ?? FORMS[0]!;
  const missing = form.fields
    .filter(([field, , optional]) => !optional && !mapping[field])
    .map(([, label]) => label.toLowerCase());
  return (
    <Panel title="Say what the columns hold">
      <form
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          const chosen = form.fields.flatMap(([field]) => (mapping[field] ? [[field, mapping[field]]] : []));
          change.mutate({ format, mapping: Object.fromEntries(chosen) });
        }}
      >
        <Field label="Each row is" className="max-w-md">
          {(control) => (
            <Select {...control} value={format} onChange={(event) => setFormat(event.target.value as Form['format'])}>
              {FORMS.map((one) => (
                <option key={one.format} value={one.format}>
                  {one.name}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <div className="grid gap-4 sm:grid-cols-2 lg:grid-cols-3">
          {form.fields.map(([field, label, optional]) => (
            <Field key={field} label={optional ? `${label} (optional)` : label}>
              {(control) => (
                <Select
                  {...control}
                  value={mapping[field] ?? ''}
                  onChange={(event) => setMapping({ ...mapping, [field]: event.target.value })}
                >
                  <option value="">{optional ? 'None' : 'Choose a column'}</option>
                  {columns.map((column) => (
                    <option key={column} value={column}>
                      {column}
                    </option>
                  ))}
                </Select>
              )}
            </Field>
          ))}
        </div>
        <div className="flex flex-wrap items-center gap-3">
          <Button type="submit" variant="primary" busy={change.isPending} disabled={missing.length > 0}>
            Use these columns and check again
          </Button>
          {missing.length > 0 && <span className="text-soft text-sm">Still to choose: {missing.join(', ')}.</span>}
        </div>
      </form>
    </Panel>
  );
}
