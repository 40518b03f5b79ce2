/** Two people and an artifact of one of them in a storage of the test's choice: for the tests of what is read and downloaded. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, beforeAll, expect } from 'vitest';
import { listen, serve } from '#/http/web-server.ts';
import { connectStorage } from '#/storage/connect-storage.ts';
import { type PublishedFile, type Storage, storageKey } from '#/storage/storage.ts';
import { addCaller, makeApi, useApi } from './api.ts';
import { useDatabase } from './database.ts';
import { addJob } from './factories.ts';

export const WEIGHTS = '0123456789'.repeat(30_000);

export const db = useDatabase();
export const api = useApi();
export let folder: string;
export let owner: Awaited<ReturnType<typeof addCaller>>;
export let stranger: Awaited<ReturnType<typeof addCaller>>;
export let job_id: string;
export let id: string;
export let files: PublishedFile[];
let storage: Storage;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lowrank-artifacts-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

export async function addArtifact(
  content = WEIGHTS,
  { user_id } = owner,
): Promise<{ id: string; files: PublishedFile[]; job_id: string }> {
  const source = mkdtempSync(join(folder, 'adapter-'));
  mkdirSync(join(source, 'sub'));
  writeFileSync(join(source, 'adapter_model.safetensors'), content);
  writeFileSync(join(source, 'sub', 'Ünïcode "x".json'), '{}');
  const artifact_id = randomUUID();
  const base_model = { name: 'tiny', hf_repo_id: 'a/b', revision: 'c'.repeat(40) };
  const of_job = await addJob(db, user_id, { status: 'completed', config: { base_model } });
  const published = await storage.publishFolder(user_id, artifact_id, source);
  await db.asOwner(
    `INSERT INTO lowrank.model_artifacts (id, user_id, job_id, name, kind, storage_path, files, sha256, size, passport)
     VALUES ($1, $2, $3, 'My Ünï run', 'adapter', $4, $5, $6, $7, '{"seed": 42}')`,
    [
      artifact_id,
      user_id,
      of_job,
      storageKey(user_id, artifact_id),
      JSON.stringify(published),
      'a'.repeat(64),
      content.length + 2,
    ],
  );
  return { id: artifact_id, files: published, job_id: of_job };
}

/** The API behind a socket of its own. */
export async function serveApi(): Promise<{ server: Server; base: string }> {
  const { server, port } = await listen('127.0.0.1', 0);
  const host = `127.0.0.1:${port}`;
  const base = `http://${host}`;
  serve(server, {
    api: makeApi({ base_url: base, allowed_hosts: [host] }),
    pages: null,
    base_url: base,
    allowed_hosts: [host],
    body_timeout_ms: 1_000,
    log: pino({ level: 'silent' }),
  });
  return { server, base };
}

/** What comes after it has an artifact of its own people, in this storage. */
export async function store(chosen: Storage): Promise<void> {
  storage = chosen;
  connectStorage(storage);
  owner = await addCaller(db);
  stranger = await addCaller(db);
  ({ id, files, job_id } = await addArtifact());
}

export const get = (path: string, headers: Record<string, string> = owner.headers) => api.request(path, { headers });
/** The status alone; the body is let go. */
export const statusOf = async (path: string, headers?: Record<string, string>) => {
  const answer = await get(path, headers);
  await answer.body?.cancel();
  return answer.status;
};
export const weights = () => files.find((file) => file.path === 'adapter_model.safetensors') as PublishedFile;
/** The signed address of one file, or of all as a zip. */
export const addressOf = async (artifact: string, file?: string, headers?: Record<string, string>) => {
  const answer = await get(`/api/artifacts/${artifact}/download${file === undefined ? '' : `?file=${file}`}`, headers);
  expect(answer.status).toBe(303);
  return answer.headers.get('location') ?? '';
};
