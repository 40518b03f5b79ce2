import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { env } from '#/env.ts';

test.each([
  ['PORT', 'abc'],
  ['LOWRANK_USER_QUOTA_GB', '-1'],
  ['PUBLIC_URL', 'foo'],
])('%s=%s ends the start with a sentence that names it, and no stack', (name, value) => {
  const ended = spawnSync(process.execPath, [join(env.repo, 'src/cli.ts'), 'start'], {
    env: { ...process.env, [name]: value },
    encoding: 'utf8',
    timeout: 30_000,
  });
  expect(ended.status).toBe(1);
  expect(ended.stderr).toContain(`  ${name}: `);
  expect(ended.stderr).toContain('docs/operations.md');
  expect(ended.stderr).not.toMatch(/^\s+at |Node\.js v/m);
});

test('HOST=0.0.0.0 that would be read on the way ends the start with its sentence, before anything is made', () => {
  const data_dir = join(tmpdir(), `lowrank-plain-http-${randomUUID()}`);
  const ended = spawnSync(process.execPath, [join(env.repo, 'src/cli.ts'), 'start'], {
    env: { ...process.env, LOWRANK_DATA_DIR: data_dir, HOST: '0.0.0.0', PUBLIC_URL: 'http://studio.example', PORT: '0' },
    encoding: 'utf8',
    timeout: 30_000,
  });
  expect([ended.status, ended.stdout]).toEqual([1, '']);
  expect(ended.stderr).toMatch(/HOST=0\.0\.0\.0 is reached by others.*PUBLIC_URL=https:.*ALLOW_PLAIN_HTTP=1/);
  expect(ended.stderr).not.toMatch(/^\s+at |Node\.js v|starting it again/m);
  expect(existsSync(data_dir)).toBe(false);
});

test.each([
  [
    {
      SUPABASE_JWT_SECRET: 's'.repeat(40),
      SUPABASE_JWKS_URL: 'https://p.example/keys',
      SUPABASE_JWT_ISSUER: 'https://p.example',
    },
    /both set/,
  ],
  [{ SUPABASE_JWKS_URL: 'https://p.example/keys' }, /SUPABASE_JWT_ISSUER is not set/],
  [{ SUPABASE_JWT_SECRET: 's'.repeat(40) }, /SUPABASE_JWT_ISSUER is not set/],
  [{ SUPABASE_JWT_ISSUER: 'https://p.example' }, /neither SUPABASE_JWKS_URL nor SUPABASE_JWT_SECRET/],
  [{ SUPABASE_JWT_SECRET: 'too short', SUPABASE_JWT_ISSUER: 'https://p.example' }, /SUPABASE_JWT_SECRET: /],
])('tokens that could be judged in two ways, or in none, end the start: %j', (variables, sentence) => {
  const ended = spawnSync(process.execPath, [join(env.repo, 'src/cli.ts'), 'start'], {
    env: { ...process.env, ...variables },
    encoding: 'utf8',
    timeout: 30_000,
  });
  expect([ended.status, ended.stderr]).toEqual([1, expect.stringMatching(sentence)]);
  expect(ended.stderr).not.toMatch(/^\s+at |s{40}/m);
});

test.each<[Record<string, string>, RegExp]>([
  [{ LOWRANK_S3_ENDPOINT: 'https://s3.example' }, /LOWRANK_S3_ACCESS_KEY_ID and LOWRANK_S3_SECRET_ACCESS_KEY go with it/],
  [{ LOWRANK_S3_ENDPOINT: 'https://key:hidden-word@s3.example' }, /LOWRANK_S3_ENDPOINT: must be an address alone/],
  [{ LOWRANK_S3_ENDPOINT: 's3.example' }, /LOWRANK_S3_ENDPOINT: /],
  [{ LOWRANK_S3_MODELS_BUCKET: '../models' }, /LOWRANK_S3_MODELS_BUCKET: must be the name of a bucket/],
])('a storage that cannot be spoken to ends the start: %j', (variables, sentence) => {
  const ended = spawnSync(process.execPath, [join(env.repo, 'src/cli.ts'), 'start'], {
    env: { ...process.env, ...variables },
    encoding: 'utf8',
    timeout: 30_000,
  });
  expect([ended.status, ended.stderr]).toEqual([1, expect.stringMatching(sentence)]);
  expect(ended.stderr).not.toMatch(/^\s+at |hidden-word/m);
});
