import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { CommandError } from './command-error.ts';
import { readLines } from './estimate/read-lines.ts';
import { openAnswers } from './estimate/write-answers.ts';
import { openProgressLine, type ProgressLine } from './progress-bar.ts';

/** What answers a line; given in so that the planner is loaded only where it is asked. */
type Answer = (request: unknown) => object;

/** `lowrank estimate`: an answer for each line, in their order. Absent or `-`: standard input and output. */
export async function estimateCommand({ input, output }: { input?: string; output?: string }): Promise<void> {
  const { answerOf } = await import('#/domain/foresight/requests/answer-request.ts');
  if (input === '' || output === '')
    throw new CommandError('A file without a name cannot be read or written: name one, or - for a pipe.');
  const from = input === undefined || input === '-' ? null : input;
  const to = output === undefined || output === '-' ? null : output;
  const bytes = from === null ? null : await sizeOf(from);
  const source = from === null ? process.stdin : createReadStream(from, { highWaterMark: 1 << 18 });
  // Beside a pipe of answers on the same terminal a bar would only be in the way.
  const bar = process.stderr.isTTY && !(to === null && process.stdout.isTTY) ? openProgressLine() : null;
  const answers = await openAnswers(to);
  try {
    const counts = await answerAll(source, answers.write, answerOf, told(bar, bytes));
    await answers.finish();
    bar?.clear();
    process.stderr.write(`${summary(counts)}\n`);
  } catch (error) {
    bar?.clear();
    await answers.abandon();
    if (isPipeClosed(error)) return;
    throw asCommandError(error, from, to);
  }
}

interface Counts {
  answered: number;
  refused: number;
}

async function answerAll(
  source: AsyncIterable<Buffer>,
  write: (line: string) => Promise<void> | null,
  answer: Answer,
  tell: (counts: Counts, read_bytes: number) => void,
): Promise<Counts> {
  const counts: Counts = { answered: 0, refused: 0 };
  for await (const line of readLines(source)) {
    const told = 'fault' in line ? refusal(line.number, line.fault) : answerLine(line.text, line.number, answer);
    if ('error' in told) counts.refused++;
    else counts.answered++;
    await write(`${JSON.stringify(told)}\n`);
    tell(counts, line.end);
  }
  return counts;
}

function answerLine(text: string, number: number, answer: Answer): object {
  let request: unknown;
  try {
    request = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return refusal(number, `is not JSON: ${error.message}`);
  }
  return answer(request);
}

const refusal = (number: number, fault: string) => ({ id: null, error: { field: '', message: `Line ${number} ${fault}` } });

/** The bar is redrawn ten times a second, not a million times. */
const REDRAWN_MS = 100;

function told(bar: ProgressLine | null, bytes: number | null): (counts: Counts, read_bytes: number) => void {
  let drawn = 0;
  return ({ answered, refused }, read_bytes) => {
    if (bar === null || performance.now() - drawn < REDRAWN_MS) return;
    drawn = performance.now();
    const count = `${answered + refused} lines${refused > 0 ? `, ${refused} refused` : ''}`;
    bar.show({ stage: 'estimating', done: read_bytes, total: bytes ?? 0, count });
  };
}

function summary({ answered, refused }: Counts): string {
  const lines = (count: number) => `${count} line${count === 1 ? '' : 's'}`;
  if (refused === 0) return `${lines(answered)} answered`;
  return `${lines(answered)} answered, ${lines(refused)} refused: each says in its error what to mend`;
}

/** Bytes of a file to come, for the bar; null for a pipe. */
async function sizeOf(path: string): Promise<number | null> {
  try {
    const facts = await stat(path);
    if (facts.isDirectory()) throw new CommandError(`${path} is a folder: name a file of one JSON object a line.`);
    return facts.isFile() ? facts.size : null;
  } catch (error) {
    throw asCommandError(error, path, null);
  }
}

const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : '');
const isPipeClosed = (error: unknown) => codeOf(error) === 'EPIPE';

function asCommandError(error: unknown, from: string | null, to: string | null): unknown {
  const code = codeOf(error);
  if (code === 'ENOENT') return new CommandError(`There is no ${from ?? to}: name a file that exists, in a folder that does.`);
  if (code === 'EACCES' || code === 'EPERM')
    return new CommandError(`${from ?? ''} ${to ?? ''} may not be read or written here.`.trim());
  if (code === 'EISDIR') return new CommandError(`${to ?? from} is a folder: name a file in it.`);
  if (code === 'ENOTDIR') return new CommandError(`${to ?? from} lies in what is a file: name a file in a folder.`);
  if (code === 'ENAMETOOLONG')
    return new CommandError('The name of the file is longer than this disk takes: choose a shorter one.');
  if (code === 'EROFS') return new CommandError(`${to ?? from} lies on a disk that may only be read: write elsewhere.`);
  if (code === 'ENOSPC')
    return new CommandError(`The disk is full: ${to ?? 'the answers'} could not be written, and nothing is left of it.`);
  return error;
}
