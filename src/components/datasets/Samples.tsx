import { Fragment } from 'react';
import { Panel } from '#/components/ui/Panel.tsx';
import { formatCount } from '#/components/units.ts';
import type { DatasetSample } from '#/hooks/dataset-report.ts';

/** Rows exactly as the model will see them; what the loss is taken on is marked. */
export function Samples({ samples }: { samples: DatasetSample[] }) {
  const tokenized = samples.some(({ segments }) => segments !== null);
  return (
    <Panel
      flush
      title={tokenized ? 'As the model sees it' : 'Sample rows'}
      aside={
        tokenized ? (
          <span className="text-soft text-sm">
            <mark className="rounded-sm bg-accent-wash px-1 text-ink">marked text</mark> is learned; the rest is only read
          </span>
        ) : undefined
      }
    >
      <ol className="divide-y">
        {samples.map((sample) => (
          <li key={sample.line} className="grid gap-x-5 gap-y-1 px-4 py-3 sm:grid-cols-[4.5rem_minmax(0,1fr)]">
            <span className="text-soft text-sm">line {formatCount(sample.line)}</span>
            {sample.segments === null ? <Messages sample={sample} /> : <Segments segments={sample.segments} />}
          </li>
        ))}
      </ol>
    </Panel>
  );
}

function Segments({ segments }: { segments: NonNullable<DatasetSample['segments']> }) {
  return (
    <pre className="max-w-[90ch] whitespace-pre-wrap font-mono text-sm [overflow-wrap:anywhere]">
      {placed(segments).map(({ text, trained, place }) => {
        if (!trained) return <Fragment key={place}>{text}</Fragment>;
        return (
          <mark key={place} className="rounded-sm bg-accent-wash box-decoration-clone text-ink">
            {text}
          </mark>
        );
      })}
    </pre>
  );
}

function Messages({ sample }: { sample: DatasetSample }) {
  if (sample.text !== null)
    return <pre className="max-w-[90ch] whitespace-pre-wrap font-mono text-sm [overflow-wrap:anywhere]">{sample.text}</pre>;
  return (
    <dl className="grid max-w-[90ch] grid-cols-[5rem_minmax(0,1fr)] gap-x-4 gap-y-1.5 text-sm">
      {placed(sample.messages).map(({ role, content, place }) => (
        <Fragment key={place}>
          <dt className="text-soft">{role}</dt>
          <dd className="whitespace-pre-wrap [overflow-wrap:anywhere]">{content}</dd>
        </Fragment>
      ))}
    </dl>
  );
}

/** Items that have no name but their place. */
function placed<T>(items: readonly T[]): (T & { place: number })[] {
  return items.map((item, place) => ({ ...item, place }));
}
