import { formatCount } from '#/components/units.ts';
import type { TokenLengths } from '#/hooks/dataset-report.ts';

/** How long the rows are, in tokens: a bar for each doubling, with the cut of the training marked by words. */
export function TokenHistogram({ lengths, limit }: { lengths: TokenLengths; limit: number | null }) {
  const buckets = filled(lengths.buckets);
  const most = Math.max(...buckets.map(({ rows }) => rows));
  return (
    <figure>
      <ul className="grid gap-1.5">
        {buckets.map(({ up_to, rows }) => (
          <li key={up_to} className="grid grid-cols-[4.5rem_minmax(0,1fr)_4rem] items-center gap-3 text-sm">
            <span className="text-right text-soft">≤ {formatCount(up_to)}</span>
            <span aria-hidden className="h-4 rounded-sm bg-sunken">
              <span
                className={`block h-full min-w-px rounded-sm ${limit !== null && up_to > limit ? 'bg-copper' : 'bg-accent'}`}
                style={{ width: `${(rows / most) * 100}%` }}
              />
            </span>
            <span className="text-right">
              {formatCount(rows)}
              <span className="sr-only"> rows</span>
            </span>
          </li>
        ))}
      </ul>
      <figcaption className="mt-3 text-pretty text-soft text-sm">
        Tokens a row, and how many rows. Half have at most {formatCount(lengths.p50)}, 95 % at most {formatCount(lengths.p95)} and
        the longest has {formatCount(lengths.max)}.
        {limit !== null && lengths.max > limit && ` Copper: rows that may be cut at ${formatCount(limit)} tokens.`}
      </figcaption>
    </figure>
  );
}

/** Doublings between the first and the last that no row falls into are shown as empty. */
function filled(buckets: TokenLengths['buckets']): TokenLengths['buckets'] {
  const first = buckets[0]?.up_to ?? 1;
  const last = buckets.at(-1)?.up_to ?? 1;
  const all: TokenLengths['buckets'] = [];
  for (let up_to = first; up_to <= last; up_to *= 2) all.push(buckets.find((one) => one.up_to === up_to) ?? { up_to, rows: 0 });
  return all;
}
