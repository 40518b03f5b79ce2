import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from '#/env.ts';
import { runPython } from './run-python.ts';

const NEW_TOKENS_MAX = 80;

/** Answers prompts greedily in a fresh process, by a base model alone or with an adapter. Answers stand in the prompts' order. */
export async function answerPrompts(base: string, adapter: string | null, prompts: string[]): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'lowrank-answers-'));
  try {
    const asked = join(folder, 'prompts.jsonl');
    const out = join(folder, 'answers.jsonl');
    await writeFile(asked, prompts.map((prompt) => `${JSON.stringify({ prompt })}\n`).join(''));
    const how = ['--prompts', asked, '--out', out, '--max-new-tokens', String(NEW_TOKENS_MAX)];
    const adapted = adapter === null ? [] : ['--adapter', adapter];
    await runPython(['-m', 'lora_trainer.generate', '--base', base, ...adapted, ...how], join(env.repo, 'trainer'));
    const lines = (await readFile(out, 'utf8')).trim().split('\n');
    return lines.map((line) => (JSON.parse(line) as { text: string }).text);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
