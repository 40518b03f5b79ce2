import { QueryClient } from '@tanstack/react-query';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DATASET_BYTES_MAX } from '#/domain/constants.ts';
import { addUploads, currentUploads, dismissUpload, retryUpload } from './uploads.ts';

/** The parts of a browser's request that an upload uses; a test plays the network. */
class Request {
  upload: { onprogress?: (event: { loaded: number }) => void; onload?: () => void } = {};
  onload?: () => void;
  onabort?: () => void;
  onloadend?: () => void;
  status = 0;
  responseText = '';
  url = '';
  open(_: string, url: string) {
    this.url = url;
  }
  type: string | null = null;
  setRequestHeader(_: string, type: string) {
    this.type = type;
  }
  getResponseHeader() {
    return null;
  }
  body: unknown;
  send(body: unknown) {
    this.body = body;
    sent.push(this);
  }
  abort() {
    this.onabort?.();
    this.onloadend?.();
  }
  answer(status: number, body: unknown) {
    Object.assign(this, { status, responseText: JSON.stringify(body) });
    this.upload.onload?.();
    this.onload?.();
    this.onloadend?.();
  }
}

let sent: Request[];
const file = (path: string, size = 100) => ({ file: { name: path.split('/').at(-1), size } as File, name: path });
const states = () => currentUploads().map(({ name, state }) => [name, state]);
const queries = new QueryClient();

beforeEach(() => {
  sent = [];
  vi.stubGlobal('XMLHttpRequest', Request);
  vi.stubGlobal('addEventListener', () => undefined);
  vi.stubGlobal('removeEventListener', () => undefined);
});

afterEach(() => {
  for (const { key } of currentUploads()) dismissUpload(key);
  for (const { key } of currentUploads()) dismissUpload(key);
  vi.unstubAllGlobals();
});

test('a file that is empty or too large is refused before a byte is sent', () => {
  addUploads([file('empty.jsonl', 0), file('huge.jsonl', DATASET_BYTES_MAX + 1)], queries);
  expect(currentUploads().map(({ state, error }) => [state, error?.message])).toEqual([
    ['failed', 'The file is empty.'],
    ['failed', expect.stringContaining('500 MB')],
  ]);
  expect(sent).toHaveLength(0);
});

test('files go one after the other, and a refused one does not stop the next', () => {
  addUploads([file('a.jsonl'), file('b & c.json')], queries);
  expect(states()).toEqual([
    ['a.jsonl', 'sending'],
    ['b & c.json', 'waiting'],
  ]);
  sent[0]?.answer(413, { code: 'quota_exceeded', message: 'Your space is full', details: [] });
  expect(currentUploads()[0]?.error?.message).toBe('Your space is full');
  expect(sent[1]?.url).toBe('/api/datasets/upload?file_name=b+%26+c.json');
  sent[1]?.answer(201, { id: 'd', duplicate_of: null });
  expect(states()).toEqual([
    ['a.jsonl', 'failed'],
    ['b & c.json', 'done'],
  ]);
});

test('a cancelled upload stops, stays on the list, and can be sent again', () => {
  addUploads([file('a.jsonl')], queries);
  sent[0]?.upload.onprogress?.({ loaded: 40 });
  expect(currentUploads()[0]?.sent).toBe(40);
  const key = currentUploads()[0]?.key ?? 0;
  dismissUpload(key);
  expect(states()).toEqual([['a.jsonl', 'cancelled']]);
  retryUpload(key, queries);
  expect(states()).toEqual([['a.jsonl', 'sending']]);
  expect(sent).toHaveLength(2);
});

test('pictures with what is said of them are one dataset, whatever came with them is another; litter stays here', () => {
  vi.stubGlobal(
    'FormData',
    class {
      parts: string[] = [];
      append(_: string, __: File, name: string) {
        this.parts.push(name);
      }
    },
  );
  const names = [
    'vase/1.txt',
    'vase/1.jpg',
    'vase/.DS_Store',
    '__MACOSX/vase/._1.jpg',
    'vase/metadata.csv',
    'rows.jsonl',
    'set.zip',
  ];
  addUploads(
    names.map((name) => file(name)),
    queries,
  );
  expect(states().map(([name]) => name)).toEqual(['vase (3 files)', 'rows.jsonl', 'set.zip']);
  expect([sent[0]?.url, sent[0]?.type, (sent[0]?.body as { parts: string[] } | undefined)?.parts]).toEqual([
    '/api/datasets/upload',
    null,
    ['vase/1.jpg', 'vase/1.txt', 'vase/metadata.csv'],
  ]);
  sent[0]?.answer(201, { id: 'x' });
  sent[1]?.answer(201, { id: 'y' });
  expect([sent[2]?.url, sent[2]?.type]).toEqual(['/api/datasets/upload?file_name=set.zip', 'application/zip']);
});
