import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sessionSecret } from './session-secret.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lowrank-secret-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('many processes that make the secret at once all read one, that only this account reads', async () => {
  const data_dir = join(folder, 'new');
  const secrets = new Set(await Promise.all(Array.from({ length: 20 }, () => sessionSecret(data_dir))));
  expect(secrets.size).toBe(1);
  expect(await sessionSecret(data_dir)).toBe([...secrets][0]);
  expect(Buffer.from([...secrets][0] ?? '', 'base64url')).toHaveLength(32);
  expect(await readdir(data_dir)).toEqual(['session-secret']);
  expect((await stat(join(data_dir, 'session-secret'))).mode & 0o777).toBe(0o600);
});

test('a damaged secret is named, never signed with', async () => {
  await writeFile(join(folder, 'session-secret'), '');
  await expect(sessionSecret(folder)).rejects.toThrow('session-secret is damaged');
});
