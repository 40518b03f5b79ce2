import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readOrMake } from '#/storage/download-key.ts';
import { readDownloadToken, writeDownloadToken } from './download-token.ts';

const key = randomBytes(32);
const grant = { user_id: randomUUID(), artifact_id: randomUUID(), file_id: randomUUID(), expires_at: 1_000 };

describe('a download token', () => {
  test('is read until its time is over', () => {
    const token = writeDownloadToken(key, grant);
    expect(readDownloadToken(key, token, 999)).toEqual(grant);
    expect(readDownloadToken(key, token, 1_000)).toBeNull();
    expect(token).toMatch(/^[A-Za-z0-9_-]+$/);
  });

  test('changed in any one character is none', () => {
    const token = writeDownloadToken(key, { ...grant, file_id: null });
    for (let at = 0; at < token.length; at++) {
      const other = token[at] === 'A' ? 'B' : 'A';
      const changed = token.slice(0, at) + other + token.slice(at + 1);
      expect(readDownloadToken(key, changed, 0), changed).toBeNull();
    }
  });

  test('of another key, cut, lengthened or empty is none', () => {
    const token = writeDownloadToken(key, grant);
    for (const other of [
      writeDownloadToken(randomBytes(32), grant),
      token.slice(1),
      token.slice(0, -1),
      `${token}A`,
      '',
      'x',
      token.slice(-43),
      `${token}.`,
      'A'.repeat(3000),
    ])
      expect(readDownloadToken(key, other, 0)).toBeNull();
  });
});

describe('the key', () => {
  test('is made once, for this account alone, however many want it at once', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lowrank-key-'));
    try {
      const path = join(folder, 'deep', 'download-key');
      const keys = await Promise.all(Array.from({ length: 20 }, () => readOrMake(path)));
      expect(new Set(keys.map((one) => one.toString('hex'))).size).toBe(1);
      expect(readdirSync(join(folder, 'deep'))).toEqual(['download-key']);
      expect(statSync(path).mode & 0o777).toBe(0o600);
      writeFileSync(path, 'short');
      await expect(readOrMake(path)).rejects.toThrow('remove it');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
