import { appendFile, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { lineReader } from './event-file.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lowrank-events-'));
  path = join(folder, 'events.jsonl');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Everything that the reader gives from an offset on. */
async function readAll(from = 0) {
  const reader = lineReader(path);
  const lines: string[] = [];
  let oversized = 0;
  let at = from;
  for (let batch = await reader.read(at); batch !== null; batch = await reader.read(at)) {
    expect(batch.from).toBe(at);
    expect(batch.to).toBeGreaterThan(at);
    lines.push(...batch.lines);
    oversized += batch.oversized;
    at = batch.to;
  }
  return { lines, oversized, at };
}

describe('the event file of a trainer', () => {
  test('a line is read when its newline is there, and not before', async () => {
    await writeFile(path, '{"a":1}\n{"b"');
    expect(await readAll()).toEqual({ lines: ['{"a":1}'], oversized: 0, at: 8 });
    await appendFile(path, ':2}\n');
    expect(await readAll(8)).toEqual({ lines: ['{"b":2}'], oversized: 0, at: 16 });
  });

  test('many lines arrive whole and in order across batches', async () => {
    const lines = Array.from({ length: 20_000 }, (_, index) => JSON.stringify({ index, fill: 'ü'.repeat(index % 50) }));
    await writeFile(path, `${lines.join('\n')}\n`);
    expect((await readAll()).lines).toEqual(lines);
  });

  test('a line of nearly the limit is read; one over it costs only itself', async () => {
    const long = 'x'.repeat(999_990);
    await writeFile(path, `before\n${long}\n${'y'.repeat(5_000_000)}\nafter\n`);
    const { lines, oversized } = await readAll();
    expect(lines).toEqual(['before', long, 'after']);
    expect(oversized).toBe(1);
  });

  test('a line that never ends is waited for and skipped once it ends', async () => {
    await writeFile(path, 'z'.repeat(3_000_000));
    const reader = lineReader(path);
    expect(await reader.read(0)).toBeNull();
    await appendFile(path, 'z'.repeat(1_000_000));
    expect(await reader.read(0)).toBeNull();
    await appendFile(path, '\nnext\n');
    expect(await reader.read(0)).toEqual({ from: 0, to: 4_000_001, lines: [], oversized: 1 });
    expect(await reader.read(4_000_001)).toMatchObject({ lines: ['next'] });
  });

  test('a file that is not there, was cut short or is a link gives nothing', async () => {
    expect(await lineReader(path).read(0)).toBeNull();
    await writeFile(path, 'a\n');
    expect(await lineReader(path).read(100)).toBeNull();
    await symlink(path, join(folder, 'link'));
    expect(await lineReader(join(folder, 'link')).read(0)).toBeNull();
  });
});
