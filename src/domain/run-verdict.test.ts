import { describe, expect, test } from 'vitest';
import type { RunExit } from './run-exit.ts';
import { judgeRun, type RunEvidence } from './run-verdict.ts';
import { shortenPaths } from './shorten-paths.ts';

const exit = (more: Partial<RunExit> = {}): RunExit => ({
  code: null,
  signal: null,
  stop_requested: null,
  fenced: false,
  orphans_killed: 0,
  oom_kills: 0,
  log_bytes_dropped: 0,
  ran_ms: 60_000,
  ...more,
});
const judge = (record: Partial<RunExit> | null, more: Partial<RunEvidence> = {}) =>
  judgeRun({
    exit: record === null ? null : exit(record),
    lost_reason: null,
    cancel_requested: false,
    done: false,
    error: null,
    log_tail: '',
    ...more,
  });
const said = (code: 'internal' | 'data' | 'nan_loss' | 'out_of_memory', traceback: string | null = null) => ({
  error: { code, message: 'words', hint: 'a way out', traceback },
});

describe('the verdict on a run', () => {
  test('exit 0 after the done line is done, and without it a failure', () => {
    expect(judge({ code: 0 }, { done: true })).toEqual({ type: 'done' });
    expect(judge({ code: 0 })).toMatchObject({ type: 'failed', failure: { code: 'internal' } });
  });

  test('a wish to cancel wins over every ending', () => {
    for (const record of [{ code: 0 }, { code: 1 }, { signal: 'SIGKILL', stop_requested: 'cancel' }, null]) {
      expect(judge(record, { cancel_requested: true, done: true })).toEqual({ type: 'cancelled' });
    }
  });

  test('a wish to pause is fulfilled by a run that obeys, and by none that fails of itself just then', () => {
    const wished = { stop_requested: 'pause' };
    for (const record of [{ code: 143 }, { signal: 'SIGTERM' }, { signal: 'SIGKILL' }])
      expect(judge({ ...record, ...wished }, said('internal'))).toEqual({ type: 'paused' });
    expect(judge({ code: 0, ...wished }, { done: true })).toEqual({ type: 'done' });
    expect(judge({ code: 143, ...wished }, { cancel_requested: true })).toEqual({ type: 'cancelled' });
    expect(judge({ code: 143 })).toMatchObject({ type: 'failed' });
    for (const [record, code] of [
      [{ signal: 'SIGKILL', oom_kills: 1 }, 'out_of_memory'],
      [{ signal: 'SIGSEGV' }, 'internal'],
      [{ code: 6 }, 'nan_loss'],
    ] as const)
      expect(judge({ ...record, ...wished })).toMatchObject({ type: 'failed', failure: { code } });
  });

  test.each([
    ['the host was out of memory', { signal: 'SIGKILL', oom_kills: 1 }, {}, 'out_of_memory'],
    [
      'the GPU was out of memory',
      { code: 1 },
      { log_tail: 'torch.OutOfMemoryError: CUDA out of memory. Tried' },
      'out_of_memory',
    ],
    ['Python was out of memory', { code: 1 }, { log_tail: 'Traceback\nMemoryError\n' }, 'out_of_memory'],
    ['the trainer says so itself', { code: 5 }, said('out_of_memory'), 'out_of_memory'],
    ['NaN', { code: 6 }, said('nan_loss'), 'nan_loss'],
    ['a hang', { signal: 'SIGKILL', stop_requested: 'hang' }, {}, 'hang'],
    ['a hang that saved itself', { code: 143, stop_requested: 'hang' }, {}, 'hang'],
    ['killed from outside', { signal: 'SIGKILL' }, {}, 'killed'],
    ['a crash', { signal: 'SIGSEGV' }, {}, 'internal'],
    ['bad data', { code: 3 }, said('data'), 'data'],
    ['bad data without words', { code: 3 }, {}, 'data'],
    ['a full disk in words', { code: 1 }, { log_tail: 'OSError: [Errno 28] No space left on device' }, 'disk_full'],
    ['a full disk by our own look', { code: 143, stop_requested: 'disk_full' }, {}, 'disk_full'],
    ['a fault of the trainer', { code: 1 }, said('internal', 'Traceback'), 'internal'],
    ['more memory than its limit', { signal: 'SIGKILL', stop_requested: 'memory_limit' }, {}, 'out_of_memory'],
    ['more disk than its limit', { code: 143, stop_requested: 'disk_limit' }, {}, 'disk_full'],
    ['too long', { code: 143, stop_requested: 'runtime_limit' }, {}, 'runtime_limit'],
    ['no program', { code: 127 }, {}, 'launch_failed'],
    ['an exit code of no meaning', { code: 77 }, {}, 'internal'],
  ])('%s is told apart', (_, record, more, code) => {
    expect(judge(record, more)).toMatchObject({ type: 'failed', failure: { code, hint: expect.stringMatching(/./) } });
  });

  test.each([
    ['the host is gone', null, {}, 'contact_lost'],
    ['it fenced itself', { code: 143, stop_requested: 'fenced', fenced: true }, {}, 'contact_lost'],
    ['the host shut down', { code: 143, stop_requested: 'signal' }, {}, 'contact_lost'],
    ['the GPU is gone', { signal: 'SIGKILL', stop_requested: 'gpu_lost' }, {}, 'gpu_lost'],
    ['the GPU fell off', { code: 1 }, { log_tail: 'NVRM: GPU has fallen off the bus' }, 'gpu_lost'],
  ])('%s: a fault of ours, to be started again', (_, record, more, code) => {
    expect(judge(record, more)).toMatchObject({ type: 'lost', failure: { code } });
  });

  test('words in a log do not fail a run that is done', () => {
    expect(judge({ code: 0 }, { done: true, log_tail: 'CUDA out of memory, retrying' })).toEqual({ type: 'done' });
  });

  test('a failure carries the traceback, else the end of the log, without host paths', () => {
    expect(judge({ code: 1 }, said('internal', '  File "/srv/a/b/trainer/x.py", line 3'))).toMatchObject({
      failure: { stack: '  File "…/trainer/x.py", line 3' },
    });
    expect(judge({ code: 1 }, { log_tail: 'one\ntwo\n' })).toMatchObject({ failure: { stack: 'one\ntwo' } });
  });

  test('addresses and fractions are no host paths', () => {
    expect(shortenPaths('see https://example.org/a/b/c and 3/4/5')).toBe('see https://example.org/a/b/c and 3/4/5');
    expect(shortenPaths('/home/me/secret/data/file.bin: gone')).toBe('…/data/file.bin: gone');
    expect(shortenPaths('File "<data>/runs/1/2/x.py", a->/b/c/d')).toBe('File "…/2/x.py", a->…/c/d');
  });
});
