import Link from 'next/link';
import { costWords, hoursWords, memoryWords, rangeWords, standsOn, stepWords } from '#/components/accuracy/forecast-words.ts';
import { IntervalBar } from '#/components/accuracy/IntervalBar.tsx';
import { Panel } from '#/components/ui/Panel.tsx';
import type { TrainingJob } from '#/contract/jobs.ts';
import { MB } from '#/domain/bytes.ts';

const HOUR_MS = 3_600_000;

/** What was foretold of a job, and beside it what it measured; nothing where nothing was foretold. */
export function ForecastPanel({ job }: { job: TrainingJob }) {
  const { forecast, measured } = job;
  if (forecast === null) return null;
  const { device_bytes, seconds_per_step, hours, cost } = forecast;
  const completed = job.status === 'completed';
  const pending = job.completed_at === null;
  // A probe trains the first steps alone: what was foretold is the training that would follow.
  const { spec } = job.config as { spec?: { probe_only?: boolean } };
  const whole = completed && spec?.probe_only !== true;
  const took = whole && job.started_at !== null && job.completed_at !== null ? between(job.started_at, job.completed_at) : null;
  return (
    <Panel
      title="Foretold and measured"
      aria-label="Foretold and measured"
      aside={
        <Link
          href="/accuracy"
          prefetch={false}
          className="rounded-sm text-soft text-sm underline decoration-line underline-offset-3 hover:decoration-current"
        >
          How well forecasts hold
        </Link>
      }
    >
      <dl className="grid gap-x-8 gap-y-5 sm:grid-cols-2 xl:auto-cols-fr xl:grid-flow-col xl:grid-cols-none">
        <Figure
          name="Memory"
          foretold={device_bytes}
          measured={measured === null ? null : measured.device_memory_mb * MB}
          words={memoryWords}
          stands={standsOn(device_bytes)}
          pending={pending}
        />
        {seconds_per_step !== null && (
          <Figure
            name="Time of a step"
            foretold={seconds_per_step}
            measured={measured?.expected_seconds_per_step ?? null}
            words={stepWords}
            stands={standsOn(seconds_per_step)}
            pending={pending}
          />
        )}
        {hours !== null && <Figure name="Whole training" foretold={hours} measured={took} words={hoursWords} pending={pending} />}
        {cost !== null && job.hourly_rate > 0 && (
          <Figure name="Cost" foretold={cost} measured={whole ? job.final_cost : null} words={costWords} pending={pending} />
        )}
      </dl>
    </Panel>
  );
}

const between = (from: string, to: string) => (Date.parse(to) - Date.parse(from)) / HOUR_MS;

interface FigureProps {
  name: string;
  foretold: { figure: number; low: number; high: number };
  measured: number | null;
  words(value: number): string;
  /** What the figure stands on. */
  stands?: string;
  /** Whether it may be measured still. */
  pending: boolean;
}

function Figure({ name, foretold, measured, words, stands, pending }: FigureProps) {
  return (
    <div className="min-w-0">
      <dt className="text-soft text-xs">{name}</dt>
      <dd>
        <IntervalBar foretold={foretold} measured={measured} />
        <p className="text-pretty text-sm">
          <span className="whitespace-nowrap font-medium">{rangeWords(words(foretold.low), words(foretold.high))}</span>
          <span className="text-soft"> foretold{stands === undefined ? '' : `, ${stands}`}; </span>
          {measured === null ? (
            <span className="text-soft">{pending ? 'not measured yet' : 'not measured'}</span>
          ) : (
            <>
              <span className="whitespace-nowrap font-medium">{words(measured)}</span>
              <span className="text-soft"> measured</span>
            </>
          )}
        </p>
      </dd>
    </div>
  );
}
