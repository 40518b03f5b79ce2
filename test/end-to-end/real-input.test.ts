/** The walk on somebody's own file from the terminal: real rows with columns of their own names, mapped, trained and evaluated again. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { becomeOwner, GSM8K, lowrank } from './command-line.ts';
import { PYTHON, REPO, startStudio, type TestStudio } from './studio.ts';

let studio: TestStudio;
let work: string;

beforeAll(async () => {
  if (!existsSync(GSM8K))
    throw new Error(`The real rows of this test are not at ${GSM8K}: put gsm8k's train.jsonl there, or name yours in GSM8K_FILE`);
  work = mkdtempSync(join(tmpdir(), 'lowrank-real-'));
  studio = await startStudio();
  await becomeOwner(studio);
});
afterAll(async () => {
  await studio?.remove();
  rmSync(work, { recursive: true, force: true });
});

describe('lowrank train on real rows', () => {
  test('says which columns it needs when their names are not known, and starts nothing', async () => {
    const { code, said } = await lowrank(studio, [
      'train',
      '--dataset',
      GSM8K,
      '--model',
      join(REPO, 'demo/model'),
      '--preset',
      'fast',
    ]);
    expect(code).toBe(1);
    expect(said).toMatch(/--map prompt=/);
  });

  test('names what is wrong with a setting before anything is uploaded', async () => {
    const { code, said } = await lowrank(studio, ['train', '--dataset', GSM8K, '--model', 'x', '--set', 'epoch=1']);
    expect(code).toBe(1);
    expect(said).toMatch(/--set epoch=1: can be set are .*epochs/);
  });

  test('maps, checks, trains, downloads; a fresh process finds the recorded evaluation loss again within 1e-4', async () => {
    const output = join(work, 'adapter');
    const { code, said } = await lowrank(studio, [
      ...['train', '--dataset', GSM8K, '--map', 'prompt=question,completion=answer', '--model', join(REPO, 'demo/model')],
      ...['--preset', 'fast', '--set', 'max_steps=12', '--set', 'learning_rate=0.003', '--follow', '--output', output],
    ]);
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
