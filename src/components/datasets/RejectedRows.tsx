import { Panel } from '#/components/ui/Panel.tsx';
import { Table, Td, Th } from '#/components/ui/Table.tsx';
import { formatCount, formatOf } from '#/components/units.ts';
import type { RejectedRow } from '#/domain/dataset-report.ts';
import { reasonWords } from './dataset-words.ts';

interface RejectedRowsProps {
  /** Those that the report names; there may be more. */
  rows: RejectedRow[];
  total: number;
  by_code: Record<string, number>;
}

export function RejectedRows({ rows, total, by_code }: RejectedRowsProps) {
  const codes = Object.entries(by_code).sort(([, one], [, other]) => other - one);
  return (
    <Panel flush title={`${formatOf(total, 'row')} rejected`} aside={<Counts codes={codes} />}>
      <Table label="Rejected rows" className="text-sm">
        <thead>
          <tr>
            <Th className="w-20 text-right">Line</Th>
            <Th>Reason</Th>
            <Th>Begins with</Th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.line} ${row.code}`} className="group">
              <Td className="text-right align-top">{row.line === null ? '–' : formatCount(row.line)}</Td>
              <Td className="min-w-56 align-top">{row.message}</Td>
              <Td className="min-w-48 max-w-md align-top">
                <code className="line-clamp-2 font-mono text-soft [overflow-wrap:anywhere]">{row.excerpt}</code>
              </Td>
            </tr>
          ))}
        </tbody>
      </Table>
      {total > rows.length && (
        <p className="border-t px-4 py-2.5 text-soft text-sm">
          The first {formatCount(rows.length)} of {formatCount(total)} are shown.
        </p>
      )}
    </Panel>
  );
}

function Counts({ codes }: { codes: [code: string, rows: number][] }) {
  return (
    <span className="text-soft text-sm">
      {codes.map(([code, rows]) => `${reasonWords(code)}: ${formatCount(rows)}`).join(' · ')}
    </span>
  );
}
