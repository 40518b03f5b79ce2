import { expect, test } from 'vitest';
import { filterLines, logLines } from './log-lines.ts';

const piece = (text: string, rest: { attempt?: number; offset?: number; gap?: boolean } = {}) => ({
  attempt: 1,
  offset: 0,
  gap: false,
  ...rest,
  text,
});
const shown = (...pieces: ReturnType<typeof piece>[]) => logLines(pieces).map(({ text, level }) => [level, text]);

test('each line stands by itself, whichever piece brought it, and a gap is told before the line after it', () => {
  const lines = logLines([piece('a\n\nb\n'), piece('c', { offset: 90, gap: true }), piece('d\n', { attempt: 2 })]);
  expect(lines.map(({ text, attempt, gap }) => [text, attempt, gap])).toEqual([
    ['a', 1, false],
    ['', 1, false],
    ['b', 1, false],
    ['c', 1, true],
    ['d', 2, false],
  ]);
  expect(new Set(lines.map(({ key }) => key)).size).toBe(5);
});

test('the instant at the start of a line is told apart from its text', () => {
  expect(logLines([piece('2026-01-31T12:00:00.250Z INFO step 3: loss 1.23\n2026-01-31 12:00 no\n')])).toMatchObject([
    { at: Date.UTC(2026, 0, 31, 12, 0, 0, 250), text: 'INFO step 3: loss 1.23', level: 'plain' },
    { at: null, text: '2026-01-31 12:00 no' },
  ]);
});

test('warnings and errors are known by their words, a traceback to its last line', () => {
  const text = [
    '2026-01-31T12:00:00Z WARNING few_rows: only 3',
    '/x/y.py:3: FutureWarning: old',
    'Traceback (most recent call last):',
    '  File "x.py", line 1',
    '',
    '    boom()',
    'torch.OutOfMemoryError: CUDA out of memory',
    '2026-01-31T12:00:00Z ERROR out_of_memory: no room',
    '0 errors found, no warnings',
    'INFO error rate 0.3',
  ].join('\n');
  expect(shown(piece(text)).map(([level]) => level)).toEqual([
    'warn',
    'warn',
    'bad',
    'bad',
    'bad',
    'bad',
    'bad',
    'bad',
    'plain',
    'plain',
  ]);
});

test('a filter shows lines that hold the words, and only problems where it is asked', () => {
  const lines = logLines([piece('INFO Step 1\nERROR: no step\nINFO other\n')]);
  const texts = (search: string, problems: boolean) => filterLines(lines, { search, problems }).map(({ text }) => text);
  expect(texts('', false)).toHaveLength(3);
  expect(texts(' STEP ', false)).toEqual(['INFO Step 1', 'ERROR: no step']);
  expect(texts('step', true)).toEqual(['ERROR: no step']);
});
