/** How far a follower of a job has seen: the last point in (attempt, seq) order, and the bytes of which attempt's log. */
export interface JobCursor {
  attempt: number;
  seq: number;
  log_attempt: number;
  log_offset: number;
}

/** In place of an offset: begin near the end of the newest log, for nobody reads a flood from its start. */
export const TAIL = -1;

/** What the column of an attempt's number holds. */
const COLUMN_MAX = 32_767;

/** Where a new follower begins: every point, and the end of the log. */
export const START: JobCursor = { attempt: 0, seq: 0, log_attempt: 1, log_offset: TAIL };

export function writeCursor(cursor: JobCursor): string {
  return `${cursor.attempt}.${cursor.seq}.${cursor.log_attempt}.${cursor.log_offset}`;
}

/** Reads a cursor that we wrote; null for anything else. */
export function readCursor(text: string): JobCursor | null {
  const match = /^(\d{1,5})\.(\d{1,9})\.(\d{1,5})\.(-1|\d{1,12})$/.exec(text);
  if (match === null) return null;
  const [attempt, seq, log_attempt, log_offset] = match.slice(1).map(Number) as [number, number, number, number];
  if (attempt > COLUMN_MAX || log_attempt > COLUMN_MAX) return null;
  return { attempt, seq, log_attempt, log_offset };
}
