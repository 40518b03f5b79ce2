/** A Hub with a tiny model and a person who asks for it: for the tests of what is fetched, and of the transfers that tell of it. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { env } from '#/env.ts';
import type { Context } from '#/services/context.ts';
import { connectStorage } from '#/storage/connect-storage.ts';
import { localFolder } from '#/storage/local-folder.ts';
import { useDatabase } from './database.ts';
import { addPerson } from './factories.ts';
import { partBytes as bytesOfParts, startHub, type TestHub } from './hub.ts';
import { tinyModelFiles } from './model-folder.ts';

export const db = useDatabase();
export const wish = { hf_repo_id: 'tiny/llama', revision: 'main' };
export let folder: string;
export let hub: TestHub;
export let files: Record<string, Buffer | string>;
export let user: Context;

export const sha256 = (content: Buffer | string) => createHash('sha256').update(content).digest('hex');

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lowrank-fetch-'));
  connectStorage(localFolder(join(folder, 'storage')));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(async () => {
  await db.asOwner('TRUNCATE identity.users, lowrank.base_models CASCADE');
  user = { user_id: await addPerson(db), role: 'user' };
  files = tinyModelFiles();
  hub = await startHub({ [wish.hf_repo_id]: files });
  env.HF_ENDPOINT = hub.url;
});
afterEach(() => hub.close());

export const weightsAsked = () => hub.asked.filter(({ path }) => path.startsWith('/cdn/')).length;
export const partBytes = (name: string) => bytesOfParts(join(folder, 'storage/.staging', name));
export const stagingLeft = () => readdirSync(join(folder, 'storage/.staging'));
