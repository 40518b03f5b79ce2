import { once } from 'node:events';
import { Readable } from 'node:stream';
import { afterEach, expect, test, vi } from 'vitest';
import { downloadBody, TAKES_NOTHING_MS } from './download-body.ts';
import { DOWNLOADS } from './places.ts';

const PERSON = 'a person';
const nobody = new AbortController().signal;
const begin = (stream: Readable, client: AbortSignal = nobody) => downloadBody(PERSON, client, () => stream);
/** A source that always has more. */
const endless = () =>
  new Readable({
    read() {
      this.push(Buffer.alloc(1000));
    },
  });

/** How many more downloads the person may begin now. */
function left(): number {
  const taken: (() => void)[] = [];
  try {
    for (;;) taken.push(DOWNLOADS.hold(PERSON));
  } catch {
    return taken.length;
  } finally {
    for (const leave of taken) leave();
  }
}
const ALL = DOWNLOADS.a_person_max;

afterEach(() => {
  vi.useRealTimers();
  // Whatever a test did, all its places are free again.
  expect(left()).toBe(ALL);
});

test('holds a place until its last byte is taken', async () => {
  const body = await begin(Readable.from([Buffer.from('one'), Buffer.from('two')]));
  expect(left()).toBe(ALL - 1);
  expect(await new Response(body).text()).toBe('onetwo');
  expect(left()).toBe(ALL);
});

test.each<[string, (body: ReadableStream<Uint8Array>) => Promise<unknown>]>([
  ['before it reads', (body) => body.cancel()],
  [
    'while it reads',
    async (body) => {
      const reader = body.getReader();
      await reader.read();
      await reader.cancel();
    },
  ],
])('a reader who leaves %s lets the place and the source go', async (_, leave) => {
  const source = endless();
  const body = (await begin(source)) as ReadableStream<Uint8Array>;
  expect(left()).toBe(ALL - 1);
  await leave(body);
  expect([left(), source.destroyed]).toEqual([ALL, true]);
});

test('a connection that ends lets the place and the source go, read or not', async () => {
  const client = new AbortController();
  const source = endless();
  await begin(source, client.signal);
  client.abort('gone');
  expect([left(), source.destroyed]).toEqual([ALL, true]);
});

test('a source that fails, read or not, gives the place back and is no whole file', async () => {
  const source = endless();
  const body = await begin(source);
  source.destroy(new Error('broken off'));
  await new Promise((resolve) => source.once('close', resolve));
  expect(left()).toBe(ALL);
  await expect(new Response(body).text()).rejects.toThrow();
});

test('what cannot be opened gives the place back and is told', async () => {
  const open = () => Promise.reject(new Error('no such file'));
  await expect(downloadBody(PERSON, nobody, open)).rejects.toThrow('no such file');
});

test('who leaves while it is being opened holds nothing, and the storage hears of it', async () => {
  const client = new AbortController();
  const body = downloadBody(PERSON, client.signal, async (gone) => {
    await once(gone, 'abort');
    throw gone.reason;
  });
  expect(left()).toBe(ALL - 1);
  client.abort('gone');
  expect(left()).toBe(ALL);
  expect(await body).toBeNull();
});

test('what was opened for somebody who had left is closed', async () => {
  const client = new AbortController();
  const source = endless();
  const body = await downloadBody(PERSON, client.signal, async () => {
    client.abort('gone');
    return source;
  });
  expect([body, source.destroyed]).toEqual([null, true]);
});

test('who takes nothing for minutes has gone; who takes a little stays', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const [slow, silent] = [endless(), endless()];
  const reader = ((await begin(slow)) as ReadableStream<Uint8Array>).getReader();
  const unread = await begin(silent);
  for (let turn = 0; turn < 3; turn++) {
    vi.advanceTimersByTime(TAKES_NOTHING_MS - 1);
    expect((await reader.read()).value).toHaveLength(1000);
  }
  expect([slow.destroyed, silent.destroyed, left()]).toEqual([false, true, ALL - 1]);
  await expect(new Response(unread).text()).rejects.toThrow();
  await reader.cancel();
});
