import { execFileSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { asUser } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { env } from '#/env.ts';
import { deleteArtifact } from '#/services/artifacts/delete-artifact.ts';
import type { Context } from '#/services/context.ts';
import { storageUsage } from '#/services/storage/reserve-space.ts';
import { cancelTransfer } from '#/services/transfers/cancel-transfer.ts';
import { getTransfer } from '#/services/transfers/list-transfers.ts';
import { type PushWish, pushArtifact } from '#/services/transfers/push-artifact.ts';
import { finishPush, pushClaims } from '#/services/transfers/push-claim.ts';
import { connectStorage, storage } from '#/storage/connect-storage.ts';
import { localFolder } from '#/storage/local-folder.ts';
import { type PublishedFile, storageKey } from '#/storage/storage.ts';
import { useDatabase } from '../../test/database.ts';
import { addJob, addPerson } from '../../test/factories.ts';
import { startHub, type TestHub } from '../../test/hub.ts';
import { makeHost } from '../../test/worker-process.ts';
import { pushNextArtifact } from './push-artifact.ts';

const db = useDatabase();
const REPO = 'ada/support-lora';
const TOKEN = 'hf_canaryOfThePush';
const WEIGHTS = Buffer.alloc(600_000, 'weights of an adapter ');
const PASSPORT = { seed: 42, dataset: { sha256: 'd'.repeat(64) } };
let folder: string;
let hub: TestHub;
let user: Context;
let job_id: string;
let artifact_id: string;
let files: PublishedFile[];

/** An artifact as a training leaves it, in the storage that is connected. */
async function addArtifact(): Promise<void> {
  const source = mkdtempSync(join(folder, 'adapter-'));
  writeFileSync(join(source, 'adapter_model.safetensors'), WEIGHTS);
  writeFileSync(join(source, 'adapter_config.json'), '{"r": 16}');
  writeFileSync(join(source, 'README.md'), '# Mine\n');
  artifact_id = randomUUID();
  job_id = await addJob(db, user.user_id, { status: 'completed' });
  files = await storage().publishFolder(user.user_id, artifact_id, source);
  await db.asOwner(
    `INSERT INTO lowrank.model_artifacts (id, user_id, job_id, name, kind, storage_path, files, sha256, size, passport)
     VALUES ($1, $2, $3, 'My run', 'adapter', $4, $5, $6, $7, $8)`,
    [
      artifact_id,
      user.user_id,
      job_id,
      storageKey(user.user_id, artifact_id),
      JSON.stringify(files),
      'a'.repeat(64),
      WEIGHTS.length,
      JSON.stringify(PASSPORT),
    ],
  );
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lowrank-pushes-'));
  connectStorage(localFolder(join(folder, 'storage')));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(async () => {
  await db.asOwner('TRUNCATE identity.users CASCADE');
  user = { user_id: await addPerson(db), role: 'user' };
  hub = await startHub({});
  hub.writers = { [TOKEN]: ['ada'] };
  env.HF_ENDPOINT = hub.url;
  await addArtifact();
});
afterEach(() => hub.close());

const ask = async (wish: Partial<PushWish> = {}) =>
  (await pushArtifact(user, artifact_id, { hf_repo_id: REPO, revision: 'main', private: true, token: TOKEN, ...wish })).id;
const look = (id: string) => getTransfer(user, id);
const staged = () => readdirSync(join(folder, 'storage/.staging')).filter((name) => name.startsWith('push-'));
const sum = (content: Buffer | string) => createHash('sha256').update(content).digest('hex');
const expire = (id: string) =>
  db.asOwner(`UPDATE lowrank.transfers SET lease_until = now() - interval '1 s' WHERE id = $1`, [id]);
/** The bytes of a file of the repository, as anybody who may read it gets them. */
const download = async (path: string) =>
  Buffer.from(await (await fetch(`${hub.url}/${REPO}/resolve/main/${path}`)).arrayBuffer());
const requests = (method: string) => hub.asked.filter((one) => one.method === method).map((one) => one.path);

describe('an artifact that is pushed', () => {
  test('lies on the Hub with the same bytes, in a private repository, as one commit that its transfer names', async () => {
    const id = await ask({ message: 'First try' });
    expect(await pushNextArtifact()).toBe(true);
    const size = files.reduce((bytes, file) => bytes + file.bytes, 0);
    const passport = `${JSON.stringify(PASSPORT, null, 2)}\n`;
    expect(await look(id)).toMatchObject({
      status: 'completed',
      kind: 'artifact',
      direction: 'export',
      artifact_id,
      hf_revision: hub.revisions.main,
      bytes_done: size + passport.length,
      bytes_total: size + passport.length,
      files: 4,
      token: null,
      lease_until: null,
    });
    for (const file of files) expect([file.path, sum(await download(file.path))]).toEqual([file.path, file.sha256]);
    expect((await download('passport.json')).toString()).toBe(passport);
    expect(hub.commits).toMatchObject([
      { repo: REPO, branch: 'main', summary: 'First try', paths: [...files.map((file) => file.path), 'passport.json'].sort() },
    ]);
    expect(hub.is_public).toEqual([]);
    expect(staged()).toEqual([]);
    expect(await pushNextArtifact()).toBe(false);
  });

  test('says where it lies here nowhere, and its token in no row; the Hub alone is told it', async () => {
    await ask();
    await pushNextArtifact();
    for (const content of Object.values(hub.repos[REPO] ?? {})) {
      expect(content.toString()).not.toContain(folder);
      expect(content.toString()).not.toContain(TOKEN);
    }
    for (const table of ['transfers', 'activities', 'notifications', 'webhook_deliveries'])
      expect(JSON.stringify(await db.asOwner(`SELECT * FROM lowrank.${table}`))).not.toContain(TOKEN);
    for (const { path, token } of hub.asked) expect([path, token]).toEqual([path, path.startsWith('/lfs/') ? null : TOKEN]);
  });

  test('is told of to its owner, with the page of its job', async () => {
    const id = await ask();
    await pushNextArtifact();
    expect(await db.asOwner('SELECT type, message, action_url, metadata FROM lowrank.notifications')).toEqual([
      {
        type: 'transfer_completed',
        message: REPO,
        action_url: `/jobs/${job_id}`,
        metadata: { transfer_id: id, artifact_id, dataset_id: null, base_model_id: null },
      },
    ]);
    const feed = await db.asOwner<{ event_type: string; metadata: object }>(
      'SELECT event_type, metadata FROM lowrank.activities ORDER BY created_at',
    );
    expect(feed.map((one) => one.event_type)).toEqual(['transfer_started', 'transfer_completed']);
    for (const one of feed) expect(one.metadata).toMatchObject({ kind: 'artifact', artifact_id, hf_repo_id: REPO });
  });

  test('joins what the repository has: its other files and its history stay', async () => {
    hub.repos[REPO] = { 'notes.txt': 'mine', 'README.md': 'old' };
    await ask();
    await pushNextArtifact();
    expect((await download('notes.txt')).toString()).toBe('mine');
    expect((await download('README.md')).toString()).toBe('# Mine\n');
    expect(hub.commits).toHaveLength(1);
  });

  test('a second time makes no second commit, and to another branch one there', async () => {
    const first = await ask();
    await pushNextArtifact();
    const second = await ask();
    await pushNextArtifact();
    expect((await look(second)).hf_revision).toBe((await look(first)).hf_revision);
    expect(requests('PUT')).toHaveLength(1);
    delete hub.repos[REPO]?.['README.md'];
    await ask({ revision: 'try' });
    await pushNextArtifact();
    expect(hub.commits.map(({ branch, paths }) => [branch, paths.length])).toEqual([
      ['main', 4],
      ['try', 1],
    ]);
  });

  test.each<[string, string, () => void, Partial<PushWish>]>([
    ['with a token that is none', 'hub_forbidden', () => undefined, { token: 'hf_wrong' }],
    ['to somebody else’s', 'hub_forbidden', () => undefined, { hf_repo_id: 'bob/lora' }],
    ['to a name that the Hub refuses', 'hub_refused', () => (hub.refuse = { status: 400, code: 'no such name' }), {}],
    ['that is too large for it', 'too_large', () => (hub.refuse = { status: 413, code: 'large' }), {}],
    [
      'as a private one to a public repository',
      'hub_repo_public',
      () => {
        hub.repos[REPO] = {};
        hub.is_public = [REPO];
      },
      {},
    ],
    [
      'of which a file was changed in storage',
      'checksum_mismatch',
      () => writeFileSync(join(folder, 'storage', user.user_id, artifact_id, 'README.md'), '# Else\n'),
      {},
    ],
  ])('%s fails as %s, and sends nothing', async (_, code, spoil, wish) => {
    spoil();
    const id = await ask(wish);
    expect(await pushNextArtifact()).toBe(true);
    expect(await look(id)).toMatchObject({ status: 'failed', error_code: code, token: null, hf_revision: null });
    expect([hub.commits, requests('PUT'), staged()]).toEqual([[], [], []]);
    expect(await db.asOwner('SELECT type, action_url FROM lowrank.notifications')).toEqual([
      { type: 'transfer_failed', action_url: `/jobs/${job_id}` },
    ]);
  });

  test('that was deleted before its turn is not sent', async () => {
    const id = await ask();
    await deleteArtifact(user, artifact_id);
    expect(await pushNextArtifact()).toBe(true);
    expect(await look(id)).toMatchObject({ status: 'failed', error_code: 'artifact_gone' });
    expect(hub.asked).toEqual([]);
  });

  test('never goes by the installation’s token', async () => {
    env.HF_TOKEN = TOKEN;
    try {
      const id = await ask({ token: 'hf_own' });
      await pushNextArtifact();
      expect(await look(id)).toMatchObject({ status: 'failed', error_code: 'hub_forbidden' });
      expect(hub.asked.map(({ token }) => token)).not.toContain(TOKEN);
    } finally {
      delete env.HF_TOKEN;
    }
  });

  test('waits for a Hub that is away for a moment', async () => {
    hub.busy = [{ status: 503 }, { status: 429, retry_after: 1 }];
    const id = await ask();
    await pushNextArtifact();
    expect(await look(id)).toMatchObject({ status: 'completed' });
    expect(hub.commits).toHaveLength(1);
  });

  test('of a stranger is not found', async () => {
    const stranger: Context = { user_id: await addPerson(db), role: 'user' };
    const wish = { hf_repo_id: REPO, revision: 'main', private: true, token: TOKEN };
    await expect(pushArtifact(stranger, artifact_id, wish)).rejects.toMatchObject({ code: 'not_found' });
    const id = await ask();
    await expect(getTransfer(stranger, id)).rejects.toMatchObject({ code: 'not_found' });
    await expect(cancelTransfer(stranger, id)).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('a push under way', () => {
  /** Takes the push that waits, and lets its large file stop on the way. */
  const stallAt = async (bytes: number, signal?: AbortSignal) => {
    hub.stall_after = bytes;
    const stalled = hub.stalled();
    const over = pushNextArtifact(signal);
    await stalled;
    return { over };
  };

  test('tells how far it is, takes nothing of the quota, and ends within seconds of its cancellation', async () => {
    const used = async () => (await asUser(user.user_id, (tx) => storageUsage(tx, user.user_id))).bytes;
    const before = await used();
    const id = await ask();
    const { over } = await stallAt(200_000);
    const programs = execFileSync('ps', ['-eo', 'args']).toString();
    expect(programs).toContain('lora_trainer.push');
    expect(programs).not.toContain(TOKEN);
    await expect.poll(async () => (await look(id)).bytes_done, { timeout: 10_000 }).toBeGreaterThan(0);
    expect(await look(id)).toMatchObject({ status: 'running', files: 4, hf_revision: null });
    expect((await look(id)).bytes_total).toBeGreaterThan(WEIGHTS.length);
    expect(await used()).toBe(before);
    await cancelTransfer(user, id);
    expect(await over).toBe(true);
    expect(await look(id)).toMatchObject({ status: 'cancelled', token: null });
    expect([hub.commits, staged(), await pushNextArtifact()]).toEqual([[], [], false]);
  });

  test('that its worker leaves is done anew by the next, and is no attempt', async () => {
    const id = await ask();
    const stopping = new AbortController();
    const { over } = await stallAt(200_000, stopping.signal);
    stopping.abort();
    expect(await over).toBe(true);
    expect(await look(id)).toMatchObject({ status: 'running', lease_until: null, attempts: 0 });
    hub.stall_after = null;
    expect(await pushNextArtifact()).toBe(true);
    expect(await look(id)).toMatchObject({ status: 'completed', hf_revision: hub.revisions.main });
    expect(hub.commits).toHaveLength(1);
  });

  test('for which the storage is away is no attempt, and waits for it', async () => {
    const id = await ask();
    const there = storage();
    const away = () => Promise.reject(new AppError('storage_unavailable', 'it does not answer'));
    connectStorage({ ...there, folderOnDisk: away });
    await expect(pushNextArtifact()).rejects.toMatchObject({ code: 'storage_unavailable' });
    expect(await look(id)).toMatchObject({ status: 'running', lease_until: null, attempts: 0 });
    connectStorage(there);
    expect(await pushNextArtifact()).toBe(true);
    expect(await look(id)).toMatchObject({ status: 'completed' });
  });

  test('is taken up after its worker was killed outright, and its sender with it', async () => {
    const host = await makeHost(db);
    connectStorage(localFolder(join(host.data_dir, 'storage')));
    try {
      await addArtifact();
      hub.stall_after = 200_000;
      const stalled = hub.stalled();
      const id = await ask();
      // The web process of that installation, which this one stands for, seals with the same key.
      copyFileSync(join(env.data_dir, 'secrets-key'), join(host.data_dir, 'secrets-key'));
      const killed = await host.start({ HF_ENDPOINT: hub.url });
      await stalled;
      const left = hub.left();
      process.kill(killed.pid, 'SIGKILL');
      await left;
      hub.stall_after = null;
      await expire(id);
      await host.start({ HF_ENDPOINT: hub.url });
      await expect.poll(async () => (await look(id)).status, { timeout: 30_000 }).toBe('completed');
      expect(sum(await download('adapter_model.safetensors'))).toBe(sum(WEIGHTS));
      expect([hub.commits.length, (await look(id)).token]).toEqual([1, null]);
    } finally {
      connectStorage(localFolder(join(folder, 'storage')));
      await host.end();
    }
  }, 90_000);

  test('whose commit was made before its worker could say so is that commit', async () => {
    const id = await ask();
    hub.onCommit = (response) => response.destroy();
    const over = pushNextArtifact();
    await expect.poll(() => hub.commits.length, { timeout: 20_000 }).toBe(1);
    hub.onCommit = () => undefined;
    await over;
    expect(await look(id)).toMatchObject({ status: 'completed', hf_revision: hub.commits[0]?.oid });
    expect(hub.commits).toHaveLength(1);
  });

  test('is one worker’s; a silent one is succeeded, and writes nothing when it comes back', async () => {
    const id = await ask();
    const claims = (await Promise.all(Array.from({ length: 6 }, () => pushClaims.claim()))).filter((claim) => claim !== null);
    expect(claims).toHaveLength(1);
    await expire(id);
    expect(await pushNextArtifact()).toBe(true);
    const silent = claims[0]!;
    await expect(finishPush(silent, 'f'.repeat(40), 1)).rejects.toMatchObject({ code: 'fenced' });
    await expect(pushClaims.renew(silent, null)).rejects.toMatchObject({ code: 'fenced' });
    expect((await look(id)).hf_revision).toBe(hub.commits[0]?.oid);
  });

  test('that ends its worker every time is given up on, with a word', async () => {
    const id = await ask();
    for (let attempt = 1; attempt <= 3; attempt++) {
      expect((await pushClaims.claim())?.attempts).toBe(attempt);
      await expire(id);
    }
    expect(await pushClaims.claim()).toBeNull();
    expect(await look(id)).toMatchObject({ status: 'failed', error_code: 'internal' });
  });

  test('ends with its user', async () => {
    await ask();
    const { over } = await stallAt(200_000);
    await db.asOwner('DELETE FROM identity.users WHERE id = $1', [user.user_id]);
    expect(await over).toBe(true);
    expect([hub.commits, staged()]).toEqual([[], []]);
  });
});
