import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Engine } from './engine.ts';
import { LogCopy } from './log-copy.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lowrank-log-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function frame(text: string): Buffer {
  const body = Buffer.from(`2026-01-01T00:00:01Z ${text}`);
  const header = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(body.length, 4);
  return Buffer.concat([header, body]);
}

/** An engine whose container printed these lines and has ended. */
function printed(lines: string[]): Engine {
  const frames = Buffer.concat(lines.map(frame));
  const pieces = Array.from({ length: Math.ceil(frames.length / 65_536) }, (_, at) =>
    frames.subarray(at * 65_536, (at + 1) * 65_536),
  );
  const unasked = () => Promise.reject(new Error('nothing else is asked of the engine'));
  return { is_local: true, about: unasked, ask: unasked, follow: async () => Readable.from(pieces) as IncomingMessage };
}

test('a log of more short lines than it may hold is its head and its end, and says how much lies between', async () => {
  const lines = Array.from({ length: 30_000 }, (_, at) => `${at}\n`);
  const log_path = join(folder, 'train.log');
  const bounds = { bytes_max: 100_000, tail_bytes: 40_000 };
  const copy = new LogCopy({ engine: printed(lines), container: 'x', log_path, place_path: join(folder, 'log.json'), ...bounds });
  const dropped = await copy.finish();
  const said = /^\[lowrank\] The log is full: .*\n\[lowrank\] (\d+) bytes of output were left out here\.\n/m;
  const log = await readFile(log_path, 'utf8');
  const [head = '', bytes, end = ''] = log.split(said);
  expect(Number(bytes)).toBe(dropped);
  const whole = lines.join('');
  expect([whole.startsWith(head), whole.endsWith(end)]).toEqual([true, true]);
  expect(head.length + end.length + dropped).toBe(whole.length);
  expect(bounds.bytes_max - bounds.tail_bytes - head.length).toBeLessThan(10);
  expect(bounds.tail_bytes - end.length).toBeLessThan(10);
  expect(await copy.finish()).toBe(dropped);
});
