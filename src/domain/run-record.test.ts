import { describe, expect, test } from 'vitest';
import { ProbeFigures } from './probe-figures.ts';
import { progressPercent, sortTrainerLines } from './run-record.ts';

const line = (seq: number, more: Record<string, unknown>) => JSON.stringify({ seq, ts: '2026-03-01T12:00:00.000Z', ...more });

describe('a batch of trainer lines', () => {
  test('is sorted into points, events and progress', () => {
    const rows = sortTrainerLines(
      [
        line(1, { type: 'stage', stage: 'loading_model' }),
        line(2, { type: 'metric', step: 1, loss: 2.5, eval_seconds: 3 }),
        line(3, { type: 'progress', step: 1, total_steps: 4, epoch: 0.25, eta_seconds: null }),
        line(4, { type: 'metric', step: 2, loss: 1.5, learning_rate: 0.1 }),
        line(5, { type: 'stage', stage: 'training' }),
      ],
      0,
    );
    expect(rows.points.map((point) => [point.seq, point.step, point.loss, point.extra])).toEqual([
      [2, 1, 2.5, { eval_seconds: 3 }],
      [4, 2, 1.5, null],
    ]);
    expect(rows.events.map((event) => [event.trainer_seq, event.message])).toEqual([
      [1, 'loading_model'],
      [5, 'training'],
    ]);
    expect(rows.progress).toEqual({
      stage: 'training',
      step: 1,
      total_steps: 4,
      epoch: 0.25,
      eta_seconds: null,
      metrics: { loss: 1.5, learning_rate: Math.fround(0.1) },
      measured: null,
    });
    expect(rows).toMatchObject({ last_seq: 5, rejected: 0 });
  });

  test('tells in a sentence what the first steps measured', () => {
    const probe = {
      type: 'probe',
      step: 8,
      warmup_steps: 3,
      timed_steps: 5,
      seconds_per_step: { median: 0.1437, low: 0.13, high: 0.2 },
      tokens_per_step: 800,
      padded_tokens_per_step: 960,
      trained_tokens_per_step: 400,
      tokens_per_second: 5567.2,
      mean_tokens_per_step: 810,
      expected_seconds_per_step: 0.1455,
      longest_pass_tokens: 1536,
      peak_allocated_mb: null,
      peak_reserved_mb: null,
      device_memory_mb: 1210,
    };
    const short = { ...probe, timed_steps: 1, seconds_per_step: { median: 12.6, low: 12.6, high: 12.6 } };
    const { events, progress } = sortTrainerLines([line(1, probe), line(2, short)], 0);
    expect(events.map((event) => [event.type, event.message])).toEqual([
      ['probe', 'measured over 5 steps: 0.144 s/step, 1.21 GB'],
      ['probe', 'measured over one step: 12.6 s/step, 1.21 GB'],
    ]);
    expect(events[0]?.data).toMatchObject({ longest_pass_tokens: 1536, step: 8 });
    const { type: _, ...figures } = short;
    expect(progress.measured).toEqual(figures);
    expect(ProbeFigures.parse({ attempt: 1, ...progress.measured })).toEqual({ attempt: 1, ...figures });
  });

  test('goes on after the last stored seq, whatever comes again', () => {
    const lines = [1, 2, 3].map((seq) => line(seq, { type: 'metric', step: seq, loss: 1 }));
    expect(sortTrainerLines(lines, 2)).toMatchObject({ points: [{ seq: 3 }], last_seq: 3, rejected: 2 });
    expect(sortTrainerLines([], 7)).toMatchObject({ last_seq: 7, rejected: 0 });
  });

  test('keeps nothing of the host in what a user may read, and what a model wrote as it is', () => {
    const traceback = '  File "/srv/secret/place/trainer/x.py", line 3';
    const error = { type: 'error', code: 'internal', message: 'no /srv/secret/place/data/file', hint: 'h', traceback };
    const sample = { type: 'sample', step: 1, prompt: 'where?', text: 'in /usr/share/doc/it' };
    const { events } = sortTrainerLines([line(1, sample), line(2, error)], 0);
    expect(JSON.stringify(events[1])).not.toContain('secret');
    expect(events[1]).toMatchObject({ message: 'no …/data/file', data: { traceback: '  File "…/trainer/x.py", line 3' } });
    expect(events[0]).toMatchObject({ data: { text: 'in /usr/share/doc/it' } });
  });

  test('holds no text that the database refuses', () => {
    const hello = {
      type: 'hello',
      protocol: 1,
      trainer: 't',
      versions: { 'a\u0000b': 'c' },
      device: 'cpu',
      gpus: [],
      total_parameters: 1,
      trainable_parameters: 1,
    };
    expect(JSON.stringify(sortTrainerLines([line(1, hello)], 0).events)).not.toContain('u0000');
  });

  test('takes no time from a clock that is wrong by centuries', () => {
    const [point] = sortTrainerLines([JSON.stringify({ seq: 1, ts: '0001-01-01T00:00:00Z', type: 'metric', step: 1 })], 0).points;
    expect(point?.timestamp).toBe('2000-01-01T00:00:00.000Z');
  });
});

test('percent stays within its bounds', () => {
  expect([progressPercent(1, 4), progressPercent(9, 4), progressPercent(0, 0)]).toEqual([25, 100, 0]);
});
