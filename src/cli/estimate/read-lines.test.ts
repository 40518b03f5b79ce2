import { describe, expect, test } from 'vitest';
import { type InputLine, LINE_BYTES_MAX, readLines } from './read-lines.ts';

async function* chunks(bytes: Buffer, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function linesOf(bytes: Buffer, size: number): Promise<InputLine[]> {
  const lines: InputLine[] = [];
  for await (const line of readLines(chunks(bytes, size))) lines.push(line);
  return lines;
}

describe('lines', () => {
  test.each([1, 3, 7, 1000])('are the same however the stream is cut: pieces of %i bytes', async (size) => {
    const text = 'first\n\n  \r\nzweité ✓\r\nlast';
    const lines = await linesOf(Buffer.from(text), size);
    expect(lines.map((line) => ('text' in line ? [line.number, line.text.trim()] : line))).toEqual([
      [1, 'first'],
      [4, 'zweité ✓'],
      [5, 'last'],
    ]);
    expect(lines.at(-1)?.end).toBe(Buffer.byteLength(text));
  });

  test('that are no UTF-8 or longer than a megabyte are told by their number, and what follows is read', async () => {
    const bytes = Buffer.concat([
      Buffer.from([0xff, 0x0a]),
      Buffer.alloc(LINE_BYTES_MAX + 1, 0x20),
      Buffer.from('\n{}\n'),
      Buffer.alloc(LINE_BYTES_MAX + 5, 0x61),
    ]);
    const lines = await linesOf(bytes, 65_536);
    expect(lines.map((line) => ('fault' in line ? [line.number, line.fault] : [line.number, line.text]))).toEqual([
      [1, 'is not UTF-8'],
      [2, 'has more than 1 MB'],
      [3, '{}'],
      [4, 'has more than 1 MB'],
    ]);
  });
});
