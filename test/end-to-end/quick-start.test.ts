/** The quick start, run as it is written: every snippet of docs/quick-start.md against a studio, its worker and a Hub. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startHub, type TestHub } from '../hub.ts';
import { becomeOwner } from './command-line.ts';
import { REPO, startStudio, type TestStudio } from './studio.ts';

const TEXT = readFileSync(join(REPO, 'docs/quick-start.md'), 'utf8');
const snippets = (language: string) =>
  [...TEXT.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, code = '']) => code);
let hub: TestHub;
let studio: TestStudio;
let work: string;

beforeAll(async () => {
  const names = ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'model.safetensors'];
  const files = Object.fromEntries(names.map((name) => [name, readFileSync(join(REPO, 'demo/model', name))]));
  hub = await startHub({ 'HuggingFaceTB/SmolLM-135M': files });
  work = mkdtempSync(join(tmpdir(), 'lowrank-quick-start-'));
  studio = await startStudio(undefined, {
    HF_ENDPOINT: hub.url,
    LOWRANK_WITHOUT_PAGES: '1',
    LOWRANK_TRAINER: join(REPO, 'trainer/fake_trainer.py'),
  });
  await becomeOwner(studio);
});
afterAll(async () => {
  await studio?.remove();
  hub?.close();
  rmSync(work, { recursive: true, force: true });
});

/** Runs a program in the test's own folder, with the two variables that the page has its reader set. */
function run(program: string, args: string[]): Promise<{ code: number | null; said: string }> {
  return new Promise((done) => {
    const child = spawn(program, args, {
      cwd: work,
      env: {
        PATH: process.env.PATH,
        LOWRANK: studio.url,
        KEY: readFileSync(join(studio.data_dir, 'local-key'), 'utf8').trim(),
      } as unknown as NodeJS.ProcessEnv,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    child.stdout.on('data', (chunk) => (said += chunk));
    child.stderr.on('data', (chunk) => (said += chunk));
    child.on('close', (code) => done({ code, said }));
  });
}
const isZip = (name: string) =>
  statSync(join(work, name)).size > 1000 && readFileSync(join(work, name)).subarray(0, 2).toString() === 'PK';

test('every snippet of the quick start runs as it is written, from a file to an adapter', async () => {
  const [variables = '', ...shell] = snippets('sh');
  expect(variables).toMatch(/^export LOWRANK=.*\nexport KEY=lowrank_…\n$/);
  expect(shell.length).toBeGreaterThan(4);
  const by_curl = await run('bash', ['-euo', 'pipefail', '-c', shell.join('\n')]);
  expect(by_curl.code, by_curl.said).toBe(0);
  expect(by_curl.said).toBe('ready\nready\ncompleted 20/20\n\n');
  expect(isZip('adapter.zip')).toBe(true);

  const [program = ''] = snippets('ts');
  writeFileSync(join(work, 'quick-start.ts'), program);
  const by_typescript = await run(process.execPath, ['quick-start.ts']);
  expect(by_typescript.code, by_typescript.said).toBe(0);
  expect(by_typescript.said).toMatch(/^20 of 20 steps, adapter-2\.zip$/m);
  expect(isZip('adapter-2.zip')).toBe(true);
});

/** Runs the shell of the quick start with one thing in it changed; it must end by itself, with an error. */
async function failing(from: string, to: string): Promise<string> {
  const shell = snippets('sh').slice(1).join('\n');
  expect(shell).toContain(from);
  const { code, said } = await run('timeout', ['60', 'bash', '-euo', 'pipefail', '-c', shell.replace(from, to)]);
  expect(code, said).not.toBe(0);
  expect(code, said).not.toBe(124);
  return said;
}

test('a step that fails ends it with the reason: a model that is not there, a refusal, a dataset without usable rows', async () => {
  expect(await failing('"HuggingFaceTB/SmolLM-135M"', '"nobody/gone"')).toMatch(
    /^ready\n.*(nobody\/gone|not (there|found)|no such)/is,
  );
  expect(await failing('"max_steps": 20', '"max_steps": 0')).toMatch(/^ready\nready\n.*error: 400\n.*max_steps must be/s);
  expect(await failing('"prompt\\"', '"nothing\\"')).toMatch(/columns nothing, completion fit no known form/);
});

test('the TypeScript says why, too', async () => {
  const [program = ''] = snippets('ts');
  writeFileSync(join(work, 'questions.jsonl'), '{"prompt": "What is 1?", "completion": "It is 1."}\n'.repeat(10));
  writeFileSync(join(work, 'failing.ts'), program.replace('HuggingFaceTB/SmolLM-135M', 'nobody/gone'));
  const { code, said } = await run(process.execPath, ['failing.ts']);
  expect(code).toBe(1);
  expect(said).toMatch(/Error: .*(nobody\/gone|not (there|found)|no such)/i);
});
