/** The whole walk in a real browser: first visit, model, dataset, training, live curve, download, and the adapter loads. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CHROMIUM_FLAGS, findChromium } from '../chromium.ts';
import { axeFindings, watchPages } from './page-checks.ts';
import { PYTHON, REPO, startStudio, type TestStudio } from './studio.ts';

const STEPS = 60;
let studio: TestStudio;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  studio = await startStudio();
  browser = await chromium.launch({ executablePath: findChromium(), args: CHROMIUM_FLAGS });
  // Reduced motion: a colour that is still on its way is not the colour of the page.
  context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' });
  complaints = await watchPages(context);
  page = await context.newPage();
  page.setDefaultTimeout(60_000);
});
afterAll(async () => {
  await browser?.close();
  await studio?.remove();
});

/** The rows that the loss curve shows now, as its own accessible range says. */
async function rowsShown(): Promise<number> {
  const max = await page.getByRole('slider', { name: /Loss curve/ }).getAttribute('aria-valuemax');
  return Number(max) + 1;
}

interface Point {
  attempt: number;
  seq: number;
  step: number;
  loss: number | null;
  eval_loss: number | null;
}

const pointKey = (point: { attempt: number; seq: number }) => `${point.attempt}.${point.seq}`;

async function api<T>(path: string): Promise<T> {
  const response = await context.request.get(`${studio.url}${path}`);
  expect(response.status()).toBe(200);
  return (await response.json()) as T;
}

describe('the first walk', () => {
  test('the first visitor becomes the owner with the token that the terminal shows', async () => {
    await page.goto(`${studio.url}/`);
    await page.waitForURL(/\/(first-run|sign-in)/);
    await page.goto(`${studio.url}/first-run`);
    await page.getByLabel('Set-up token').fill(studio.setup_token);
    await page.getByLabel('E-mail').fill('owner@example.org');
    await page.getByLabel('Password', { exact: true }).fill('a long enough secret');
    await page.getByRole('button', { name: 'Create the owner' }).click();
    await page.waitForURL(`${studio.url}/`);
  });

  test('a base model is registered from a folder', async () => {
    await page.goto(`${studio.url}/models`);
    await page.getByRole('button', { name: 'Add a model' }).first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Folder', { exact: false }).first().click();
    await dialog.locator('input[name=path]').fill(join(REPO, 'demo/model'));
    await dialog.locator('button[type=submit]').click();
    await page.getByRole('list', { name: 'Models' }).getByRole('listitem').first().waitFor();
  });

  test('a dataset is uploaded, checked and reported', async () => {
    await page.goto(`${studio.url}/datasets`);
    await page.locator('input[type=file]').setInputFiles(join(REPO, 'demo/orders.jsonl'));
    const link = page.locator('ul[aria-label=Datasets] a').first();
    await link.waitFor();
    await link.click();
    await page.getByRole('link', { name: 'Start a training' }).waitFor();
  });

  test('a training is started from the dataset, and its curve moves while it runs', async () => {
    await page.getByRole('link', { name: 'Start a training' }).click();
    await page.locator('label[for=preset-fast]').click();
    await page.getByLabel('Learning rate', { exact: true }).fill('0.003');
    await page.getByLabel('Stop after (optional)').fill(String(STEPS));
    await page.getByRole('button', { name: 'Start training' }).click();
    await page.waitForURL(/\/jobs\/[0-9a-f-]{36}$/);
    await expect.poll(rowsShown, { timeout: 120_000 }).toBeGreaterThan(3);
    const early = await rowsShown();
    await expect.poll(rowsShown, { timeout: 60_000 }).toBeGreaterThan(early);
  });

  test('a worker that is killed in mid-run finds the run again: no point is lost, none twice, in database, file and page alike', async () => {
    const job_id = page.url().split('/').at(-1) ?? '';
    const before = studio.pidOf('worker');
    process.kill(before, 'SIGKILL');
    await expect.poll(() => studio.said().includes('the worker ended with SIGKILL'), { timeout: 60_000 }).toBe(true);
    await page.getByText('Completed', { exact: true }).first().waitFor({ timeout: 170_000 });
    const file = readFileSync(join(studio.data_dir, 'runs', job_id, '1', 'outputs', 'events.jsonl'), 'utf8');
    const written = file
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { seq: number; type: string; step: number; loss?: number });
    const metrics = written.filter((event) => event.type === 'metric').map((event) => `1.${event.seq}`);
    const { data } = await api<{ data: { points: Point[] } }>(`/api/jobs/${job_id}/metrics?points=20000`);
    expect(data.points.map(pointKey)).toEqual(metrics);
    const steps = data.points.filter((point) => point.loss !== null).map((point) => point.step);
    expect(steps).toEqual(Array.from({ length: STEPS }, (_, at) => at + 1));
    await expect.poll(rowsShown, { timeout: 30_000 }).toBe(new Set(data.points.map((point) => point.step)).size);
    const job = await api<{ data: { attempt: number; status: string; retry_count: number } }>(`/api/jobs/${job_id}`);
    expect(job.data).toMatchObject({ attempt: 1, status: 'completed', retry_count: 0 });
  });

  test('the adapter is downloaded, is what the page says it is, and loads in PEFT in a fresh process', async () => {
    const job_id = page.url().split('/').at(-1) ?? '';
    const { data } = await api<{ data: { artifacts: { id: string; files: { id: string; path: string; sha256: string }[] }[] } }>(
      `/api/jobs/${job_id}/artifacts`,
    );
    const folder = mkdtempSync(join(tmpdir(), 'lowrank-e2e-adapter-'));
    try {
      const files = page.getByRole('list', { name: 'Files of the adapter' });
      for (const file of data.artifacts[0]?.files ?? []) {
        const downloading = page.waitForEvent('download');
        await files.getByRole('link', { name: `Download ${file.path}` }).click();
        const download = await downloading;
        const path = join(folder, file.path);
        await download.saveAs(path);
        expect(createHash('sha256').update(readFileSync(path)).digest('hex')).toBe(file.sha256);
      }
      // The page's own lines, with the one thing filled in that they ask for, beside the unpacked download of everything.
      const downloading = page.waitForEvent('download');
      await page.getByRole('link', { name: /^Download all/ }).click();
      await (await downloading).saveAs(join(folder, 'all.zip'));
      execFileSync(PYTHON, ['-m', 'zipfile', '-e', 'all.zip', '.'], { cwd: folder });
      const lines = (await page.getByRole('region', { name: 'Lines that load the adapter' }).textContent()) ?? '';
      const unpacked = /^ADAPTER = "(.+)"$/m.exec(lines)?.[1] ?? '';
      expect(JSON.parse(readFileSync(join(folder, unpacked, 'passport.json'), 'utf8'))).toHaveProperty('seed');
      const compared = `
import torch
ids = tokenizer.apply_chat_template([{"role": "user", "content": "Hello"}], add_generation_prompt=True, return_tensors="pt", return_dict=True)["input_ids"]
with torch.no_grad():
    after = model(ids).logits
    with model.disable_adapter():
        before = model(ids).logits
print(float((before - after).abs().max()))`;
      expect(lines.match(/path\/to/g)).toHaveLength(1);
      const script = lines.replace('/path/to/demo', join(REPO, 'demo/model')) + compared;
      const difference = execFileSync(PYTHON, ['-c', script], { cwd: folder, encoding: 'utf8' });
      expect(Number(difference)).toBeGreaterThan(0);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('axe finds nothing on any page, in light and dark', async () => {
    const job = new URL(page.url()).pathname;
    const found: string[] = [];
    for (const path of ['/', '/datasets', '/models', '/training/configure', '/jobs', job, '/settings']) {
      await page.goto(`${studio.url}${path}`);
      await page.locator('h1').first().waitFor();
      found.push(...(await axeFindings(page)));
    }
    expect(found).toEqual([]);
  });

  test('no page complained on its console or of its policy', () => {
    expect(complaints).toEqual([]);
  });
});
