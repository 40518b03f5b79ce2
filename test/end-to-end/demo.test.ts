/** The two runs that show that something is learned: the demo, and the same on targets dealt out at random. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { freePort } from '#/db/embedded/free-port.ts';
import { removeStudio } from '../remove-studio.ts';
import { REPO } from './studio.ts';

const data_dir = mkdtempSync(join(tmpdir(), 'lowrank-e2e-demo-'));
afterAll(() => removeStudio(data_dir));

/** Runs `lowrank demo --exit` and answers what it printed. */
async function runDemo(...flags: string[]): Promise<string> {
  const child = spawn(process.execPath, [join(REPO, 'src/cli.ts'), 'demo', '--exit', ...flags], {
    env: { ...process.env, NODE_ENV: 'production', LOWRANK_DATA_DIR: data_dir, PORT: String(await freePort()) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(`the demo ended with ${code}:\n${said}`);
  return said;
}

function exactMatch(said: string): { before: number; after: number } {
  const match = /exact match on 100 held-out prompts: (\d+) % before, (\d+) % after/.exec(said);
  if (match === null) throw new Error(`no exact match in:\n${said}`);
  return { before: Number(match[1]), after: Number(match[2]) };
}

describe('the demo', () => {
  test('teaches what a person can see: at most 10 % exact match before, at least 80 % after', async () => {
    const said = await runDemo();
    const { before, after } = exactMatch(said);
    expect(before).toBeLessThanOrEqual(10);
    expect(after).toBeGreaterThanOrEqual(80);
    const folder = /^adapter: (\/.+)$/m.exec(said)?.[1] ?? '';
    expect(existsSync(join(folder, 'adapter_model.safetensors'))).toBe(true);
    expect(said).toMatch(/^sha256: [0-9a-f]{64}$/m);
    expect(said).toMatch(/sign in \(once, 10 minutes\): http:\/\/127\.0\.0\.1:\d+\/sign-in\/link#\S+/);
    rmSync(folder, { recursive: true, force: true });
  });

  test('on shuffled targets the same run does not get there', async () => {
    const said = await runDemo('--shuffle-targets');
    expect(exactMatch(said).after).toBeLessThan(50);
    rmSync(/^adapter: (\/.+)$/m.exec(said)?.[1] ?? join(data_dir, 'none'), { recursive: true, force: true });
  });
});
