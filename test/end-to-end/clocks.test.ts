/** Promise 14 for the whole house: the clock of the machine that runs web and worker is wrong, that of the database is not. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { becomeOwner, lowrank } from './command-line.ts';
import { REPO, startStudio } from './studio.ts';

/** Where the studio's database lies, where that is elsewhere. */
function homeOf(data_dir: string): string {
  const pointer = join(data_dir, 'postgres/server-location.json');
  return existsSync(pointer)
    ? (JSON.parse(readFileSync(pointer, 'utf8')) as { home: string }).home
    : join(data_dir, 'postgres/server');
}

describe('a studio whose clock is wrong', () => {
  test.each([3, -3])('by %i hours: its owner comes in, uploads, trains, follows and downloads as ever', async (hours) => {
    const work = mkdtempSync(join(tmpdir(), 'lowrank-clocks-'));
    const adapter = join(work, 'adapter');
    const studio = await startStudio(undefined, {
      LOWRANK_WITHOUT_PAGES: '1',
      LOWRANK_TRAINER: join(REPO, 'trainer/fake_trainer.py'),
      NODE_OPTIONS: `--import=${pathToFileURL(join(REPO, 'test/wrong-clock.mjs')).href}`,
      WRONG_CLOCK_MS: String(hours * 3_600_000),
    });
    try {
      await becomeOwner(studio);
      const { code, said } = await lowrank(studio, [
        ...['train', '--dataset', join(REPO, 'demo/orders.jsonl'), '--model', join(REPO, 'demo/model')],
        ...['--preset', 'fast', '--set', 'max_steps=12', '--follow', '--output', adapter],
      ]);
      expect(code, said).toBe(0);
      expect(said).toContain(`adapter: ${adapter}`);
      expect(existsSync(join(adapter, 'adapter_model.safetensors'))).toBe(true);
      expect(said).toMatch(/time: (\d+ s|\d+ min \d+ s) from the start/);
      const signed_in = await fetch(`${studio.url}/api/auth/sign-in`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Origin: studio.url },
        body: JSON.stringify({ email: 'owner@example.org', password: 'a long enough secret' }),
      });
      const cookie = signed_in.headers.getSetCookie()[0]?.split(';')[0] ?? '';
      expect((await fetch(`${studio.url}/api/me`, { headers: { cookie } })).status).toBe(200);
    } finally {
      const home = homeOf(studio.data_dir);
      await studio.remove();
      rmSync(work, { recursive: true, force: true });
      expect(existsSync(home), 'the database of a studio that is removed').toBe(false);
    }
  });
});
