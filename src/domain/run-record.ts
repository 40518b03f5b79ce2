/** Which rows a batch of trainer lines becomes: points of the curve, events of the job, and how far it is. */
import { mapStrings } from './map-strings.ts';
import { METRIC_FIGURES, type MetricFigure } from './metric-figures.ts';
import { type ProbeFigures, probeWords } from './probe-figures.ts';
import { shortenPaths } from './shorten-paths.ts';
import { storable } from './storable-text.ts';
import { parseTrainerLine, type TrainerEvent } from './trainer-events.ts';

/** One row of `metrics_points`, without its job and attempt. */
export interface PointRow {
  seq: number;
  step: number;
  epoch: number | null;
  timestamp: string;
  loss: number | null;
  eval_loss: number | null;
  learning_rate: number | null;
  grad_norm: number | null;
  tokens_per_second: number | null;
  samples_per_second: number | null;
  gpu_memory_mb: number | null;
  peak_memory_mb: number | null;
  extra: Record<string, unknown> | null;
}

/** One row of `job_events`, before it is numbered within its job. */
export interface EventRow {
  trainer_seq: number;
  type: string;
  message: string | null;
  data: Record<string, unknown>;
}

/** How far the run is after the batch; what the batch does not say is null. */
export interface RunProgress {
  stage: string | null;
  step: number | null;
  total_steps: number | null;
  epoch: number | null;
  /** Undefined: not said; null: said to be unknown. */
  eta_seconds: number | null | undefined;
  metrics: Record<string, number | null>;
  /** What the attempt's first steps measured. */
  measured: Omit<ProbeFigures, 'attempt'> | null;
}

export interface BatchRows {
  points: PointRow[];
  events: EventRow[];
  progress: RunProgress;
  /** The seq of the batch's last taken line. */
  last_seq: number;
  /** Lines that are no event of the protocol, or repeat a seq. */
  rejected: number;
}

/** What the database's integer columns hold. */
const SEQ_MAX = 2 ** 31 - 1;
/** Years that a clock can honestly show. */
const EARLIEST_MS = Date.UTC(2000, 0, 1);
const LATEST_MS = Date.UTC(2200, 0, 1);

/** A figure as a four-byte float holds it; what it cannot hold is no figure. */
function figure(value: number | null | undefined): number | null {
  if (value == null) return null;
  const rounded = Math.fround(value);
  return Number.isFinite(rounded) ? rounded : null;
}

function pointOf(event: Extract<TrainerEvent, { type: 'metric' }>): PointRow {
  const at = Date.parse(event.ts);
  const figures = Object.fromEntries(METRIC_FIGURES.map((name) => [name, figure(event[name])])) as Pick<PointRow, MetricFigure>;
  const extra = {
    ...(event.eval_seconds != null && { eval_seconds: event.eval_seconds }),
    ...(event.nonfinite === true && { nonfinite: true }),
  };
  return {
    seq: event.seq,
    step: event.step,
    epoch: figure(event.epoch),
    timestamp: new Date(at >= EARLIEST_MS && at < LATEST_MS ? at : EARLIEST_MS).toISOString(),
    ...figures,
    extra: Object.keys(extra).length === 0 ? null : extra,
  };
}

function messageOf(event: TrainerEvent): string | null {
  switch (event.type) {
    case 'stage':
      return event.stage;
    case 'warning':
    case 'error':
      return event.message;
    case 'checkpoint':
      return `step ${event.step}`;
    case 'artifact':
      return event.path;
    case 'probe':
      return probeWords(event);
    default:
      return null;
  }
}

/** Sorts the lines after `after_seq` into rows. A line that is refused, or whose seq does not grow, is counted and left out. */
export function sortTrainerLines(lines: string[], after_seq: number): BatchRows {
  const rows: BatchRows = {
    points: [],
    events: [],
    progress: { stage: null, step: null, total_steps: null, epoch: null, eta_seconds: undefined, metrics: {}, measured: null },
    last_seq: after_seq,
    rejected: 0,
  };
  const { progress } = rows;
  for (const line of lines) {
    const parsed = parseTrainerLine(line);
    if (!parsed.ok || parsed.event.seq <= rows.last_seq || parsed.event.seq > SEQ_MAX) {
      rows.rejected++;
      continue;
    }
    const { event } = parsed;
    rows.last_seq = event.seq;
    if (event.type === 'metric') {
      const point = pointOf(event);
      rows.points.push(point);
      for (const name of METRIC_FIGURES) if (event[name] !== undefined) progress.metrics[name] = point[name];
      continue;
    }
    if (event.type === 'progress') {
      progress.step = event.step;
      progress.total_steps = event.total_steps;
      progress.epoch = figure(event.epoch);
      progress.eta_seconds = event.eta_seconds;
      continue;
    }
    if (event.type === 'stage') progress.stage = event.stage;
    if (event.type === 'probe') {
      const { seq: _seq, ts: _ts, type: _type, ...figures } = event;
      progress.measured = figures;
    }
    const { seq, ts, type, ...data } = event;
    // Errors and warnings may name files of the host, which are nobody's business.
    const told = type === 'error' || type === 'warning' ? (text: string) => shortenPaths(storable(text)) : storable;
    const said = mapStrings({ message: messageOf(event), data: { ...data, ts } }, told) as Pick<EventRow, 'message' | 'data'>;
    rows.events.push({ trainer_seq: seq, type, ...said });
  }
  return rows;
}

/** Percent done, 0 to 100. */
export function progressPercent(step: number, total_steps: number): number {
  if (total_steps <= 0) return 0;
  return Math.min(100, Math.max(0, (100 * step) / total_steps));
}
