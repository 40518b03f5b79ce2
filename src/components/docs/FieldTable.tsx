import { Table, Td, Th } from '#/components/ui/Table.tsx';
import type { FieldRow } from './operations.ts';

/** Parameters or fields with what they take. */
export function FieldTable({ label, title, rows }: { label: string; title: string; rows: FieldRow[] }) {
  return (
    <div className="min-w-0">
      <h3 className="mb-1.5 text-base">{title}</h3>
      {rows.length > 0 && (
        <div className="rounded-lg border bg-panel">
          <Table label={label}>
            <thead>
              <tr>
                <Th>Name</Th>
                <Th>Takes</Th>
                <Th>About</Th>
              </tr>
            </thead>
            <tbody>
              {rows.map(({ id, name, depth, kind, required, about }) => (
                <tr key={id} className="group align-top">
                  <Td className="py-1.5 align-top">
                    <span className="whitespace-nowrap" style={{ paddingLeft: `${depth}rem` }}>
                      <code className="font-mono text-sm">{name}</code>
                      {required && <span className="ml-1.5 text-soft text-xs">required</span>}
                    </span>
                  </Td>
                  <Td className="min-w-40 max-w-80 py-1.5 align-top text-soft text-sm [overflow-wrap:anywhere]">{kind}</Td>
                  <Td className="min-w-48 py-1.5 align-top text-sm">{about}</Td>
                </tr>
              ))}
            </tbody>
          </Table>
        </div>
      )}
    </div>
  );
}
