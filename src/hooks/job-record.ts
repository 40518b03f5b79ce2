/** What a page knows of one job from its stream: every point and log line once, however often the connection changed hands. */
import type { MetricPoint } from '#/contract/job-reads.ts';
import type { TrainingJob } from '#/contract/jobs.ts';
import type { StreamEvent } from './event-stream.ts';

export interface LogPiece {
  attempt: number;
  /** Byte offset of the piece in its attempt's log. */
  offset: number;
  text: string;
  /** True where bytes before this piece were not sent. */
  gap: boolean;
}

/** Plain data, so that one tab can hand it to another. */
export interface JobRecord {
  /** Where the stream goes on: the id of the last event taken in. */
  cursor: string | null;
  job: TrainingJob | null;
  /** The surviving line of attempts, in order. */
  points: MetricPoint[];
  log: LogPiece[];
  log_length: number;
  /** Older log text was let go; the download has it all. */
  log_cut: boolean;
  /** Why there is nothing more to see: the job was deleted, or the sign-in ended. */
  gone: 'deleted' | 'signed_out' | null;
}

/** Characters of log text that a page holds. */
const LOG_HELD = 400_000;

export const emptyRecord = (): JobRecord => ({
  cursor: null,
  job: null,
  points: [],
  log: [],
  log_length: 0,
  log_cut: false,
  gone: null,
});

const bytes = new TextEncoder();

/** Takes one event in. Points and log text already held are passed over; what changes becomes a new array. */
export function takeIn(record: JobRecord, { event, data, id }: StreamEvent): void {
  if (event === 'job') record.job = JSON.parse(data) as TrainingJob;
  else if (event === 'metrics') takePoints(record, (JSON.parse(data) as { points: MetricPoint[] }).points);
  else if (event === 'log') takeLog(record, JSON.parse(data) as Omit<LogPiece, 'gap'>);
  else if (event === 'reset') {
    const { attempt, from_step } = JSON.parse(data) as { attempt: number; from_step: number };
    record.points = record.points.filter((point) => point.attempt >= attempt || point.step <= from_step);
  } else if (event === 'gone') record.gone = data.includes('signed_out') ? 'signed_out' : 'deleted';
  record.cursor = id;
}

function takePoints(record: JobRecord, points: MetricPoint[]): void {
  let last = record.points.at(-1);
  const fresh: MetricPoint[] = [];
  for (const point of points) {
    const known =
      last !== undefined && (point.attempt < last.attempt || (point.attempt === last.attempt && point.seq <= last.seq));
    if (known) continue;
    fresh.push(point);
    last = point;
  }
  if (fresh.length > 0) record.points = record.points.concat(fresh);
}

function takeLog(record: JobRecord, { attempt, offset, text }: Omit<LogPiece, 'gap'>): void {
  const last = record.log.at(-1);
  const same = last !== undefined && last.attempt === attempt;
  const expected = same ? last.offset + bytes.encode(last.text).length : 0;
  if (last !== undefined && (attempt < last.attempt || (same && offset < expected))) return;
  // A stream begins near the end of the newest log.
  if (last === undefined && offset > 0) record.log_cut = true;
  const log = record.log.concat({ attempt, offset, text, gap: last !== undefined && offset > expected });
  record.log_length += text.length;
  while (record.log_length > LOG_HELD && log.length > 1) {
    record.log_length -= log.shift()?.text.length ?? 0;
    record.log_cut = true;
  }
  record.log = log;
}
