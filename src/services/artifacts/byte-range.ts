import type { ByteRange } from '#/storage/storage.ts';

/**
 * What a Range header asks of a file: a range of it, `unsatisfiable`, or null for the whole file. Units and forms that we
 * do not know, and several ranges at once, are answered with the whole file, as HTTP allows.
 */
export function readRange(header: string | undefined, bytes: number): ByteRange | 'unsatisfiable' | null {
  const parts = /^bytes=\s*(\d{0,15})-(\d{0,15})\s*$/.exec(header ?? '');
  if (parts === null) return null;
  const [first, last] = [parts[1] ?? '', parts[2] ?? ''];
  if (first === '' && last === '') return null;
  if (first === '') {
    const length = Math.min(Number(last), bytes);
    return length === 0 ? 'unsatisfiable' : { first: bytes - length, last: bytes - 1 };
  }
  if (last !== '' && Number(last) < Number(first)) return null;
  if (Number(first) >= bytes) return 'unsatisfiable';
  return { first: Number(first), last: last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1) };
}
