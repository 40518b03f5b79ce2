'use client';
import Image from 'next/image';
import { useLayoutEffect, useMemo, useRef, useState } from 'react';
import { classNames } from '#/components/class-names.ts';
import { Panel } from '#/components/ui/Panel.tsx';
import { QueryFault } from '#/components/ui/QueryFault.tsx';
import { Scroll } from '#/components/ui/Scroll.tsx';
import { SkeletonRows } from '#/components/ui/Skeleton.tsx';
import { formatCount, formatOf } from '#/components/units.ts';
import type { TrainingSample } from '#/contract/job-outputs.ts';
import type { TrainingJob } from '#/contract/jobs.ts';
import { isTerminal } from '#/domain/statuses.ts';
import { type SampleGrid, sampleGrid } from '#/hooks/sample-grid.ts';
import { SAMPLES_SHOWN_MAX, useJobSamples } from '#/hooks/useJobSamples.ts';
import { SampleDialog } from './SampleDialog.tsx';

/** What the training makes of its sample prompts: a row of each, a column of each step. */
export function SamplesPanel({ job }: { job: TrainingJob }) {
  const { data, error, refetch } = useJobSamples(job);
  const grid = useMemo(() => sampleGrid(data ?? []), [data]);
  if (job.samples === 0) {
    const coming = comingWords(job);
    return coming === null ? null : (
      <Panel title="Samples">
        <p className="text-soft">{coming}</p>
      </Panel>
    );
  }
  if (error && data === undefined) return <QueryFault what="The samples" error={error} retry={refetch} />;
  if (data === undefined)
    return (
      <Panel flush title="Samples">
        <SkeletonRows rows={2} label="Samples are being fetched" className="h-36" />
      </Panel>
    );
  return <Samples grid={grid} is_cut={data.length >= SAMPLES_SHOWN_MAX} />;
}

function Samples({ grid, is_cut }: { grid: SampleGrid; is_cut: boolean }) {
  const { steps, rows } = grid;
  const [opened, setOpened] = useState<{ key: string; step: number } | null>(null);
  const frame = useNewestInSight(steps.length);
  const many = `${formatOf(rows.length, 'prompt')}, ${formatOf(steps.length, 'step')}`;
  return (
    <Panel
      flush
      title="Samples"
      aside={<span className="text-soft text-sm">{is_cut ? `the first ${formatCount(SAMPLES_SHOWN_MAX)}` : many}</span>}
    >
      <Scroll label="Samples by prompt and step" className="overflow-x-auto overscroll-x-contain rounded-b-lg" {...frame}>
        <table className="border-separate border-spacing-0 text-left">
          <thead>
            <tr>
              <th scope="col" className={classNames(HEAD, STAYS)}>
                Prompt
              </th>
              {steps.map((step) => (
                <th key={step} scope="col" className={classNames(HEAD, 'px-1.5 tabular-nums last:pr-4')}>
                  Step {formatCount(step)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ key, prompt, cells }) => (
              <tr key={key}>
                <th
                  scope="row"
                  className={classNames(
                    STAYS,
                    'min-w-28 max-w-28 py-1.5 pr-2 align-top font-normal text-xs sm:min-w-52 sm:max-w-52 sm:text-sm',
                  )}
                >
                  <span title={prompt} className="line-clamp-6 text-pretty [overflow-wrap:anywhere]">
                    {prompt}
                  </span>
                </th>
                {cells.map((sample, at) => (
                  <td key={steps[at]} className="px-1.5 py-1.5 align-top last:pr-4">
                    {sample === null ? (
                      <span className="sr-only">none</span>
                    ) : (
                      <Cell sample={sample} onOpen={() => setOpened({ key, step: sample.step })} />
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      <SampleDialog grid={grid} opened={opened} onMove={setOpened} />
    </Panel>
  );
}

const HEAD = 'h-9 whitespace-nowrap font-medium text-soft text-xs';
/** The column that stays: where others slide under it, an edge says so. */
const STAYS = 'sticky left-0 z-10 bg-panel pl-4 max-sm:border-r';
const TILE =
  'block overflow-hidden rounded-md border bg-sunken text-left transition-colors hover:border-edge focus-visible:outline-2 focus-visible:outline-accent focus-visible:outline-offset-2';

function Cell({ sample, onOpen }: { sample: TrainingSample; onOpen(): void }) {
  const { kind, step, prompt, text, image_url, not_kept, width, height } = sample;
  if (kind === 'text')
    return (
      <button type="button" className={classNames(TILE, 'w-52 p-2 hover:bg-hover')} onClick={onOpen}>
        <span className="sr-only">Step {formatCount(step)}: </span>
        <span className="line-clamp-6 whitespace-pre-wrap text-xs [overflow-wrap:anywhere]">{text}</span>
      </button>
    );
  if (image_url === null)
    return (
      <div className={classNames(TILE, SQUARE, 'grid place-content-center p-2 text-center text-soft text-xs')}>
        {not_kept === null ? 'Being stored' : `Not kept. ${not_kept.message}`}
      </div>
    );
  return (
    <button type="button" className={classNames(TILE, SQUARE)} onClick={onOpen}>
      {/* Its address wants the reader's session. */}
      <Image
        unoptimized
        src={image_url}
        alt={`Step ${formatCount(step)}: ${prompt}`}
        loading="lazy"
        width={width ?? 1}
        height={height ?? 1}
        className="size-full object-contain"
      />
    </button>
  );
}

const SQUARE = 'size-28 sm:size-36';

/** Scrolls with the newest step for as long as its reader has not gone back to earlier ones. */
function useNewestInSight(columns: number) {
  const ref = useRef<HTMLElement>(null);
  const at_end = useRef(true);
  useLayoutEffect(() => {
    if (columns > 0 && at_end.current && ref.current !== null) ref.current.scrollLeft = ref.current.scrollWidth;
  }, [columns]);
  const onScroll = () => {
    const frame = ref.current;
    if (frame !== null) at_end.current = frame.scrollLeft + frame.clientWidth >= frame.scrollWidth - 8;
  };
  return { ref, onScroll };
}

/** What is said while nothing was drawn yet; null where nothing will be. */
function comingWords({ status, config }: TrainingJob): string | null {
  const plan = config.plan as { modality?: unknown; sample_prompts?: unknown; sample_interval?: unknown } | undefined;
  const draws = plan?.modality === 'image' && Array.isArray(plan.sample_prompts) && plan.sample_prompts.length > 0;
  if (!draws || isTerminal(status)) return null;
  const interval = Number(plan.sample_interval);
  if (interval === 0) return 'Pictures are drawn when the training has ended.';
  return `The first pictures are drawn before the first step, then every ${formatOf(interval, 'step')}.`;
}
