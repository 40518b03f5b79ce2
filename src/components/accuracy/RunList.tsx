import { LinkedRow, RowHeads } from '#/components/ui/LinkedRows.tsx';
import { Time } from '#/components/ui/Time.tsx';
import type { AccuracyPoint } from '#/contract/accuracy.ts';
import { jobPage, memoryWords, methodWords, rangeWords, stepWords } from './forecast-words.ts';

const COLUMNS = 'lg:grid-cols-[minmax(0,1.6fr)_6rem_minmax(0,1.4fr)_minmax(0,1.4fr)]';

/** Own runs, each with what was foretold and what came. */
export function RunList({ points }: { points: readonly AccuracyPoint[] }) {
  return (
    <div>
      <RowHeads columns={COLUMNS} names={['Training', 'Ended', 'Memory', 'Time of a step']} right={[]} />
      <ul aria-label="Your runs" className="divide-y">
        {points.map((point) => (
          <LinkedRow
            key={point.id}
            columns={COLUMNS}
            href={jobPage(point)}
            name={point.job?.name ?? 'Deleted since'}
            about={`${point.gpu} · ${methodWords(point.method)}`}
            badge={
              <span className="text-soft text-sm">
                <Time at={point.created_at} />
              </span>
            }
          >
            <p className="col-span-2 text-sm lg:col-span-1">
              <span className="text-soft lg:sr-only">Memory </span>
              {point.memory_at_least === null ? (
                told(point.memory, memoryWords)
              ) : (
                <span className="text-copper">more than the {memoryWords(point.memory_at_least)} of its device</span>
              )}
            </p>
            <p className="col-span-2 text-sm lg:col-span-1">
              <span className="text-soft lg:sr-only">A step </span>
              {told(point.seconds_per_step, stepWords)}
            </p>
          </LinkedRow>
        ))}
      </ul>
    </div>
  );
}

function told(compared: AccuracyPoint['memory'], words: (value: number) => string) {
  if (compared === null) return <span className="text-soft">not compared</span>;
  return (
    <>
      <span className={compared.covered ? 'font-medium' : 'font-medium text-copper'}>{words(compared.measured)}</span>
      <span className="text-soft"> of {rangeWords(words(compared.low), words(compared.high))} foretold</span>
    </>
  );
}
