/** The walk on somebody's own file from the terminal: real rows with columns of their own names, mapped, trained and evaluated again. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PYTHON, REPO, startStudio, type TestStudio } from './studio.ts';

/** Public data that lies beside the checkout: 7,473 problems with worked answers. It is read there and never copied. */
const GSM8K = process.env.GSM8K_FILE ?? join(REPO, '../shared/data/gsm8k/train.jsonl');
let studio: TestStudio;
let work: string;

beforeAll(async () => {
  if (!existsSync(GSM8K))
    throw new Error(`The real data of this test is not at ${GSM8K}: put gsm8k's train.jsonl there or name it in GSM8K_FILE`);
  work = mkdtempSync(join(tmpdir(), 'lowrank-real-'));
  studio = await startStudio();
  const response = await fetch(`${studio.url}/api/first-run`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Origin: studio.url },
    body: JSON.stringify({ setup_token: studio.setup_token, email: 'owner@example.org', password: 'a long enough secret' }),
  });
  expect(response.status).toBe(201);
  // The studio makes this machine's key when it sees its owner; the hook's own time is the limit.
  while (!existsSync(join(studio.data_dir, 'local-key'))) await new Promise((resolve) => setTimeout(resolve, 100));
});
afterAll(async () => {
  await studio?.remove();
  rmSync(work, { recursive: true, force: true });
});

async function lowrank(...args: string[]): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, [join(REPO, 'src/cli.ts'), ...args], {
    env: { ...process.env, NODE_ENV: 'production', LOWRANK_DATA_DIR: studio.data_dir },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { code, said };
}

describe('lowrank train on real rows', () => {
  test('says which columns it needs when their names are not known, and starts nothing', async () => {
    const { code, said } = await lowrank('train', '--dataset', GSM8K, '--model', join(REPO, 'demo/model'), '--preset', 'fast');
    expect(code).toBe(1);
    expect(said).toMatch(/--map prompt=/);
  });

  test('names what is wrong with a setting before anything is uploaded', async () => {
    const { code, said } = await lowrank('train', '--dataset', GSM8K, '--model', 'x', '--set', 'epoch=1');
    expect(code).toBe(1);
    expect(said).toMatch(/--set epoch=1: can be set are .*epochs/);
  });

  test('maps, checks, trains, downloads; a fresh process finds the recorded evaluation loss again within 1e-4', async () => {
    const output = join(work, 'adapter');
    const { code, said } = await lowrank(
      ...['train', '--dataset', GSM8K, '--map', 'prompt=question,completion=answer', '--model', join(REPO, 'demo/model')],
      ...['--preset', 'fast', '--set', 'max_steps=12', '--set', 'learning_rate=0.003', '--follow', '--output', output],
    );
    expect(code, said).toBe(0);
    expect(said).toContain('dataset: 7409 rows to train on, 64 held out');
    expect(said).toContain(`adapter: ${output}`);
    const job_id = /\/jobs\/([0-9a-f-]{36})/.exec(said)?.[1] ?? '';
    const key = readFileSync(join(studio.data_dir, 'local-key'), 'utf8').trim();
    const answer = await fetch(`${studio.url}/api/jobs/${job_id}/metrics?points=20000`, {
      headers: { Authorization: `Bearer ${key}` },
    });
    const { data } = (await answer.json()) as { data: { points: { eval_loss: number | null }[] } };
    const losses = data.points.map((point) => point.eval_loss).filter((loss) => loss !== null);
    expect(losses.at(-1)).toBeLessThan(losses[0] ?? 0);
    const config = join(studio.data_dir, 'runs', job_id, '1', 'config.json');
    const again = execFileSync(PYTHON, ['-m', 'lora_trainer.verify', '--config', config, '--eval', '--adapter', output], {
      cwd: join(REPO, 'trainer'),
      encoding: 'utf8',
    });
    const { eval_loss } = JSON.parse(again) as { eval_loss: number };
    expect(Math.abs(eval_loss - (losses.at(-1) ?? Number.NaN))).toBeLessThan(1e-4);
  });
});
