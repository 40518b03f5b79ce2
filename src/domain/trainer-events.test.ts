import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { EXIT_CODE_OF_ERROR, EXIT_CODES, parseTrainerLine, TRAINER_ERROR_CODES, TRAINER_LINE_MAX } from './trainer-events.ts';

const sample = (name: string) => {
  const text = readFileSync(new URL(`../../trainer/schema/samples/${name}`, import.meta.url), 'utf8');
  return text.slice(0, -1).split('\n');
};

const warning = (message: string) =>
  JSON.stringify({ seq: 1, ts: '2026-03-01T12:00:00.000Z', type: 'warning', code: 'note', message });

describe('lines of events.jsonl', () => {
  test.each(sample('events.jsonl'))('a valid sample line is taken: %s', (line) => {
    const parsed = parseTrainerLine(line);
    expect(parsed).toMatchObject({ ok: true, event: JSON.parse(line) });
  });

  test.each(sample('invalid-events.jsonl'))('an invalid sample line is refused with a reason: %s', (line) => {
    const parsed = parseTrainerLine(line);
    expect(parsed.ok).toBe(false);
    expect(parsed).toHaveProperty('reason', expect.stringMatching(/./));
  });

  test('every type of event has a sample line', () => {
    const types = new Set(sample('events.jsonl').map((line) => JSON.parse(line).type));
    expect([...types].sort()).toEqual(
      ['artifact', 'checkpoint', 'done', 'error', 'hello', 'metric', 'probe', 'progress', 'sample', 'stage', 'warning'].sort(),
    );
  });

  test('a line over the limit is refused before it is parsed', () => {
    expect(parseTrainerLine(warning('x'.repeat(TRAINER_LINE_MAX)))).toEqual({
      ok: false,
      reason: 'longer than 1000000 characters',
    });
  });

  test('text that PostgreSQL cannot store is refused', () => {
    expect(parseTrainerLine(warning('a\u0000b'))).toMatchObject({ ok: false, reason: expect.stringContaining('NUL') });
    expect(parseTrainerLine(warning('a\ud800b'))).toMatchObject({ ok: false });
    expect(parseTrainerLine(warning('a\\u0000b 🕷'))).toMatchObject({ ok: true });
  });

  test('a reason never repeats a long line', () => {
    const line = JSON.stringify({ seq: 1, ts: 'x', type: 'y'.repeat(5000), ['k'.repeat(5000)]: 1 });
    const parsed = parseTrainerLine(line);
    expect(parsed.ok === false && parsed.reason.length).toBeLessThanOrEqual(300);
  });
});

test('every error code ends in a known exit code that is not 0', () => {
  for (const code of TRAINER_ERROR_CODES) {
    expect(EXIT_CODES).toHaveProperty(String(EXIT_CODE_OF_ERROR[code]));
    expect(EXIT_CODE_OF_ERROR[code]).not.toBe(0);
  }
});
