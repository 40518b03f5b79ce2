import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSecret, openWith, readMasterKey, sealSecret, sealWith, UnreadableSecret } from './seal-secret.ts';

const place = {
  kind: 'webhook',
  user_id: '3f0c9f52-6b0e-4f53-9a51-0a2d6b1f8a11',
  id: '0f7e1c5a-3c1e-4b8e-8a6f-6f7d1f6f2b10',
};
const master = { bytes: Buffer.alloc(32, 7), id: '0a0b0c0d' };

describe('a sealed secret', () => {
  test('opens to what was sealed, whatever it is, and shows nothing of it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (secret) => {
        const sealed = sealWith(master, place, secret);
        expect(openWith(master, place, sealed)).toBe(secret);
        expect(sealed).toMatch(/^v1\.0a0b0c0d\.[A-Za-z0-9_-]+$/);
        if (secret.length > 8) expect(Buffer.from(sealed.slice(12), 'base64url').includes(secret)).toBe(false);
      }),
    );
  });

  test('is another one each time', () => {
    const sealed = Array.from({ length: 100 }, () => sealWith(master, place, 'the same'));
    expect(new Set(sealed).size).toBe(100);
  });

  test.each([
    ['person', { ...place, user_id: '00000000-0000-4000-8000-000000000000' }],
    ['row', { ...place, id: '00000000-0000-4000-8000-000000000000' }],
    ['kind', { ...place, kind: 'hub_token' }],
  ])('does not open for another %s', (_, other) => {
    const sealed = sealWith(master, place, 'secret');
    expect(openWith(master, place, sealed)).toBe('secret');
    expect(() => openWith(master, other, sealed)).toThrow(UnreadableSecret);
  });

  test('does not open with a bit changed anywhere, nor cut short', () => {
    const sealed = sealWith(master, place, 'secret');
    const head = sealed.slice(0, 12);
    const bytes = Buffer.from(sealed.slice(12), 'base64url');
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => openWith(master, place, head + changed.toString('base64url'))).toThrow(UnreadableSecret);
      expect(() => openWith(master, place, head + bytes.subarray(0, at).toString('base64url'))).toThrow(UnreadableSecret);
    }
  });

  test.each(['', 'v1', 'v2.0a0b0c0d.AAAA', 'whsec_plain', 'v1.0a0b0c0d.'])('%j is none', (text) => {
    expect(() => openWith(master, place, text)).toThrow('no sealed secret');
  });

  test('of another key names both keys', () => {
    const sealed = sealWith({ bytes: Buffer.alloc(32, 8), id: 'ffffffff' }, place, 'secret');
    expect(() => openWith(master, place, sealed)).toThrow(/key ffffffff.* is 0a0b0c0d/);
  });
});

describe('the key', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lowrank-secrets-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('is made once, is this account’s alone, and its id says nothing of it', async () => {
    const keys = await Promise.all(Array.from({ length: 10 }, () => readMasterKey(folder)));
    expect(new Set(keys.map((key) => key.bytes.toString('hex'))).size).toBe(1);
    const text = await readFile(join(folder, 'secrets-key'), 'utf8');
    expect([keys[0]?.bytes.toString('base64url'), (await stat(join(folder, 'secrets-key'))).mode & 0o777]).toEqual([text, 0o600]);
    expect(keys[0]?.bytes.toString('hex')).not.toContain(keys[0]?.id);
  });

  test('that others may read is refused', async () => {
    await chmod(join(folder, 'secrets-key'), 0o640);
    await expect(readMasterKey(folder)).rejects.toThrow('chmod 600');
    await chmod(join(folder, 'secrets-key'), 0o600);
    expect((await readMasterKey(folder)).id).toMatch(/^[0-9a-f]{8}$/);
  });

  test('that is damaged is named, with the way out', async () => {
    await writeFile(join(folder, 'secrets-key'), 'short');
    await expect(readMasterKey(folder)).rejects.toThrow(/secrets-key is damaged: bring it back from a backup/);
  });

  test('of this installation seals and opens', async () => {
    expect(await openSecret(place, await sealSecret(place, 'whsec_x'))).toBe('whsec_x');
  });
});
