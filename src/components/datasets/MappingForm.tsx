'use client';
import { useState } from 'react';
import { Button } from '#/components/ui/Button.tsx';
import { Field, Select } from '#/components/ui/Field.tsx';
import { Panel } from '#/components/ui/Panel.tsx';
import type { Dataset } from '#/contract/datasets.ts';
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
  dataset: Pick<Dataset, 'id' | 'format' | 'mapping'>;
  columns: string[];
  suggestion: DatasetReport['suggestion'];
  title: string;
  /** What it means to read the file anew. */
  about?: string;
  /** Where there is something to go back to. */
  onClose?(): void;
}

/** Says which column of a file holds what; the file is then checked again. What it is read by now, or looks like, is chosen. */
export function MappingForm({ dataset, columns, suggestion, title, about, onClose }: MappingFormProps) {
  const change = useChangeDataset(dataset.id);
  const [format, setFormat] = useState<Form['format']>(
    () => FORMS.find((form) => form.format === (dataset.format ?? suggestion?.format))?.format ?? 'prompt_completion',
  );
  const [mapping, setMapping] = useState<ColumnMapping>(() => ({ ...suggestion?.mapping, ...dataset.mapping }));
  const form = FORMS.find((one) => one.format === format) ?? FORMS[0]!;
  const columnOf = (field: FieldName) => mapping[field] ?? (columns.includes(field) ? field : '');
  const missing = form.fields
    .filter(([field, , optional]) => !optional && columnOf(field) === '')
    .map(([, label]) => label.toLowerCase());
  return (
    <Panel title={title}>
      {about && <p className="mb-4 max-w-prose text-pretty text-soft">{about}</p>}
      <form
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          // A column that has its field's own name is found without a mapping.
          const chosen = form.fields.map(([field]) => [field, columnOf(field)] as const);
          const renamed = chosen.filter(([field, column]) => column !== '' && column !== field);
          change.mutate({ format, mapping: Object.fromEntries(renamed) }, { onSuccess: onClose });
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
                  value={columnOf(field)}
                  onChange={(event) => setMapping({ ...mapping, [field]: event.target.value })}
                >
                  {/* A field that has a column of its own name is read in any case. */}
                  {!(optional && columns.includes(field)) && <option value="">{optional ? 'None' : 'Choose a column'}</option>}
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
          {onClose && <Button onClick={onClose}>Leave it as it is</Button>}
          {missing.length > 0 && <span className="text-soft text-sm">Still to choose: {missing.join(', ')}.</span>}
        </div>
      </form>
    </Panel>
  );
}
