'use client';
import { Target } from 'lucide-react';
import { usePathname, useRouter, useSearchParams } from 'next/navigation';
import { useState } from 'react';
import { PageHeader } from '#/components/shell/PageHeader.tsx';
import { StartTrainingLink } from '#/components/training/StartTrainingLink.tsx';
import { Button } from '#/components/ui/Button.tsx';
import { EmptyState } from '#/components/ui/EmptyState.tsx';
import { Select } from '#/components/ui/Field.tsx';
import { Pages } from '#/components/ui/Pages.tsx';
import { Panel } from '#/components/ui/Panel.tsx';
import { QueryFault } from '#/components/ui/QueryFault.tsx';
import { Segments } from '#/components/ui/Segments.tsx';
import { SkeletonRows } from '#/components/ui/Skeleton.tsx';
import { formatCount, formatOf, formatShare } from '#/components/units.ts';
import type { AccuracyGroup, AccuracyPoint } from '#/contract/accuracy.ts';
import { RUN_METHODS } from '#/domain/foresight/run-shape.ts';
import { ACCURACY_LIMIT, useAccuracy } from '#/hooks/useAccuracy.ts';
import { coverageOf, memoryWords, methodWords, stepWords } from './forecast-words.ts';
import { GroupTable } from './GroupTable.tsx';
import { RunList } from './RunList.tsx';
import { ScatterChart } from './ScatterChart.tsx';

type Method = (typeof RUN_METHODS)[number];
type Figure = 'memory' | 'seconds_per_step';

const isMethod = (value: string | null): value is Method => (RUN_METHODS as readonly (string | null)[]).includes(value);

export function AccuracyPage() {
  return (
    <>
      <PageHeader title="Accuracy">
        What was foretold of trainings, and what they measured. Each run that ends makes the next forecast of its kind better.
      </PageHeader>
      <Accuracy />
    </>
  );
}

function Accuracy() {
  const router = useRouter();
  const path = usePathname();
  const params = useSearchParams();
  const asked = params.get('method');
  const filter = { gpu: params.get('gpu') || undefined, method: isMethod(asked) ? asked : undefined };
  const page = Math.max(1, Math.floor(Number(params.get('page'))) || 1);
  const { data, error, refetch, isPlaceholderData } = useAccuracy({
    ...(filter.gpu === undefined ? {} : { gpu: filter.gpu }),
    ...(filter.method === undefined ? {} : { method: filter.method }),
    page,
  });
  const go = (next: { gpu?: string | undefined; method?: Method | undefined; page?: number }) => {
    const query = new URLSearchParams();
    if (next.gpu) query.set('gpu', next.gpu);
    if (next.method) query.set('method', next.method);
    if (next.page !== undefined && next.page > 1) query.set('page', String(next.page));
    router.replace(query.size === 0 ? path : `${path}?${query}`, { scroll: false });
  };

  if (error && data === undefined) return <QueryFault what="The accuracy" error={error} retry={refetch} />;
  if (data === undefined) {
    return (
      <Panel flush title="Foretold and measured">
        <SkeletonRows rows={6} label="The accuracy is being fetched" />
      </Panel>
    );
  }
  const { points, groups, gpus, total } = data;
  const filtered = filter.gpu !== undefined || filter.method !== undefined;
  if (!filtered && points.length === 0 && groups.length === 0) {
    return (
      <Panel flush title="Foretold and measured">
        <EmptyState icon={Target} title="Nothing has been measured yet" actions={<StartTrainingLink />}>
          Start a training: its first steps are measured, and when it ends, what was foretold of it stands here beside what came.
        </EmptyState>
      </Panel>
    );
  }
  return (
    <div className="grid gap-4" aria-busy={isPlaceholderData}>
      <div className="flex flex-wrap gap-x-5 gap-y-2">
        <label htmlFor="gpu" className="flex items-center gap-2 text-soft text-sm">
          Device
          <Select
            id="gpu"
            className="h-8 w-auto max-w-56"
            value={filter.gpu ?? ''}
            onChange={({ target: { value } }) => go({ ...filter, gpu: value || undefined })}
          >
            <option value="">All</option>
            {[...new Set([...gpus, ...(filter.gpu === undefined ? [] : [filter.gpu])])].map((gpu) => (
              <option key={gpu}>{gpu}</option>
            ))}
          </Select>
        </label>
        <label htmlFor="method" className="flex items-center gap-2 text-soft text-sm">
          Method
          <Select
            id="method"
            className="h-8 w-auto"
            value={filter.method ?? ''}
            onChange={({ target: { value } }) => go({ ...filter, method: isMethod(value) ? value : undefined })}
          >
            <option value="">All</option>
            {RUN_METHODS.map((method) => (
              <option key={method} value={method}>
                {methodWords(method)}
              </option>
            ))}
          </Select>
        </label>
      </div>
      {points.length === 0 && groups.length === 0 ? (
        <Panel flush title="Foretold and measured">
          <EmptyState
            icon={Target}
            title="No run is of that kind"
            actions={<Button onClick={() => go({})}>Show all runs</Button>}
          >
            Runs on other devices or by other methods are not shown.
          </EmptyState>
        </Panel>
      ) : (
        <>
          <OwnRuns points={points} />
          <Panel flush title="All of this installation, by kind">
            <p className="text-pretty px-4 py-3">{coverageWords(groups)}</p>
            {groups.length > 0 && <GroupTable groups={groups} />}
          </Panel>
          {points.length > 0 && (
            <Panel flush title={`Your runs: ${formatCount(total)}`}>
              <RunList points={points} />
              <Pages page={page} pages={Math.ceil(total / ACCURACY_LIMIT)} onPage={(next) => go({ ...filter, page: next })} />
            </Panel>
          )}
        </>
      )}
    </div>
  );
}

function OwnRuns({ points }: { points: readonly AccuracyPoint[] }) {
  const [figure, setFigure] = useState<Figure>('memory');
  const drawn = points.flatMap((point) => {
    const compared = point[figure];
    return compared === null ? [] : [{ key: point.id, ...compared }];
  });
  const covered = drawn.filter((point) => point.covered).length;
  const name = figure === 'memory' ? 'Memory' : 'Time of a step';
  return (
    <Panel
      title="Foretold and measured: your runs"
      aside={
        <Segments<Figure>
          label="Figure"
          value={figure}
          onChange={setFigure}
          options={[
            ['memory', 'Memory'],
            ['seconds_per_step', 'Time'],
          ]}
        />
      }
    >
      {drawn.length === 0 ? (
        <p className="grid h-40 place-items-center text-pretty text-center text-soft">
          None of your runs here measured it. It is measured in a run’s first steps, on the device that was asked about.
        </p>
      ) : (
        <ScatterChart
          points={drawn}
          label={`${name} of ${formatOf(drawn.length, 'run')}, foretold against measured: ${formatCount(covered)} in the interval that was told`}
          words={figure === 'memory' ? memoryWords : stepWords}
        />
      )}
    </Panel>
  );
}

function coverageWords(groups: readonly AccuracyGroup[]): string {
  const memory = coverageOf(groups.map((group) => group.memory));
  const time = coverageOf(groups.map((group) => group.time));
  if (memory === null && time === null) return 'No run of this kind has been measured yet.';
  const told = ({ runs, covered }: { runs: number; covered: number }) =>
    `${formatCount(covered)} of ${formatCount(runs)} (${formatShare(covered / runs)})`;
  const parts = [
    memory === null ? '' : `${told(memory)} lay in the interval that was told of their memory`,
    time === null ? '' : `${told(time)} in that of their time`,
  ].filter((part) => part !== '');
  return `Of the runs measured, ${parts.join(', and ')}. Nine of ten should.`;
}
