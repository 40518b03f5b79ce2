'use client';
import { formValues } from '#/components/account/form-values.ts';
import { Alert } from '#/components/ui/Alert.tsx';
import { Button } from '#/components/ui/Button.tsx';
import { CopyButton } from '#/components/ui/CopyButton.tsx';
import { Dialog } from '#/components/ui/Dialog.tsx';
import { Field, Input, Select } from '#/components/ui/Field.tsx';
import { useCreateApiKey } from '#/hooks/useApiKeys.ts';
import { unplaced, violation } from '#/hooks/violation.ts';

const DAY_MS = 86_400_000;
const LIFETIMES = [
  ['', 'Until it is revoked'],
  ['30', '30 days'],
  ['90', '90 days'],
  ['365', '1 year'],
] as const;

/** Asks for a name and scopes, then shows the key this once. */
export function CreateKeyDialog({ open, onOpenChange }: { open: boolean; onOpenChange(open: boolean): void }) {
  const create = useCreateApiKey();
  const fault = unplaced(create.error, ['name', 'expires_at']);
  const change = (next: boolean) => {
    if (!next) create.reset();
    onOpenChange(next);
  };
  if (create.data) {
    return (
      <Dialog
        open={open}
        onOpenChange={change}
        title={`The key ${create.data.name}`}
        description="Copy it now: it is not shown again."
        actions={
          <Button variant="primary" onClick={() => change(false)}>
            I have copied it
          </Button>
        }
      >
        <div className="flex flex-wrap items-center gap-2 rounded-md border bg-sunken p-3">
          <code className="min-w-0 flex-1 font-mono text-sm [overflow-wrap:anywhere]">{create.data.key}</code>
          <CopyButton text={create.data.key} />
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog open={open} onOpenChange={change} title="New API key" description="Whoever has it acts as you, within its scopes.">
      <form
        className="grid gap-4"
        onSubmit={(event) => {
          const { name = '', scope, days = '' } = formValues(event);
          const expires = days === '' ? {} : { expires_at: new Date(Date.now() + Number(days) * DAY_MS).toISOString() };
          create.mutate({ name, scopes: scope === 'read' ? ['read'] : ['read', 'write'], ...expires });
        }}
      >
        <Field label="Name" hint="What it is for, so that you know it again." error={violation(create.error, 'name')}>
          {(control) => <Input {...control} name="name" required maxLength={120} autoComplete="off" />}
        </Field>
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label="Scope">
            {(control) => (
              <Select {...control} name="scope">
                <option value="write">Read and write</option>
                <option value="read">Read only</option>
              </Select>
            )}
          </Field>
          <Field label="Works" error={violation(create.error, 'expires_at')}>
            {(control) => (
              <Select {...control} name="days">
                {LIFETIMES.map(([value, text]) => (
                  <option key={value} value={value}>
                    {text}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        </div>
        {fault !== null && <Alert tone="bad" title={fault} />}
        <div className="flex justify-end gap-2">
          <Button onClick={() => change(false)}>Not now</Button>
          <Button type="submit" variant="primary" busy={create.isPending}>
            Make the key
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
