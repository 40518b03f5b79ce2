import { createHash, randomUUID } from 'node:crypto';
import { link, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import pino from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { asUser } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { GB } from '#/domain/bytes.ts';
import { SAMPLE_IMAGE_BYTES_MAX, SAMPLE_IMAGES_MAX } from '#/domain/sample-images.ts';
import { claimJob } from '#/services/jobs/claim-job.ts';
import { deleteJob } from '#/services/jobs/delete-job.ts';
import type { RunKey } from '#/services/jobs/hold-run.ts';
import { noteStarted } from '#/services/jobs/launch-run.ts';
import { openSampleImage } from '#/services/jobs/open-sample-image.ts';
import { readSamples } from '#/services/jobs/read-outputs.ts';
import { readJobStates } from '#/services/jobs/read-run.ts';
import { recordTrainerEvents } from '#/services/jobs/record-trainer-events.ts';
import { registerWorker } from '#/services/machine/register-worker.ts';
import { collectGarbage } from '#/services/storage/collect-garbage.ts';
import { storageUsage } from '#/services/storage/reserve-space.ts';
import { connectStorage } from '#/storage/connect-storage.ts';
import { localFolder } from '#/storage/local-folder.ts';
import { jobFolder } from '#/storage/run-folder.ts';
import type { Storage } from '#/storage/storage.ts';
import { useDatabase } from '../../test/database.ts';
import { addJob, addPerson } from '../../test/factories.ts';
import { smallPng } from '../../test/png.ts';
import { keepSampleImages } from './keep-sample-images.ts';
import { outputFolder } from './run-directory.ts';

const db = useDatabase();
const PNG = smallPng(3, 2);
const PAGE = { after: 0, limit: 100 };
const sumOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

let folder: string;
let files: Storage;
let worker_id: string;
let user_id: string;
let run: RunKey;
let lines: number;
let told_to: number;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lowrank-drawn-'));
  files = localFolder(join(folder, 'storage'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(async () => {
  await db.asOwner('DELETE FROM identity.users');
  await db.asOwner('DELETE FROM lowrank.workers');
  await db.asOwner(`DELETE FROM lowrank.settings WHERE key = 'user_quota_gb'`);
  await rm(join(folder, 'storage'), { recursive: true, force: true });
  connectStorage(files);
  worker_id = await addWorker();
  user_id = await addPerson(db);
  run = await begin(user_id);
});

async function addWorker(): Promise<string> {
  const id = randomUUID();
  const devices = [1, 2].map((at) => ({ kind: 'cpu' as const, uuid: `cpu-${at}`, name: 'CPU', memory_mb: 1 }));
  await registerWorker({ id, boot_id: 'boot', pid: 1, version: '0', facts: {} }, devices);
  return id;
}

/** A run of somebody's, under way on the worker. */
async function begin(of: string): Promise<RunKey> {
  await addJob(db, of);
  const claimed = await claimJob(worker_id, 'process', 30_000);
  if (claimed === null) throw new Error('the scene needs a claim');
  await noteStarted(claimed, {});
  [lines, told_to] = [0, 0];
  return claimed;
}

const owner = (id = user_id) => ({ user_id: id, role: 'user' as const });
const stop = new AbortController().signal;
const keep = (as = worker_id) => keepSampleImages({ worker_id: as, stopping: stop, log: pino({ level: 'silent' }) });
/** Until nothing is left to store. */
const keepAll = async () => {
  while (await keep());
};

/** The trainer's line of a sample, stored. */
async function tell(sample: Record<string, unknown>, of = run): Promise<void> {
  const line = { seq: ++lines, ts: '2026-03-01T12:00:00.000Z', type: 'sample', step: 10, prompt: 'a cat', ...sample };
  await recordTrainerEvents(of, { from: told_to, to: ++told_to, lines: [JSON.stringify(line)], oversized: 0 });
}
const imageOf = (bytes: Uint8Array, more: Record<string, unknown> = {}) => ({
  path: 'samples/one.png',
  width: 3,
  height: 2,
  seed: 7,
  sha256: sumOf(bytes),
  bytes: bytes.length,
  ...more,
});
const fileOf = (path = 'samples/one.png', of = run) => join(outputFolder(of.job_id, of.attempt), path);
async function draw(bytes: Uint8Array = PNG, of = run): Promise<void> {
  await mkdir(dirname(fileOf()), { recursive: true });
  await mkdir(dirname(fileOf(undefined, of)), { recursive: true });
  await writeFile(fileOf(undefined, of), bytes);
  await tell({ image: imageOf(bytes) }, of);
}

const samples = async (of = run) => (await readSamples(owner(), of.job_id, PAGE)).rows;
const counted = async () => {
  const [row] = await db.asOwner<{ samples: number }>('SELECT samples FROM lowrank.training_jobs WHERE id = $1', [run.job_id]);
  return row?.samples;
};
const usage = () => asUser(user_id, (tx) => storageUsage(tx, user_id));
const stored = async (of = run) => readdir(join(folder, 'storage', user_id, of.job_id)).catch(() => []);
const quota = (bytes: number) =>
  db.asOwner(`INSERT INTO lowrank.settings (key, value) VALUES ('user_quota_gb', $1)`, [JSON.stringify(bytes / GB)]);

test('a picture that a trainer told of is stored under its number, counted, and its owner’s to see; a text is there at once', async () => {
  await tell({ text: 'words' });
  await draw();
  const before = (await usage()).bytes;
  expect([await counted(), (await samples()).map(({ state }) => state?.status)]).toEqual([1, [undefined, 'pending']]);
  expect((await readJobStates([run.job_id])).get(run.job_id)).toMatchObject({ is_storing: true });
  expect([await keep(), await keep()]).toEqual([true, false]);
  const [text, image] = await samples();
  expect(text).toMatchObject({ prompt: 'a cat', text: 'words', state: null });
  expect(image).toMatchObject({ prompt: 'a cat', step: 10, image: { seed: 7 }, state: { status: 'kept', error_code: null } });
  expect([await counted(), await stored(), (await usage()).bytes - before]).toEqual([2, [`sample-${image?.id}.png`], PNG.length]);
  const opened = await openSampleImage(owner(), run.job_id, image?.id ?? 0);
  expect(await buffer(await opened.open(null, stop))).toEqual(PNG);
  expect((await readJobStates([run.job_id])).get(run.job_id)).toMatchObject({ is_storing: false });
  // The text is no picture, nor is any of it a stranger's.
  await expect(openSampleImage(owner(), run.job_id, text?.id ?? 0)).rejects.toMatchObject({ code: 'not_found' });
  const stranger = owner(await addPerson(db));
  await expect(openSampleImage(stranger, run.job_id, image?.id ?? 0)).rejects.toMatchObject({ code: 'not_found' });
  await expect(readSamples(stranger, run.job_id, PAGE)).rejects.toMatchObject({ code: 'not_found' });
});

const HTML = Buffer.from(`<script>${' '.repeat(60)}</script>`);
const refusals: [name: string, code: string, scene: () => Promise<unknown>][] = [
  ['whose file is gone', 'missing', () => draw().then(() => rm(fileOf()))],
  ['that is a link', 'missing', () => draw().then(() => instead(symlink))],
  ['that is a hard link', 'changed', () => draw().then(() => instead(link))],
  ['that grew', 'changed', () => draw().then(() => writeFile(fileOf(), Buffer.concat([PNG, PNG])))],
  [
    'that became another',
    'changed',
    () =>
      draw().then(() =>
        writeFile(
          fileOf(),
          smallPng(3, 2, () => [1, 2, 3]),
        ),
      ),
  ],
  ['that is a page', 'no_picture', () => draw(HTML)],
  ['that is empty', 'no_picture', () => draw(Buffer.alloc(0))],
  ['with another file behind it', 'no_picture', () => draw(Buffer.concat([PNG, HTML]))],
  ['of other sides than were told', 'no_picture', () => draw(smallPng(2, 3))],
  ['that is told to be larger than any', 'too_large', () => tell({ image: imageOf(PNG, { bytes: SAMPLE_IMAGE_BYTES_MAX + 1 }) })],
  ['that is told to be larger than a number', 'too_large', () => tell({ image: imageOf(PNG, { bytes: 2 ** 50 }) })],
  ['that comes after as many as are kept', 'too_many', () => fill().then(() => draw())],
  ['without room for it in the quota', 'quota_exceeded', () => quota(1000 + PNG.length - 1).then(() => draw())],
];
/** Puts another file's second name in the picture's place. */
async function instead(by: typeof link): Promise<void> {
  await writeFile(join(folder, 'other.png'), PNG);
  await rm(fileOf());
  await by(join(folder, 'other.png'), fileOf());
}
const fill = () =>
  db.asOwner(
    `INSERT INTO lowrank.sample_images (job_id, user_id, seq, attempt, status, error_code, bytes, sha256)
     SELECT $1, $2, 100000 + i, 1, 'refused', 'missing', 1, 'x' FROM generate_series(1, $3::int) i`,
    [run.job_id, user_id, SAMPLE_IMAGES_MAX],
  );

test.each(refusals)('a picture %s is not kept, and the list says why: %s', async (_, code, scene) => {
  await scene();
  await keepAll();
  const [image] = await samples();
  expect(image?.state).toEqual({ status: 'refused', error_code: code });
  expect([await counted(), await stored()]).toEqual([1, []]);
  await expect(openSampleImage(owner(), run.job_id, image?.id ?? 0)).rejects.toMatchObject({ code: 'not_found' });
});

test('a picture that just fits into the quota is kept', async () => {
  await quota(1000 + PNG.length);
  await draw();
  await keepAll();
  expect((await samples())[0]?.state?.status).toBe('kept');
});

test('a picture that was stored before a crash is stored once', async () => {
  await draw();
  await keepAll();
  await db.asOwner(`UPDATE lowrank.sample_images SET status = 'pending'`);
  await keepAll();
  expect([(await samples())[0]?.state?.status, (await stored()).length]).toEqual(['kept', 1]);
});

test('a storage that is away or full costs no picture', async () => {
  await draw();
  const fails = (code: 'storage_unavailable' | 'storage_full') =>
    connectStorage({ ...files, add: () => Promise.reject(new AppError(code, 'not now')) });
  fails('storage_unavailable');
  await expect(keep()).rejects.toMatchObject({ code: 'storage_unavailable' });
  fails('storage_full');
  expect([await keep(), (await samples())[0]?.state?.status]).toEqual([false, 'pending']);
  connectStorage(files);
  await keepAll();
  expect((await samples())[0]?.state?.status).toBe('kept');
});

test('a worker stores what its own runs drew, one picture of each job in turn', async () => {
  await draw();
  await draw();
  const first = run;
  const other = await addPerson(db);
  const second = await begin(other);
  await draw(PNG, second);
  expect(await keep(await addWorker())).toBe(false);
  expect(await keep()).toBe(true);
  const kept = async (job_id: string) =>
    (await db.asOwner(`SELECT FROM lowrank.sample_images WHERE job_id = $1 AND status = 'kept'`, [job_id])).length;
  expect([await kept(first.job_id), await kept(second.job_id)]).toEqual([1, 1]);
  await keepAll();
  expect(await kept(first.job_id)).toBe(2);
});

test('the pictures of a deleted job go with it, from the quota at once and from the disk with the next collection', async () => {
  await draw();
  await keepAll();
  const { bytes } = await usage();
  await db.asOwner(`UPDATE lowrank.training_jobs SET status = 'failed', error_code = 'internal' WHERE id = $1`, [run.job_id]);
  expect(await collectGarbage()).toMatchObject({ deleted: 0, unnamed: 0 });
  expect(await stored()).toHaveLength(1);
  await deleteJob(owner(), run.job_id);
  expect(await usage()).toMatchObject({ bytes: bytes - PNG.length, bytes_with_deleted: bytes });
  await expect(openSampleImage(owner(), run.job_id, 2)).rejects.toMatchObject({ code: 'not_found' });
  expect(await collectGarbage()).toMatchObject({ deleted: 1, unnamed: 0 });
  expect([await stored(), (await usage()).bytes_with_deleted]).toEqual([[], bytes - PNG.length]);
  await rm(jobFolder(run.job_id), { recursive: true });
});
