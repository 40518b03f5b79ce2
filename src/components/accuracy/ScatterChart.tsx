import { logSplits } from '#/components/charts/log-splits.ts';
import { classNames } from '#/components/class-names.ts';

export interface ScatterPoint {
  key: string;
  figure: number;
  low: number;
  high: number;
  measured: number;
  covered: boolean;
}

interface ScatterChartProps {
  points: readonly ScatterPoint[];
  /** What it shows, for whoever does not see it: each point stands in the list below it, too. */
  label: string;
  words(value: number): string;
}

const ROOM = 1.15;

/** Foretold to the right, measured upwards, both logarithmic on one scale: on the diagonal a forecast held, and a bar is its interval. */
export function ScatterChart({ points, label, words }: ScatterChartProps) {
  const values = points.flatMap(({ low, high, measured }) => [low, high, measured]).filter((value) => value > 0);
  const [least, most] = [Math.min(...values) / ROOM, Math.max(...values) * ROOM];
  const at = (value: number) => (100 * Math.log(Math.max(value, least) / least)) / Math.log(most / least);
  const marks = logSplits(least, most);
  return (
    <figure>
      <div role="img" aria-label={label} className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-2 text-soft text-xs">
        <div className="relative w-13">
          {marks.map((mark) => (
            <span key={mark} className="absolute right-0 translate-y-1/2 whitespace-nowrap" style={{ bottom: `${at(mark)}%` }}>
              {words(mark)}
            </span>
          ))}
        </div>
        <div className="relative h-72 overflow-hidden rounded-sm border-b border-l lg:h-96">
          <svg aria-hidden viewBox="0 0 100 100" preserveAspectRatio="none" className="absolute inset-0 size-full">
            {marks.map((mark) => (
              <g key={mark} className="stroke-line" vectorEffect="non-scaling-stroke">
                <line x1={at(mark)} x2={at(mark)} y1={0} y2={100} vectorEffect="non-scaling-stroke" />
                <line x1={0} x2={100} y1={100 - at(mark)} y2={100 - at(mark)} vectorEffect="non-scaling-stroke" />
              </g>
            ))}
            <line
              x1={0}
              y1={100}
              x2={100}
              y2={0}
              className="stroke-edge"
              strokeDasharray="5 4"
              vectorEffect="non-scaling-stroke"
            />
            {points.map(({ key, low, high, measured, covered }) => (
              <line
                key={key}
                x1={at(low)}
                x2={at(high)}
                y1={100 - at(measured)}
                y2={100 - at(measured)}
                strokeWidth={4}
                strokeOpacity={0.4}
                className={covered ? 'stroke-accent' : 'stroke-copper'}
                vectorEffect="non-scaling-stroke"
              />
            ))}
          </svg>
          {points.map(({ key, figure, measured, covered }) => (
            <span
              key={key}
              className={classNames(
                'absolute size-2.5 -translate-x-1/2 translate-y-1/2 rounded-full border border-panel',
                covered ? 'bg-accent' : 'bg-copper',
              )}
              style={{ left: `${at(figure)}%`, bottom: `${at(measured)}%` }}
            />
          ))}
        </div>
        <span />
        <div className="relative mt-1 h-4">
          {marks.map((mark, place) => (
            <span
              key={mark}
              className={classNames('absolute -translate-x-1/2 whitespace-nowrap', place % 2 === 1 && 'max-sm:hidden')}
              style={{ left: `${at(mark)}%` }}
            >
              {words(mark)}
            </span>
          ))}
        </div>
      </div>
      <figcaption className="mt-2 flex flex-wrap gap-x-5 gap-y-1 text-soft text-sm">
        <span>Foretold to the right, measured upwards: on the dashed line a forecast held.</span>
        <Key colour="bg-accent">in its interval</Key>
        <Key colour="bg-copper">outside of it</Key>
      </figcaption>
    </figure>
  );
}

function Key({ colour, children }: { colour: string; children: string }) {
  return (
    <span className="flex items-center gap-1.5">
      <span aria-hidden className={`size-2.5 rounded-full ${colour}`} />
      {children}
    </span>
  );
}
