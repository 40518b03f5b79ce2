/** Lines of a stream, one at a time: however many there are, only one is held. */
import { formatBytes, MB } from '#/domain/bytes.ts';

/** A line longer than this is no request. */
export const LINE_BYTES_MAX = MB;

export type InputLine = {
  /** From 1. */
  number: number;
  /** Bytes of the stream up to its end. */
  end: number;
} & ({ text: string } | { fault: string });

const NEWLINE = 0x0a;
const TOO_LONG = `has more than ${formatBytes(LINE_BYTES_MAX)}`;
/** JSON says UTF-8; a byte order mark before the first line is left out by the decoder. */
const decoder = new TextDecoder('utf-8', { fatal: true });

/** Lines that hold nothing but blanks are left out, yet counted. */
export async function* readLines(source: AsyncIterable<Buffer>): AsyncGenerator<InputLine> {
  let held: Buffer[] = [];
  let held_bytes = 0;
  let number = 0;
  let end = 0;
  const take = (piece: Buffer): InputLine | null => {
    number++;
    const bytes = held_bytes + piece.length;
    const whole = bytes > LINE_BYTES_MAX ? null : held.length === 0 ? piece : Buffer.concat([...held, piece], bytes);
    held = [];
    held_bytes = 0;
    if (whole === null) return { number, end, fault: TOO_LONG };
    const text = decoded(whole);
    if (text === null) return { number, end, fault: 'is not UTF-8' };
    return text.trim() === '' ? null : { number, end, text };
  };
  for await (const chunk of source) {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      end += at + 1 - from;
      const line = take(chunk.subarray(from, at));
      from = at + 1;
      if (line !== null) yield line;
    }
    const rest = chunk.subarray(from);
    end += rest.length;
    held_bytes += rest.length;
    // Of a line that is too long nothing is kept.
    if (held_bytes > LINE_BYTES_MAX) held = [];
    else if (rest.length > 0) held.push(Buffer.from(rest));
  }
  if (held_bytes === 0) return;
  const last = take(Buffer.alloc(0));
  if (last !== null) yield last;
}

function decoded(bytes: Buffer): string | null {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}
