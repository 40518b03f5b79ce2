/** Server-sent events read with `fetch`: unlike `EventSource` it says why it failed and may start from a cursor of ours. */
import { apiError, unreachable } from './api.ts';

export interface StreamEvent {
  /** The last `id:` seen, this event's own included. */
  id: string | null;
  event: string;
  data: string;
}

/** Splits a stream's text into events as it arrives, whatever the chunk borders are. */
export class EventStreamParser {
  private rest = '';
  private id: string | null;
  private event = '';
  private data: string[] = [];

  constructor(id: string | null = null) {
    this.id = id;
  }

  push(chunk: string): StreamEvent[] {
    const found: StreamEvent[] = [];
    const text = this.rest + chunk;
    // A CR at the very end may be half of a CRLF: it waits for the next chunk.
    const end = text.endsWith('\r') ? text.length - 1 : text.length;
    const lines = text.slice(0, end).split(/\r\n|\n|\r/);
    this.rest = (lines.pop() ?? '') + text.slice(end);
    for (const line of lines) {
      if (line === '') {
        if (this.data.length > 0) found.push({ id: this.id, event: this.event || 'message', data: this.data.join('\n') });
        this.event = '';
        this.data = [];
      } else this.field(line);
    }
    return found;
  }

  private field(line: string): void {
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') this.data.push(value);
    else if (name === 'event') this.event = value;
    else if (name === 'id' && !value.includes('\0')) this.id = value;
  }
}

export interface ReadOptions {
  /** Cursor to continue after; null reads from the start. */
  after: string | null;
  signal: AbortSignal;
  onOpen(): void;
  onEvent(event: StreamEvent): void;
  /** Without a byte for this long the connection counts as dead. */
  silence_ms: number;
  fetch?: typeof fetch;
}

/** Reads one connection until the server ends it. Throws `ApiError` where the server refuses or cannot be reached. */
export async function readEventStream(url: string, options: ReadOptions): Promise<void> {
  const { after, signal, onOpen, onEvent, silence_ms } = options;
  const silent = new AbortController();
  const both = AbortSignal.any([signal, silent.signal]);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silent.abort(), silence_ms);
  };
  try {
    heard();
    const response = await (options.fetch ?? fetch)(url, {
      headers: { accept: 'text/event-stream', ...(after === null ? {} : { 'last-event-id': after }) },
      cache: 'no-store',
      signal: both,
    });
    if (!response.ok || response.body === null) {
      const body: unknown = await response.json().catch(() => null);
      throw apiError(response.status, body, response.headers.get('retry-after'));
    }
    onOpen();
    const parser = new EventStreamParser(after);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      heard();
      for (const event of parser.push(value)) onEvent(event);
    }
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'ApiError') throw cause;
    if (signal.aborted) throw cause;
    throw unreachable();
  } finally {
    clearTimeout(timer);
  }
}
