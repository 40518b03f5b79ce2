/** A person at the terminal of the machine that runs a studio: its owner, and the commands that they type. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPO, type TestStudio } from './studio.ts';

/** Public data that lies beside the checkout: 7,473 problems with worked answers. It is read there and never copied. */
export const GSM8K = process.env.GSM8K_FILE ?? join(REPO, '../shared/data/gsm8k/train.jsonl');

const OWNER = { email: 'owner@example.org', password: 'a long enough secret' };

/** Makes the studio's owner with its set-up token and waits for the key that the studio then makes for this machine. */
export async function becomeOwner(studio: TestStudio): Promise<void> {
  const response = await fetch(`${studio.url}/api/first-run`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Origin: studio.url },
    body: JSON.stringify({ setup_token: studio.setup_token, ...OWNER }),
  });
  if (response.status !== 201) throw new Error(`first run: ${response.status} ${await response.text()}`);
  while (!existsSync(join(studio.data_dir, 'local-key'))) await new Promise((resolve) => setTimeout(resolve, 100));
}

/** Signs that owner in; answers the status. */
export async function signIn(studio: TestStudio): Promise<number> {
  const headers = { 'Content-Type': 'application/json', Origin: studio.url };
  return (await fetch(`${studio.url}/api/auth/sign-in`, { method: 'POST', headers, body: JSON.stringify(OWNER) })).status;
}

/** The key that the studio made for this machine, once it has an owner. */
export const localKey = (studio: TestStudio) => readFileSync(join(studio.data_dir, 'local-key'), 'utf8').trim();

/** Types `lowrank …` on a data directory, with these lines piped in: the exit code and everything that was said. */
export async function lowrank(
  at: { data_dir: string },
  args: string[],
  options: { variables?: Record<string, string>; input?: string } = {},
): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, [join(REPO, 'src/cli.ts'), ...args], {
    env: { ...process.env, NODE_ENV: 'production', LOWRANK_DATA_DIR: at.data_dir, ...options.variables },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  child.stdin.end(options.input ?? '');
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, said };
}
