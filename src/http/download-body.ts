import type { Readable } from 'node:stream';
import { DOWNLOADS, type Places } from './places.ts';

/** Who takes nothing for so long has gone, or begins again where it stopped, by a range. */
export const TAKES_NOTHING_MS = 300_000;

/**
 * The body of a download, which holds one of the person's `places` and what it reads from until it ends, fails, or is let go by
 * its reader, whom `client` tells of, too. `open` is told by its signal when nobody waits any more; null when that was
 * before there was anything to read. Throws `rate_limited`, and what `open` throws.
 */
export async function downloadBody(
  user_id: string,
  client: AbortSignal,
  open: (gone: AbortSignal) => Readable | Promise<Readable>,
  places: Places = DOWNLOADS,
): Promise<ReadableStream<Uint8Array> | null> {
  const leave = places.hold(user_id);
  const gone = new AbortController();
  let stream: Readable | undefined;
  const end = () => {
    clearTimeout(silence);
    client.removeEventListener('abort', letGo);
    leave();
  };
  const letGo = () => {
    end();
    stream?.destroy();
    gone.abort();
  };
  const silence = setTimeout(letGo, TAKES_NOTHING_MS).unref();
  client.addEventListener('abort', letGo, { once: true });
  try {
    stream = await open(gone.signal);
  } catch (error) {
    letGo();
    if (client.aborted) return null;
    throw error;
  }
  if (client.aborted) {
    letGo();
    return null;
  }
  // Also what breaks off while nobody reads gives its place back; whoever reads on hears of it.
  stream.once('error', letGo);
  return bodyOf(stream, { taken: () => silence.refresh(), end, letGo });
}

interface Following {
  taken(): void;
  end(): void;
  letGo(): void;
}

// Not Readable.toWeb, which can throw where nobody catches when the reader goes away; not ReadableStream.from, which leaves
// the file open when the reader goes away before it reads.
function bodyOf(stream: Readable, { taken, end, letGo }: Following): ReadableStream<Uint8Array> {
  const chunks: AsyncIterator<Uint8Array> = stream[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          taken();
          const { done, value } = await chunks.next();
          if (!done) return controller.enqueue(value);
          end();
          controller.close();
        } catch (error) {
          letGo();
          throw error;
        }
      },
      cancel: letGo,
    },
    { highWaterMark: 0 },
  );
}
