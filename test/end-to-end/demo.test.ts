/** The runs that show that something is learned: the demo, the demo again, and the same on targets dealt out at random. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { chromium } from 'playwright-core';
import { afterAll, describe, expect, test } from 'vitest';
import { freePort } from '#/db/embedded/free-port.ts';
import { CHROMIUM_FLAGS, findChromium } from '../chromium.ts';
import { removeStudio } from '../remove-studio.ts';
import { REPO } from './studio.ts';

const data_dir = mkdtempSync(join(tmpdir(), 'lowrank-e2e-demo-'));
const folders: string[] = [];
const running = new Set<ChildProcess>();
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  await removeStudio(data_dir);
});

interface Demo {
  said(): string;
  /** Waits for a line and answers its groups. Throws with all that was said when the demo ends without it. */
  line(pattern: RegExp): Promise<string[]>;
  /** As Ctrl-C does. */
  interrupt(): void;
  ended: Promise<number | null>;
}

/** Types `lowrank demo …`. */
async function startDemo(...flags: string[]): Promise<Demo> {
  const child = spawn(process.execPath, [join(REPO, 'src/cli.ts'), 'demo', ...flags], {
    env: { ...process.env, NODE_ENV: 'production', LOWRANK_DATA_DIR: data_dir, PORT: String(await freePort()) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve)).finally(() => running.delete(child));
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  return {
    said: () => said,
    line: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = pattern.exec(said);
          if (found !== null) resolve(found.slice(1));
        };
        for (const stream of [child.stdout, child.stderr]) stream.on('data', look);
        ended.then((code) => reject(new Error(`the demo ended with ${code} and without ${pattern}:\n${said}`)));
        look();
      }),
    interrupt: () => child.kill('SIGINT'),
    ended,
  };
}

async function adapterOf(demo: Demo): Promise<string> {
  const [folder = ''] = await demo.line(/^adapter: (\/.+)$/m);
  folders.push(folder);
  return folder;
}

async function exactMatch(demo: Demo): Promise<{ before: number; after: number }> {
  const [before, after] = await demo.line(/^exact match on 100 held-out prompts: (\d+) % before, (\d+) % after$/m);
  return { before: Number(before), after: Number(after) };
}

/** Asks the demo's studio with this machine's own key. */
async function ask<T>(url: string, method: 'GET' | 'POST', path: string): Promise<T> {
  const Authorization = `Bearer ${readFileSync(join(data_dir, 'local-key'), 'utf8').trim()}`;
  const answer = await fetch(`${url}${path}`, { method, headers: { Authorization } });
  expect(answer.status).toBe(200);
  return (await answer.json()) as T;
}

describe('the demo', { timeout: 400_000 }, () => {
  test('teaches what a person can see, shows it, keeps the studio running, and its link signs in at the job', async () => {
    const demo = await startDemo();
    const { before, after } = await exactMatch(demo);
    expect(before).toBeLessThanOrEqual(10);
    expect(after).toBeGreaterThanOrEqual(80);
    const folder = await adapterOf(demo);
    const [sha256] = await demo.line(/^sha256: ([0-9a-f]{64})$/m);
    const weights = readFileSync(join(folder, 'adapter_model.safetensors'));
    expect(createHash('sha256').update(weights).digest('hex')).toBe(sha256);
    await demo.line(/^The studio keeps running; Ctrl-C ends it/m);
    const said = demo.said();
    // What is changed for so small a model stands in plain sight.
    expect(said).toMatch(/^preset +fast, changed for so small a model: learning_rate 0\.0001 → 0\.005$/m);
    expect(said).toMatch(/^time: .*\d+ s from the start to the stored adapter, \d+ steps$/m);
    const [first = ''] = readFileSync(join(REPO, 'demo/held-out.jsonl'), 'utf8').split('\n');
    const { prompt } = JSON.parse(first) as { prompt: string };
    const [base = '', tuned = ''] = await demo.line(/^base {4}(.+)\ntuned {3}(.+)$/m);
    expect(said).toContain(`\nprompt  ${prompt}\nbase    ${base}\ntuned   ${tuned}\n`);
    expect(tuned).not.toBe(base);

    const [origin = '', path = ''] = await demo.line(
      /^sign in \(once, 10 minutes\): (http:\/\/127\.0\.0\.1:\d+)(\/sign-in\/link#\S+)$/m,
    );
    const browser = await chromium.launch({ executablePath: findChromium(), args: CHROMIUM_FLAGS });
    try {
      const page = await browser.newPage();
      await page.goto(`${origin}${path}`);
      await page.waitForURL(/\/jobs\/[0-9a-f-]{36}$/);
      expect(folder.endsWith(new URL(page.url()).pathname.replace('/jobs', ''))).toBe(true);
      await page.getByText('Completed', { exact: true }).first().waitFor();
    } finally {
      await browser.close();
    }
    demo.interrupt();
    expect(await demo.ended).toBe(0);
    expect(demo.said()).toContain('Everything that was made stays');
  });

  test('starts from what is there when it is run again: one dataset, one model, one person; cancelled, it ends and says so', async () => {
    const demo = await startDemo();
    const [url = ''] = await demo.line(/^watch +(http:\/\/[^/]+)\/sign-in\/link#/m);
    const { datasets } = await ask<{ datasets: { name: string }[] }>(url, 'GET', '/api/datasets');
    expect(datasets.map((dataset) => dataset.name)).toEqual(['Demo orders']);
    const { models } = await ask<{ models: { name: string }[] }>(url, 'GET', '/api/base-models');
    expect(models.map((model) => model.name)).toEqual(['lowrank-demo']);
    expect((await ask<{ users: unknown[] }>(url, 'GET', '/api/users')).users).toHaveLength(1);
    const { data } = await ask<{ data: { jobs: { id: string }[] } }>(url, 'GET', '/api/jobs');
    expect(data.jobs).toHaveLength(2);
    await ask(url, 'POST', `/api/jobs/${data.jobs[0]?.id}/cancel`);
    expect(await demo.ended).toBe(130);
    expect(demo.said()).toContain('The training was cancelled');
  });

  test('on shuffled targets the same run does not get there', async () => {
    const demo = await startDemo('--shuffle-targets', '--exit');
    expect(await demo.ended).toBe(0);
    expect((await exactMatch(demo)).after).toBeLessThan(50);
    await adapterOf(demo);
  });

  test('with --images trains a tiny pipeline on pictures of its own by door A, and leaves an adapter that diffusers reads', async () => {
    const demo = await startDemo('--images', '--exit');
    expect(await demo.ended, demo.said()).toBe(0);
    const said = demo.said();
    expect(said).toMatch(/^base model +lowrank-demo\/tiny-stable-diffusion: [\d,]+ random weights/m);
    expect(said).toMatch(/^dataset +Demo pictures: 24 pictures to train on/m);
    expect(said).toMatch(/^watch +http:\/\/127\.0\.0\.1:\d+\/sign-in\/link#/m);
    expect(said).toMatch(/^training +█.*step \d+\/100 /m);
    const [first, last] = await demo.line(/^loss: ([\d.]+) over the first third of the steps, ([\d.]+) over the last$/m);
    expect(Number(last)).toBeLessThan(Number(first));
    expect(said).toContain('\nprompt  a photo of a red circle\n');
    const [base = '', tuned = ''] = await demo.line(/^base {4}(\/\S+)\ntuned {3}(\/\S+) /m);
    const [before, after] = [base, tuned].map((file) => readFileSync(file));
    expect(before?.toString('latin1', 1, 4)).toBe('PNG');
    expect([base, tuned].map((file) => basename(file))).toEqual(['step-000.png', 'step-100.png']);
    expect(after?.equals(before ?? Buffer.of())).toBe(false);
    expect(said).toMatch(/^time: .*\d+ s from the start to the stored adapter, 100 steps$/m);
    const weights = readFileSync(join(await adapterOf(demo), 'pytorch_lora_weights.safetensors'));
    const [sha256] = await demo.line(/^sha256: ([0-9a-f]{64})$/m);
    expect(createHash('sha256').update(weights).digest('hex')).toBe(sha256);
    const { __metadata__: facts, ...tensors } = JSON.parse(weights.subarray(8, 8 + Number(weights.readBigUInt64LE())).toString());
    expect(facts).toMatchObject({ base_model: 'lowrank-demo/tiny-stable-diffusion', lora_rank: '8', steps: '100' });
    expect(Object.keys(tensors).filter((name) => !name.startsWith('unet.'))).toEqual([]);
  });

  test.each([
    [['--pictures'], /unknown option '--pictures'[\s\S]*--images +an image LoRA/],
    [['--images', '--shuffle-targets'], /'--shuffle-targets' cannot be used with option '--images'[\s\S]*--exit/],
  ])('refuses %j and says what there is', async (flags, words) => {
    const demo = await startDemo(...flags);
    expect(await demo.ended).toBe(1);
    expect(demo.said()).toMatch(words);
  });
});
