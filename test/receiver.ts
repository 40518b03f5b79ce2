/** A real HTTP server that records what it gets and answers as a test tells it to. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface Received {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
  /** The address that it came to. */
  host: string;
}

export interface Receiver {
  /** Where it is reached, without a last slash. */
  url: string;
  /** `127.0.0.1:PORT`, as the operator's list has it. */
  host: string;
  port: number;
  /** What came, in order. */
  got: Received[];
  /** Resolves when `count` requests have come in all. */
  until(count: number): Promise<void>;
  close(): Promise<void>;
}

/** Starts one on a free port of `host`. `answer` ends the response, or leaves it open. */
export async function startReceiver(
  answer: (response: ServerResponse, request: Received) => void = (response) => response.end(),
  host = '127.0.0.1',
  port = 0,
): Promise<Receiver> {
  const got: Received[] = [];
  const waiting = new Set<() => void>();
  const sockets = new Set<Socket>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const received = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      body: Buffer.concat(chunks).toString('utf8'),
      host: request.socket.localAddress ?? '',
    };
    got.push(received);
    for (const wake of waiting) wake();
    answer(response, received);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${bound}`,
    host: `${host}:${bound}`,
    port: bound,
    got,
    until: (count) =>
      new Promise((resolve) => {
        const look = () => {
          if (got.length < count) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
