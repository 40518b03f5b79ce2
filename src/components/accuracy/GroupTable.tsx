import { Table, Td, Th } from '#/components/ui/Table.tsx';
import { formatCount, formatShare } from '#/components/units.ts';
import type { AccuracyGroup } from '#/contract/accuracy.ts';
import { methodWords } from './forecast-words.ts';

/** How far off forecasts were, by device, stack and method: everybody's runs. */
export function GroupTable({ groups }: { groups: readonly AccuracyGroup[] }) {
  return (
    <Table label="Accuracy by device, stack and method">
      <thead>
        <tr>
          <Th>Device and stack</Th>
          <Th>Figure</Th>
          <Th className="text-right">Runs</Th>
          <Th className="text-right">In the interval</Th>
          <Th className="text-right">Median error</Th>
          <Th className="text-right">95th percentile</Th>
          <Th className="text-right">Worst</Th>
        </tr>
      </thead>
      <tbody>
        {groups.flatMap((group) =>
          (['memory', 'time'] as const).map((figure) => (
            <Row key={`${group.gpu} ${group.stack_version} ${group.method} ${figure}`} group={group} figure={figure} />
          )),
        )}
      </tbody>
    </Table>
  );
}

function Row({ group, figure }: { group: AccuracyGroup; figure: 'memory' | 'time' }) {
  const { runs, covered, median_error, p95_error, worst_error } = group[figure];
  const share = (error: number | null) => (error === null ? '–' : formatShare(error));
  return (
    <tr className="group">
      <Td className="min-w-52">
        <span className="font-medium">
          {group.gpu} · {methodWords(group.method)}
        </span>
        <span className="block text-soft text-xs">{group.stack_version}</span>
      </Td>
      <Td>{figure === 'memory' ? 'Memory' : 'Time'}</Td>
      <Td className="text-right">{formatCount(runs)}</Td>
      <Td className="whitespace-nowrap text-right">{runs === 0 ? '–' : `${formatCount(covered)} of ${formatCount(runs)}`}</Td>
      <Td className="text-right">{share(median_error)}</Td>
      <Td className="text-right">{share(p95_error)}</Td>
      <Td className="text-right">{share(worst_error)}</Td>
    </tr>
  );
}
