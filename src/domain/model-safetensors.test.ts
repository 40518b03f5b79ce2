import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSafetensorsHeader, safetensorsHeaderBytes } from './model-safetensors.ts';

const tensor = (dtype: string, shape: number[], begin: number, end: number) => ({ dtype, shape, data_offsets: [begin, end] });
const read = (header: unknown, data_bytes: number) =>
  readSafetensorsHeader(typeof header === 'string' ? header : JSON.stringify(header), data_bytes);

describe('a sound header', () => {
  it('gives exact parameters and dtypes', () => {
    const header = {
      __metadata__: { format: 'pt' },
      b: tensor('F32', [2], 24, 32),
      a: tensor('BF16', [3, 4], 0, 24),
      empty: tensor('F32', [0, 5], 32, 32),
    };
    expect(read(header, 32)).toEqual({
      ok: true,
      facts: { tensors: ['b', 'a', 'empty'], params: 14, params_by_dtype: { F32: 2, BF16: 12 } },
    });
    expect(read(`${JSON.stringify(header)}    `, 32).ok).toBe(true);
    expect(read({}, 0).ok).toBe(true);
    expect(read({ packed: tensor('F4', [4], 0, 2), scalar: tensor('F64', [], 2, 10) }, 10)).toMatchObject({
      facts: { params: 5 },
    });
  });

  it('may hold braces, quotes and colons in its names', () => {
    expect(read({ 'a":{[': tensor('U8', [1], 0, 1), 'b\\': tensor('U8', [1], 1, 2) }, 2).ok).toBe(true);
  });
});

describe('a broken header is refused', () => {
  const one = tensor('U8', [4], 0, 4);
  it.each<[string, unknown, number]>([
    ['not JSON', '{', 0],
    ['not an object', '[]', 0],
    ['a string', '"x"', 0],
    ['text after it', `${JSON.stringify({ a: one })}x`, 4],
    [
      'a tensor named twice',
      '{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}',
      4,
    ],
    ['nested too deeply', `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 0],
    ['an overlap', { a: one, b: tensor('U8', [4], 2, 6) }, 6],
    ['the same bytes twice', { a: one, b: one }, 4],
    ['a hole', { a: one, b: tensor('U8', [2], 5, 7) }, 7],
    ['a hole at the beginning', { a: tensor('U8', [2], 1, 3) }, 3],
    ['an end past the file', { a: one }, 3],
    ['bytes after the last tensor', { a: one }, 5],
    ['begin after end', { a: tensor('U8', [0], 4, 0) }, 0],
    ['a size that is not the shape', { a: tensor('F32', [4], 0, 4) }, 4],
    ['an unknown dtype', { a: tensor('OBJ', [4], 0, 4) }, 4],
    ['a dtype of the prototype', { a: tensor('constructor', [4], 0, 4) }, 4],
    ['a negative size', { a: tensor('U8', [-4], 0, 4) }, 4],
    ['a fraction', { a: tensor('U8', [4.5], 0, 4) }, 4],
    ['a size beyond counting', { a: tensor('U8', [2 ** 40, 2 ** 40], 0, 4) }, 4],
    ['an unknown field', { a: { ...one, extra: 1 } }, 4],
    ['no offsets', { a: { dtype: 'U8', shape: [4] } }, 4],
    ['offsets of strings', { a: { dtype: 'U8', shape: [4], data_offsets: ['0', '4'] } }, 4],
    ['null', { a: null }, 0],
  ])('%s', (_, header, data_bytes) => {
    const answer = read(header, data_bytes);
    expect(answer).toMatchObject({ ok: false, message: expect.any(String) });
  });

  it('whatever the text is, with a sentence and no exception', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), fc.nat(1000), (text, bytes) => typeof read(text, bytes).ok === 'boolean'),
    );
  });
});

describe('the first 8 bytes', () => {
  const first = (length: bigint) => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, length, true);
    return bytes;
  };
  it('say how long the header is', () => expect(safetensorsHeaderBytes(first(100n), 200)).toBe(100));
  it.each([
    ['nothing', 0n, 200],
    ['more than the file', 193n, 200],
    ['more than we read', 200n * 1024n * 1024n, 1e12],
    ['2^63', 1n << 63n, 1e12],
  ])('that say %s are none', (_, length, bytes) => expect(safetensorsHeaderBytes(first(length), bytes)).toBeNull());
  it('of a pickle, a zip and a text are none', () => {
    for (const text of ['\x80\x04\x95\x00\x00\x00\x00\x00', 'PK\x03\x04\x00\x00\x08\x08', '{"a": 1}', 'GGUF\x03\0\0\0', ''])
      expect(safetensorsHeaderBytes(Buffer.from(text, 'latin1'), 1_000_000)).toBeNull();
  });
});
