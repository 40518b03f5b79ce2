import { Table, Td, Th } from '#/components/ui/Table.tsx';
import type { FieldRow } from './operations.ts';
import { inline } from './Prose.tsx';

/** Parameters or fields with what they take. */
export function FieldTable({ label, title, rows }: { label: string; title: string; rows: FieldRow[] }) {
  return (
    <div className="min-w-0">
      <h3 className="mb-1.5 text-base">{inline(title)}</h3>
      {rows.length > 0 && (
        <div className="rounded-lg border bg-panel">
          <Table label={label}>
            <thead>
              <tr>
                <Th>Name</Th>
                <Th>Takes</Th>
                <Th className="max-sm:hidden">About</Th>
              </tr>
            </thead>
            <tbody>
              {rows.map(({ id, name, depth, kind, required, about }) => (
                <tr key={id} className="group align-top">
                  <Td className="py-1.5 align-top">
                    <span className="block min-w-32 [overflow-wrap:anywhere]" style={{ paddingLeft: `${depth}rem` }}>
                      <code className="font-mono text-sm">{name}</code>{' '}
                      {required && <span className="inline-block text-soft text-xs">required</span>}
                    </span>
                  </Td>
                  <Td className="max-w-80 py-1.5 align-top text-soft text-sm [overflow-wrap:anywhere] sm:min-w-32">
                    {kind}
                    {about !== '' && <span className="mt-0.5 block text-ink sm:hidden">{inline(about)}</span>}
                  </Td>
                  <Td className="hidden min-w-40 py-1.5 align-top text-sm [overflow-wrap:anywhere] sm:table-cell">
                    {inline(about)}
                  </Td>
                </tr>
              ))}
            </tbody>
          </Table>
        </div>
      )}
    </div>
  );
}
