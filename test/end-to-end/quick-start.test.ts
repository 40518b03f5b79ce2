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
  expect(by_curl.said).toMatch(/^ready\nready\ncompleted \d+\/\d+\n$/);
  expect(isZip('adapter.zip')).toBe(true);

  const [program = ''] = snippets('ts');
  writeFileSync(join(work, 'quick-start.ts'), program);
  const by_typescript = await run(process.execPath, ['quick-start.ts']);
  expect(by_typescript.code, by_typescript.said).toBe(0);
  expect(by_typescript.said).toMatch(/steps, adapter-2\.zip$/m);
  expect(isZip('adapter-2.zip')).toBe(true);
});
