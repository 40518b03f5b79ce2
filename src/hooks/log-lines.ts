/** The lines of a run's log as the page shows them, from the pieces of its stream. */
import type { LogPiece } from './job-record.ts';

export type LogLevel = 'plain' | 'warn' | 'bad';

export interface LogLine {
  key: string;
  attempt: number;
  /** Epoch ms, where the line begins with an instant. */
  at: number | null;
  /** Without that instant. */
  text: string;
  level: LogLevel;
  /** Lines before this one were not sent. */
  gap: boolean;
}

// Our trainer's own lines: `2026-01-31T12:00:00.000Z INFO step 3: loss 1.23`.
const STAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z) /;
const BAD = /^(?:CRITICAL|FATAL|ERROR)\b|^(?:[\w.]+)?(?:Error|Exception|Interrupt)(?::|$)|\b(?:error|fatal):/i;
const WARN = /^WARN(?:ING)?\b|\b\w*Warning:|\bwarning:/i;
const TRACEBACK = /^Traceback \(most recent call last\):/;

interface ReadPiece {
  /** Whether the piece begins, and ends, within a traceback. */
  began_inside: boolean;
  ends_inside: boolean;
  lines: LogLine[];
}

// A piece never changes: beside a training a page reads each once, however often the log grows.
const known = new WeakMap<LogPiece, ReadPiece>();

/** Splits the pieces into lines and tells warnings and errors from the rest; a traceback is an error to its last line. */
export function logLines(pieces: readonly LogPiece[]): LogLine[] {
  let inside = false;
  return pieces.flatMap((piece) => {
    let read = known.get(piece);
    if (read?.began_inside !== inside) {
      read = readPiece(piece, inside);
      known.set(piece, read);
    }
    inside = read.ends_inside;
    return read.lines;
  });
}

function readPiece({ attempt, offset, text, gap }: LogPiece, began_inside: boolean): ReadPiece {
  let inside = began_inside;
  const parts = text.split('\n');
  // What follows the last line end is the start of a line that is still being written, or nothing.
  if (parts.at(-1) === '') parts.pop();
  const lines = parts.map((part, at): LogLine => {
    const stamp = STAMP.exec(part);
    const told = stamp === null ? part : part.slice(stamp[0].length);
    // A line of its own closes a traceback: the exception's name, which is an error, or something else, which is not.
    inside = TRACEBACK.test(told) || (inside && (told === '' || /^\s/.test(told)));
    return {
      key: `${attempt}.${offset}.${at}`,
      attempt,
      at: stamp?.[1] === undefined ? null : Date.parse(stamp[1]),
      text: told,
      level: inside || BAD.test(told) ? 'bad' : WARN.test(told) ? 'warn' : 'plain',
      gap: gap && at === 0,
    };
  });
  return { began_inside, ends_inside: inside, lines };
}

export interface LogFilter {
  /** Shown are the lines with this in them, whatever their case. */
  search: string;
  /** Only warnings and errors. */
  problems: boolean;
}

export function filterLines(lines: readonly LogLine[], { search, problems }: LogFilter): readonly LogLine[] {
  const wanted = search.trim().toLowerCase();
  if (wanted === '' && !problems) return lines;
  return lines.filter((line) => (!problems || line.level !== 'plain') && line.text.toLowerCase().includes(wanted));
}
