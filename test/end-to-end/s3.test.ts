/** The walk of a training whose files lie on an S3 server: uploaded, checked, trained by the real trainer, downloaded from the server itself. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { S3_SECRET, startS3, type TestS3 } from '../s3-server.ts';
import { becomeOwner, lowrank } from './command-line.ts';
import { REPO, startStudio, type TestStudio } from './studio.ts';

let s3: TestS3;
let studio: TestStudio;
let work: string;
beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), 'lowrank-e2e-s3-'));
  s3 = await startS3();
  studio = await startStudio(undefined, { ...s3.variables, LOWRANK_S3_PUBLIC_ENDPOINT: s3.url, LOWRANK_WITHOUT_PAGES: '1' });
  await becomeOwner(studio);
});
afterAll(async () => {
  await studio?.remove();
  await s3?.close();
  rmSync(work, { recursive: true, force: true });
});

const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');

test('lowrank train uploads to S3, trains from there, stores there and downloads from there; the secret stays ours', async () => {
  const output = join(work, 'adapter');
  const { code, said } = await lowrank(studio, [
    ...['train', '--dataset', join(REPO, 'demo/orders.jsonl'), '--model', join(REPO, 'demo/model'), '--preset', 'fast'],
    ...['--set', 'max_steps=6', '--follow', '--output', output],
  ]);
  expect(code, said).toBe(0);

  const [dataset] = await studio.asOwner<{ id: string; user_id: string; checksum: string }>('SELECT * FROM lowrank.datasets');
  expect(s3.keys('datasets_bucket')).toEqual([`${dataset?.user_id}/${dataset?.id}/data`]);
  expect(sha256(s3.pathOf('datasets_bucket', `${dataset?.user_id}/${dataset?.id}/data`))).toBe(dataset?.checksum);

  const [artifact] = await studio.asOwner<{ id: string; sha256: string; files: { path: string; sha256: string }[] }>(
    'SELECT * FROM lowrank.model_artifacts',
  );
  const prefix = `${dataset?.user_id}/${artifact?.id}`;
  const paths = ['.manifest.json', ...(artifact?.files ?? []).map(({ path }) => path)];
  expect(s3.keys('models_bucket')).toEqual(paths.map((path) => `${prefix}/${path}`).sort());
  for (const file of artifact?.files ?? []) {
    expect(sha256(join(output, file.path))).toBe(file.sha256);
    expect(s3.asked).toContain(`GET /lora-models/${prefix}/${file.path}`);
  }

  const here = join(studio.data_dir, 'storage');
  const kept = (readdirSync(here, { recursive: true }) as string[]).filter((name) => statSync(join(here, name)).isFile());
  expect(kept).toEqual([]);
  const texts = (readdirSync(studio.data_dir, { recursive: true }) as string[])
    .map((name) => join(studio.data_dir, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
  for (const path of texts) expect([path, readFileSync(path).includes(S3_SECRET)]).toEqual([path, false]);
  expect(`${said}${studio.said()}`).not.toContain(S3_SECRET);
});

test('a studio whose storage does not answer starts, and its terminal says so once, with what to look at', async () => {
  const away = await startStudio(undefined, {
    ...s3.variables,
    LOWRANK_S3_ENDPOINT: 'http://127.0.0.1:1',
    LOWRANK_WITHOUT_PAGES: '1',
  });
  try {
    expect(away.said().match(/Warning: files cannot be stored or read: .*no answer.*\n.*LOWRANK_S3_ENDPOINT/g)).toHaveLength(1);
    expect((await fetch(`${away.url}/api/health`)).status).toBe(200);
    expect(away.said()).not.toContain(S3_SECRET);
    expect(studio.said()).not.toContain('Warning: files');
  } finally {
    await away.remove();
  }
});
