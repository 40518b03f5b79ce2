import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { env } from '#/env.ts';
import type { HeldRun } from '#/services/jobs/read-run.ts';
import { connectStorage } from '#/storage/connect-storage.ts';
import { localFolder } from '#/storage/local-folder.ts';
import { publishAdapter } from './publish-adapter.ts';
import { outputFolder } from './run-directory.ts';

const data_dir = env.data_dir;
let secret: string;
beforeAll(async () => {
  env.data_dir = await mkdtemp(join(tmpdir(), 'lowrank-publish-'));
  connectStorage(localFolder(join(env.data_dir, 'storage')));
  secret = join(env.data_dir, 'secret');
  await writeFile(secret, 'somebody else’s');
});
afterAll(async () => {
  await rm(env.data_dir, { recursive: true, force: true });
  env.data_dir = data_dir;
});

test.each<[string, RegExp, (folder: string) => Promise<void>]>([
  ['a hard link', /README\.md is a hard link/, (folder) => link(secret, join(folder, 'README.md'))],
  ['a link', /README\.md is a link/, (folder) => symlink(secret, join(folder, 'README.md'))],
  ['a name with a line break', /a\?b has .* control character in its name/, (folder) => writeFile(join(folder, 'a\nb'), '')],
])('an adapter with %s in it fails its job, says why, and nothing of it is stored', async (_, reason, plant) => {
  const run = { job_id: randomUUID(), user_id: randomUUID(), attempt: 1, name: 'planted' } as HeldRun;
  const folder = join(outputFolder(run.job_id, 1), 'adapter');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'adapter_model.safetensors'), 'weights');
  await plant(folder);
  expect(await publishAdapter(run, [])).toEqual({
    code: 'internal',
    message: expect.stringMatching(reason),
    hint: expect.any(String),
    stack: null,
  });
  expect(existsSync(join(env.data_dir, 'storage', run.user_id))).toBe(false);
});

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const LANGUAGE = 'adapter_model.safetensors';
const IMAGE = 'pytorch_lora_weights.safetensors';
const KOHYA = 'kohya_lora_weights.safetensors';

test.each<[string, string[], string | null]>([
  ['a language model', [LANGUAGE], LANGUAGE],
  ['an image model, with the same for other programs', [IMAGE, KOHYA], IMAGE],
  ['nothing that diffusers loads', [KOHYA], null],
  ['two kinds of model at once', [LANGUAGE, IMAGE], null],
])('an adapter of %s is published under the hash of its weights, or not at all', async (_, names, weights) => {
  const run = { job_id: randomUUID(), user_id: randomUUID(), attempt: 1, name: 'made' } as HeldRun;
  const folder = join(outputFolder(run.job_id, 1), 'adapter');
  await mkdir(folder, { recursive: true });
  const words = await Promise.all(
    names.map(async (name) => {
      await writeFile(join(folder, name), `weights of ${name}`);
      return { type: 'artifact', data: { kind: 'adapter', path: `adapter/${name}`, sha256: sha256(`weights of ${name}`) } };
    }),
  );
  const made = await publishAdapter(run, words);
  if (weights === null) expect(made).toMatchObject({ code: 'internal', message: expect.stringMatching(/not the one/) });
  else expect(made).toMatchObject({ sha256: sha256(`weights of ${weights}`), files: names.toSorted().map((path) => ({ path })) });
});
