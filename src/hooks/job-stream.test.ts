import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { MetricPoint } from '#/contract/job-reads.ts';
import { EventStreamParser, type StreamEvent } from './event-stream.ts';
import { emptyRecord, takeIn } from './job-record.ts';
import { SharedStream } from './shared-stream.ts';

const point = (attempt: number, seq: number, step = seq): MetricPoint => ({
  attempt,
  seq,
  step,
  epoch: null,
  timestamp: '2026-01-01T00:00:00.000Z',
  loss: 1 / step,
  eval_loss: null,
  learning_rate: null,
  grad_norm: null,
  tokens_per_second: null,
  samples_per_second: null,
  gpu_memory_mb: null,
  peak_memory_mb: null,
  extra: null,
});
const event = (name: string, data: unknown, id: string | null = null): StreamEvent => ({
  event: name,
  data: JSON.stringify(data),
  id,
});

test('a stream reads the same wherever its chunks are cut', () => {
  const text = ': ping\r\n\r\nid: 1\nevent: job\ndata: {"a":\ndata: 1}\n\nevent: log\r\ndata:x\r\n\r\nid\ndata: y\n\n';
  const whole = new EventStreamParser('0').push(text);
  expect(whole).toEqual([
    { id: '1', event: 'job', data: '{"a":\n1}' },
    { id: '1', event: 'log', data: 'x' },
    { id: '', event: 'message', data: 'y' },
  ]);
  for (let cut = 1; cut < text.length; cut += 1) {
    const parser = new EventStreamParser('0');
    expect([...parser.push(text.slice(0, cut)), ...parser.push(text.slice(cut))]).toEqual(whole);
  }
});

test('points that come again are held once', () => {
  const record = emptyRecord();
  takeIn(record, event('metrics', { points: [point(1, 1), point(1, 2)] }, 'a'));
  takeIn(record, event('metrics', { points: [point(1, 2), point(1, 3)] }, 'b'));
  expect(record.points.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  expect(record.cursor).toBe('b');
});

test('a later attempt hides the points after the step that it went on from, and only those', () => {
  const record = emptyRecord();
  takeIn(record, event('metrics', { points: [1, 2, 3, 4].map((seq) => point(1, seq)) }));
  takeIn(record, event('reset', { attempt: 2, from_step: 2 }));
  takeIn(record, event('metrics', { points: [point(2, 1, 3)] }));
  takeIn(record, event('reset', { attempt: 2, from_step: 2 }));
  expect(record.points.map(({ attempt, step }) => [attempt, step])).toEqual([
    [1, 1],
    [1, 2],
    [2, 3],
  ]);
});

test('log text is held once, a hole in it is marked, and offsets count bytes', () => {
  const record = emptyRecord();
  takeIn(record, event('log', { attempt: 1, offset: 100, text: 'é\n' }));
  takeIn(record, event('log', { attempt: 1, offset: 100, text: 'é\n' }));
  takeIn(record, event('log', { attempt: 1, offset: 103, text: 'b\n' }));
  takeIn(record, event('log', { attempt: 1, offset: 900, text: 'c\n' }));
  takeIn(record, event('log', { attempt: 2, offset: 0, text: 'd\n' }));
  expect(record.log.map(({ text, gap }) => [text, gap])).toEqual([
    ['é\n', false],
    ['b\n', false],
    ['c\n', true],
    ['d\n', false],
  ]);
  expect(record.log_cut).toBe(true);
});

let asked: (string | undefined)[];
let open: ServerResponse[];
let answered: PromiseWithResolvers<ServerResponse>;
const server = createServer((request, response) => {
  asked.push(request.headers['last-event-id'] as string | undefined);
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
  response.on('close', () => {
    open = open.filter((other) => other !== response);
  });
  open.push(response);
  answered.resolve(response);
  answered = Promise.withResolvers();
});
const tabs: SharedStream[] = [];
const tab = (job_id: string) => {
  const stream = new SharedStream(job_id, () => undefined);
  stream.open();
  tabs.push(stream);
  return stream;
};
const send = (response: ServerResponse, name: string, data: unknown, id: string) =>
  response.write(`event: ${name}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`);
const seqs = (stream: SharedStream) => stream.record.points.map(({ seq }) => seq);

beforeEach(async () => {
  asked = [];
  open = [];
  answered = Promise.withResolvers();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const fetched = globalThis.fetch;
  vi.stubGlobal('fetch', (path: string, init: RequestInit) => fetched(origin + path, init));
  vi.stubGlobal('document', Object.assign(new EventTarget(), { visibilityState: 'visible' }));
});

afterEach(async () => {
  for (const stream of tabs.splice(0)) stream.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  vi.unstubAllGlobals();
});

test('three tabs of one job hold one connection and all see every point', async () => {
  const opened = answered.promise;
  const [first, second] = [tab('a'), tab('a')];
  const response = await opened;
  send(response, 'metrics', { points: [point(1, 1), point(1, 2)] }, '1');
  await vi.waitFor(() => expect(seqs(second)).toEqual([1, 2]));
  const third = tab('a');
  await vi.waitFor(() => expect(seqs(third)).toEqual([1, 2]));
  send(response, 'metrics', { points: [point(1, 3)] }, '2');
  await vi.waitFor(() =>
    expect([first, second, third].map(seqs)).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
    ]),
  );
  expect(asked).toHaveLength(1);
});

test('when the reading tab closes, another goes on from the same place', async () => {
  const opened = answered.promise;
  const [first, second] = [tab('b'), tab('b')];
  send(await opened, 'metrics', { points: [point(1, 1)] }, 'one');
  await vi.waitFor(() => expect(seqs(second)).toEqual([1]));
  const reopened = answered.promise;
  first.close();
  send(await reopened, 'metrics', { points: [point(1, 2)] }, 'two');
  await vi.waitFor(() => expect(seqs(second)).toEqual([1, 2]));
  expect(asked).toEqual([undefined, 'one']);
});

test('a cut connection says when it tries again, and comes back from its cursor', async () => {
  const opened = answered.promise;
  const stream = tab('c');
  const response = await opened;
  send(response, 'metrics', { points: [point(1, 1)] }, 'one');
  await vi.waitFor(() => expect(stream.connection.state).toBe('live'));
  const reopened = answered.promise;
  response.destroy();
  await vi.waitFor(() => expect(stream.connection).toMatchObject({ state: 'waiting', retry_at: expect.any(Number) }));
  send(await reopened, 'metrics', { points: [point(1, 2)] }, 'two');
  await vi.waitFor(() => expect(seqs(stream)).toEqual([1, 2]));
  expect(stream.connection.state).toBe('live');
  expect(asked).toEqual([undefined, 'one']);
});

test('a stream that is gone is not asked again', async () => {
  const opened = answered.promise;
  const stream = tab('d');
  send(await opened, 'gone', {}, 'one');
  await vi.waitFor(() => expect(stream.connection.state).toBe('ended'));
  expect(stream.record.gone).toBe('deleted');
  await vi.waitFor(() => expect(open).toHaveLength(0));
  expect(asked).toHaveLength(1);
});
