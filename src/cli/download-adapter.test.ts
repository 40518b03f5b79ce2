import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ApiClient } from './api-client.ts';
import { downloadAdapter } from './download-adapter.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lowrank-adapter-'));
});
afterEach(() => rm(folder, { recursive: true }));

const WEIGHTS = 'weights';
const sha256 = createHash('sha256').update(WEIGHTS).digest('hex');

function studio(passport: Record<string, unknown>, sent = WEIGHTS): ApiClient {
  const file = { id: 'f', path: 'adapter_model.safetensors', sha256, bytes: WEIGHTS.length };
  const artifact = { id: 'a', kind: 'adapter', files: [file], sha256, size: WEIGHTS.length, passport };
  return {
    url: 'http://127.0.0.1',
    call: async <T>() => ({ data: { artifacts: [artifact] } }) as T,
    open: async () => new Response(sent),
    upload: () => Promise.reject(new Error('nothing is uploaded')),
  };
}

test('an adapter comes with its passport beside its files', async () => {
  const into = join(folder, 'one');
  await downloadAdapter(studio({ seed: 42 }), 'job', into);
  expect(await readFile(join(into, 'adapter_model.safetensors'), 'utf8')).toBe(WEIGHTS);
  expect(await readFile(join(into, 'passport.json'), 'utf8')).toBe('{\n  "seed": 42\n}\n');
});

test('an adapter that has no passport comes without one', async () => {
  await downloadAdapter(studio({}), 'job', join(folder, 'one'));
  expect(await readdir(join(folder, 'one'))).toEqual(['adapter_model.safetensors']);
});

test('an adapter that arrives damaged leaves nothing behind', async () => {
  await expect(downloadAdapter(studio({ seed: 42 }, 'other'), 'job', join(folder, 'one'))).rejects.toThrow('arrived damaged');
  expect(await readdir(folder)).toEqual([]);
});
