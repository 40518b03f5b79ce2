import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { env } from '#/env.ts';
import type { BucketFacts } from '#/storage/s3/examine-bucket.ts';
import type { S3Options } from '#/storage/s3/s3-options.ts';
import { refuseAsS3, S3_SECRET, startS3, type TestS3 } from '../../../test/s3-server.ts';
import { runCheck } from './check.ts';
import { judgeBucket, judgeEndpoint, storageAnswers, storageCheck } from './storage.ts';

let s3: TestS3;
beforeAll(async () => {
  s3 = await startS3();
});
afterAll(() => s3?.close());
beforeEach(() => {
  s3.fault = null;
  s3.is_public = false;
});

const look = (changes: Partial<S3Options> = {}) => runCheck(storageCheck(s3.options(changes)));
const isProbe = (request: IncomingMessage, method: string) =>
  request.method === method && request.url?.includes('/.lowrank-doctor/') === true;

const page = (status: number, text: string) => (response: ServerResponse) => {
  response.writeHead(status, { 'content-type': 'text/html' }).end(text);
  return true;
};
/** Programs that are no S3 server, and paths that are not its API. */
const PAGES: [string, (response: ServerResponse) => boolean][] = [
  ['a page of words', page(404, '404 page not found')],
  ['an empty page', page(404, '')],
  ['a page of HTML', page(404, '<html><body>Not found</body></html>')],
  ['a console', page(200, '<!doctype html><html><br></html>')],
];

describe('the doctor of the buckets', () => {
  it('says nothing where files lie in the data directory', async () => {
    expect(await runCheck(storageCheck(null))).toEqual([]);
  });

  it('finds two that are private and can be used, and leaves nothing there', async () => {
    expect(await look()).toEqual([
      expect.objectContaining({ level: 'ok', found: expect.stringContaining('lora-datasets is there, private') }),
      expect.objectContaining({ level: 'ok', found: expect.stringContaining('lora-models is there, private') }),
    ]);
    expect(await look({ models_bucket: 'lora-datasets' })).toHaveLength(1);
    expect([...s3.keys('datasets_bucket'), ...s3.keys('models_bucket')]).toEqual([]);
  });

  it.each<[string, Partial<S3Options>, () => void, RegExp, RegExp]>([
    ['is public', {}, () => (s3.is_public = true), /is public: anybody can read/, /Make it private/],
    [
      'is not there',
      { models_bucket: 'absent' },
      () => null,
      /absent: NoSuchBucket/,
      /s3 mb s3:\/\/absent; .*LOWRANK_S3_MODELS_BUCKET/,
    ],
    [
      'knows another secret',
      { secret_access_key: 'another-word' },
      () => null,
      /SignatureDoesNotMatch/,
      /LOWRANK_S3_SECRET_ACCESS_KEY/,
    ],
    ['does not answer', { endpoint: 'http://127.0.0.1:1' }, () => null, /no answer/, /curl -sS http:\/\/127\.0\.0\.1:1;/],
    ...PAGES.map(([what, answer]): [string, Partial<S3Options>, () => void, RegExp, RegExp] => [
      `is looked for where ${what} answers`,
      {},
      () => (s3.fault = (_, response) => answer(response)),
      /^(?!.*(XML|Error)).*the bucket lora-\w+: what answers at http:\S+ \(status \d+\) is not an S3 server/,
      /LOWRANK_S3_ENDPOINT to the whole address of its S3 API/,
    ]),
    [
      'lies elsewhere',
      {},
      () => (s3.fault = (_, response) => refuseAsS3(response, 301, 'PermanentRedirect')),
      /PermanentRedirect/,
      /LOWRANK_S3_REGION to its own region/,
    ],
    [
      'may not be written to',
      {},
      () => (s3.fault = (request, response) => isProbe(request, 'PUT') && refuseAsS3(response, 403, 'AccessDenied')),
      /may not write objects \(AccessDenied/,
      /put, get, list and delete/,
    ],
    [
      'may not be read from',
      {},
      () => (s3.fault = (request, response) => isProbe(request, 'GET') && refuseAsS3(response, 403, 'AccessDenied')),
      /may not read objects/,
      /put, get, list and delete/,
    ],
    [
      'says that clocks differ',
      {},
      () => (s3.fault = (_, response) => refuseAsS3(response, 403, 'RequestTimeTooSkewed')),
      /RequestTimeTooSkewed/,
      /set-ntp/,
    ],
  ])('tells one that %s, with its cure and without the secret', async (_, changes, plant, found, cure) => {
    plant();
    const told = (await look(changes)).filter(({ level }) => level !== 'ok');
    expect(told.length).toBeGreaterThan(0);
    for (const finding of told) {
      expect(finding).toMatchObject({ topic: 'storage', level: 'problem', found: expect.stringMatching(found) });
      expect(finding).toMatchObject({ cure: expect.stringMatching(cure) });
    }
    expect(JSON.stringify(told)).not.toMatch(new RegExp(`another-word|${S3_SECRET}`));
    s3.fault = null;
    expect([...s3.keys('datasets_bucket'), ...s3.keys('models_bucket')]).toEqual([]);
  });

  it.each<[string, (request: IncomingMessage) => boolean]>([
    ['delete objects', (request) => isProbe(request, 'DELETE')],
    ['list unfinished uploads', (request) => request.method === 'GET' && request.url?.includes('?uploads') === true],
  ])('tells one in which the key may not %s', async (what, isIt) => {
    s3.fault = (request, response) => isIt(request) && refuseAsS3(response, 403, 'AccessDenied');
    const found = expect.stringContaining(`may not ${what} (AccessDenied`);
    expect(await look()).toMatchObject([
      { level: 'problem', found },
      { level: 'problem', found },
    ]);
  });

  it('warns of a clock that is off, sooner where signed addresses are handed out, and of plain HTTP to elsewhere', () => {
    const facts: BucketFacts = { bucket: 'b', refused: null, failed: null, is_public: false, clock_ahead_ms: -40_000 };
    const judge = (changes: Partial<S3Options>, clock_ahead_ms = facts.clock_ahead_ms) =>
      judgeBucket({ ...facts, clock_ahead_ms }, 'LOWRANK_S3_MODELS_BUCKET', s3.options(changes)).map(({ level }) => level);
    expect(judge({})).toEqual(['ok']);
    expect(judge({ public_endpoint: s3.url })).toEqual(['warning']);
    expect(judge({ public_endpoint: s3.url }, 1000)).toEqual(['ok']);
    expect(judge({}, 20 * 60_000)).toEqual(['warning']);
    expect(judgeEndpoint({ endpoint: 'http://minio.internal:9000' })).toMatchObject([{ level: 'warning' }]);
    for (const endpoint of ['https://s3.example', 'http://127.0.0.1:9000', 'http://localhost:9000'])
      expect(judgeEndpoint({ endpoint })).toEqual([]);
  });

  it('tells a start what cannot be listed, and writes nothing', async () => {
    const answers = (changes: Partial<S3Options> = {}) => runCheck(storageAnswers(s3.options(changes)));
    s3.asked.length = 0;
    expect((await answers()).map(({ level }) => level)).toEqual(['ok', 'ok']);
    expect(s3.asked).toEqual(['GET /lora-datasets/', 'GET /lora-models/']);
    expect(await answers({ models_bucket: 'absent' })).toMatchObject([{ level: 'ok' }, { level: 'problem' }]);
    expect(await answers({ endpoint: 'http://127.0.0.1:1', models_bucket: 'lora-datasets' })).toMatchObject([
      { level: 'problem', found: expect.stringContaining('no answer'), cure: expect.stringContaining('LOWRANK_S3_ENDPOINT') },
    ]);
    expect(await runCheck(storageAnswers(null))).toEqual([]);
  });

  it('speaks in `lowrank doctor` itself', { timeout: 120_000 }, async () => {
    const data = mkdtempSync(join(tmpdir(), 'lowrank-doctor-s3-'));
    const variables = { LOWRANK_DATA_DIR: data, LOWRANK_S3_ENDPOINT: 'http://127.0.0.1:1', LOWRANK_S3_ACCESS_KEY_ID: 'k' };
    const { stdout, stderr } = spawnSync(process.execPath, [join(env.repo, 'src/cli.ts'), 'doctor'], {
      env: { PATH: process.env.PATH, ...variables, LOWRANK_S3_SECRET_ACCESS_KEY: S3_SECRET } as unknown as NodeJS.ProcessEnv,
      encoding: 'utf8',
    });
    rmSync(data, { recursive: true, force: true });
    expect(stdout).toMatch(/PROBLEM {2}storage .*the bucket lora-datasets: no answer/);
    expect(`${stdout}${stderr}`).not.toContain(S3_SECRET);
  });
});
