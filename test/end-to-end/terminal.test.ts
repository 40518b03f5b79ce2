/** What a person types at a studio that others reach: sign-up, login and keys, models by every name, and a password set anew. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BaseModel } from '#/contract/base-models.ts';
import type { TrainingJob } from '#/contract/jobs.ts';
import { serverAccount } from '#/db/embedded/account.ts';
import { findHome } from '#/db/embedded/home.ts';
import { readPostmaster } from '#/db/embedded/postmaster.ts';
import { CHROMIUM_FLAGS, findChromium } from '../chromium.ts';
import { startHub, type TestHub } from '../hub.ts';
import { becomeOwner, lowrank } from './command-line.ts';
import { REPO, startStudio, type TestStudio } from './studio.ts';

const MODEL = join(REPO, 'demo/model');
const OWNER = { email: 'owner@example.org', password: 'a long enough secret' };
let hub: TestHub;
let studio: TestStudio;
let work: string;
let rows: string;

beforeAll(async () => {
  const names = ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'model.safetensors'];
  hub = await startHub({ 'acme/tiny': Object.fromEntries(names.map((name) => [name, readFileSync(join(MODEL, name))])) });
  work = mkdtempSync(join(tmpdir(), 'lowrank-terminal-'));
  rows = join(work, 'rows.jsonl');
  const lines = Array.from({ length: 40 }, (_, at) => JSON.stringify({ prompt: `What is ${at}?`, completion: `It is ${at}.` }));
  writeFileSync(rows, `${lines.join('\n')}\n`);
  studio = await startStudio(undefined, {
    HOST: '0.0.0.0',
    ALLOW_PLAIN_HTTP: '1',
    ALLOWED_HOSTS: 'studio.test',
    OPEN_SIGN_UP: '1',
    HF_ENDPOINT: hub.url,
    LOWRANK_TRAINER: join(REPO, 'trainer/fake_trainer.py'),
  });
  await becomeOwner(studio);
});
afterAll(async () => {
  await studio?.remove();
  hub?.close();
  rmSync(work, { recursive: true, force: true });
});

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${studio.url}${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Origin: studio.url, ...headers },
    body: JSON.stringify(body),
  });
/** Makes an API key for whoever these headers are. */
async function keyOf(headers: Record<string, string>): Promise<string> {
  const answer = await post('/api/keys', { name: 'Laptop', scopes: ['read', 'write'] }, headers);
  expect(answer.status).toBe(201);
  return ((await answer.json()) as { key: string }).key;
}
const localKey = () => readFileSync(join(studio.data_dir, 'local-key'), 'utf8').trim();
async function read<T>(path: string, key = localKey()): Promise<{ status: number; body: T }> {
  const answer = await fetch(`${studio.url}${path}`, { headers: { Authorization: `Bearer ${key}` } });
  return { status: answer.status, body: (await answer.json()) as T };
}
/** The job that `lowrank train` says it queued. */
async function queued({ code, said }: { code: number | null; said: string }, key?: string): Promise<TrainingJob> {
  expect(code, said).toBe(0);
  const { status, body } = await read<{ data: TrainingJob }>(`/api/jobs/${/^job: .*\/jobs\/(\S+)$/m.exec(said)?.[1]}`, key);
  expect(status).toBe(200);
  return body.data;
}

describe('plain HTTP where others reach it', () => {
  test('is accepted with ALLOW_PLAIN_HTTP=1, and the terminal says what it means', () => {
    expect(studio.said()).toMatch(/Warning: plain HTTP on an address that others reach.*\n.*PUBLIC_URL=https:/);
  });

  test('is warned of on a page that came that way, and not on this machine’s own', async () => {
    const { port } = new URL(studio.url);
    const flags = [...CHROMIUM_FLAGS, '--host-resolver-rules=MAP studio.test 127.0.0.1'];
    const browser = await chromium.launch({ executablePath: findChromium(), args: flags });
    try {
      const page = await browser.newPage();
      const warning = page.getByRole('note').filter({ hasText: 'passwords and keys can be read on the way' });
      await page.goto(`http://studio.test:${port}/sign-in`);
      await warning.waitFor();
      await page.goto(`${studio.url}/sign-in`);
      await page.getByLabel('Password', { exact: true }).waitFor();
      expect(await warning.count()).toBe(0);
    } finally {
      await browser.close();
    }
  });
});

describe('lowrank login', () => {
  let elsewhere: { data_dir: string };
  let guest_key: string;
  beforeAll(async () => {
    elsewhere = { data_dir: join(work, 'elsewhere') };
    // OPEN_SIGN_UP=1: anybody may come.
    const joined = await post('/api/sign-up', { email: 'guest@example.org', password: 'another long secret' });
    expect(joined.status).toBe(201);
    const [cookie = ''] = joined.headers.getSetCookie();
    guest_key = await keyOf({ Cookie: cookie.split(';', 1)[0] ?? '' });
  });
  const train = (variables: Record<string, string> = {}, model = MODEL) =>
    lowrank(elsewhere, ['train', '--dataset', rows, '--model', model, '--preset', 'fast'], { variables });

  test('is what a command asks for that has no key, and a key that is not good is not kept', async () => {
    const { code, said } = await train();
    expect([code, said]).toEqual([
      1,
      expect.stringMatching(/No key to speak to a studio with.*lowrank -- login.*LOWRANK_API_KEY/),
    ]);
    const wrong = await lowrank(elsewhere, ['login', '--url', studio.url], { input: `${guest_key.slice(0, -1)}x\n` });
    expect([wrong.code, wrong.said]).toEqual([1, expect.stringContaining('API key')]);
    expect((await train()).said).toContain('No key to speak to a studio with');
  });

  test('reads the key from a pipe, never shows it, keeps it for this account alone, and later commands use it', async () => {
    const { code, said } = await lowrank(elsewhere, ['login', '--url', studio.url], { input: `${guest_key}\n` });
    expect([code, said]).toEqual([0, expect.stringContaining(`Signed in at ${studio.url} as`)]);
    expect(said).toContain('guest@example.org');
    expect(said).not.toContain(guest_key);
    expect(statSync(join(elsewhere.data_dir, 'cli-login.json')).mode & 0o777).toBe(0o600);
    // A folder is for administrators to register: the guest's training is of the model that the owner registers below.
    const refused = await train();
    expect([refused.code, refused.said]).toEqual([1, expect.stringMatching(/administrator/)]);
  });

  test('gives way to LOWRANK_API_KEY, and its address to LOWRANK_URL', async () => {
    const signed_in = await post('/api/auth/sign-in', OWNER);
    const owner_key = await keyOf({ Cookie: signed_in.headers.getSetCookie()[0]?.split(';', 1)[0] ?? '' });
    const job = await queued(await train({ LOWRANK_API_KEY: owner_key, LOWRANK_URL: studio.url }), owner_key);
    expect((await read(`/api/jobs/${job.id}`, guest_key)).status).toBe(404);
    const away = await train({ LOWRANK_URL: 'http://127.0.0.1:9' });
    expect([away.code, away.said]).toEqual([1, expect.stringContaining('No studio answers at http://127.0.0.1:9')]);
    // Without either the login stands: the same command is the guest's again.
    const again = await queued(await train({}, job.base_model.name), guest_key);
    expect(again.base_model_id).toBe(job.base_model_id);
    expect((await read(`/api/jobs/${again.id}`, owner_key)).status).toBe(404);
  });
});

describe('lowrank train --model', () => {
  const train = (model: string) => lowrank(studio, ['train', '--dataset', rows, '--model', model, '--preset', 'fast']);
  let folder_model: string;

  test('takes a folder, registers it once, and the same rows a second time are told', async () => {
    const first = await train(MODEL);
    const job = await queued(first);
    folder_model = job.base_model_id;
    const second = await train(MODEL);
    expect((await queued(second)).base_model_id).toBe(folder_model);
    expect(second.said).toMatch(/rows\.jsonl holds the same bytes as your dataset .+: http:\/\/\S+\/datasets\/[0-9a-f-]{36}$/m);
  });

  test('takes the name of a registered model, and its id', async () => {
    const { body } = await read<BaseModel>(`/api/base-models/${folder_model}`);
    for (const named of [body.name, folder_model]) expect((await queued(await train(named))).base_model_id).toBe(folder_model);
  });

  test('takes a Hub id with a revision, fetches it and waits for it', async () => {
    const commit = 'beef'.repeat(10);
    hub.revisions.v2 = commit;
    const job = await queued(await train('acme/tiny@v2'));
    const { body } = await read<BaseModel>(`/api/base-models/${job.base_model_id}`);
    expect(body).toMatchObject({ status: 'ready', hf_repo_id: 'acme/tiny', hf_revision: commit });
    expect(body.id).not.toBe(folder_model);
  });

  test.each([
    ['acme/none', /acme\/none/],
    ['no such model', /is no registered model, no folder with a config\.json or model_index\.json and no Hub id/],
  ])('says why %s will not do', async (model, reason) => {
    const { code, said } = await train(model);
    expect([code, said]).toEqual([1, expect.stringMatching(reason)]);
    expect(said).not.toMatch(/^job:/m);
  });
});

describe('lowrank reset-password', () => {
  const signIn = (password: string) => post('/api/auth/sign-in', { ...OWNER, password });
  const database = async () => {
    const home = await findHome(join(studio.data_dir, 'postgres'), await serverAccount('nobody'));
    return home === null ? null : readPostmaster(home.pgdata);
  };

  test('beside a running studio sets the piped password, and leaves the studio’s database running', async () => {
    const before = await database();
    expect(before).not.toBeNull();
    const { code, said } = await lowrank(studio, ['reset-password', OWNER.email], { input: 'the second long secret\n' });
    expect([code, said]).toEqual([0, expect.stringContaining(`${OWNER.email} has a new password`)]);
    expect(said).not.toContain('the second long secret');
    expect((await database())?.pid).toBe(before?.pid);
    expect((await signIn(OWNER.password)).status).toBe(401);
    expect((await signIn('the second long secret')).status).toBe(200);
  });

  test('says what is wrong with a short one, with a stranger, and with no input', async () => {
    const short = await lowrank(studio, ['reset-password', OWNER.email], { input: 'short\n' });
    expect([short.code, short.said]).toEqual([1, expect.stringMatching(/password/i)]);
    const nobody = await lowrank(studio, ['reset-password', 'nobody@example.org'], { input: 'the third long secret\n' });
    expect([nobody.code, nobody.said]).toEqual([1, expect.stringContaining('nobody@example.org')]);
    expect((await lowrank(studio, ['reset-password', OWNER.email])).said).toContain('pipe one line into it');
    expect((await signIn('the second long secret')).status).toBe(200);
  });

  test('without a studio starts the database, sets the password and stops the database again', async () => {
    await studio.stop();
    expect(await database()).toBeNull();
    const { code, said } = await lowrank(studio, ['reset-password', OWNER.email], { input: 'the fourth long secret\n' });
    expect(code, said).toBe(0);
    expect(await database()).toBeNull();
  });
});
