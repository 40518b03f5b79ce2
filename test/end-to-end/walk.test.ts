/** The whole walk in a real browser: first visit, model, dataset, training, live curve, download, and the adapter loads. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatFigure } from '#/components/units.ts';
import { ensureServer } from '#/db/embedded/ensure-server.ts';
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

/** The points of a job as its table has them, read behind every filter of ours. */
async function storedPoints(job_id: string): Promise<Point[]> {
  const server = await ensureServer({ data_dir: join(studio.data_dir, 'postgres'), log: () => undefined });
  const client = new pg.Client(server.superuser_url);
  try {
    await client.connect();
    const text = 'SELECT attempt, seq, step, loss, eval_loss FROM lowrank.metrics_points WHERE job_id = $1 ORDER BY attempt, seq';
    return (await client.query<Point>(text, [job_id])).rows;
  } finally {
    await client.end();
    server.release();
  }
}

/** What the curve says of each of its rows, row by row: the points of a step, in one. */
function inWords(points: Point[]): string[] {
  return Array.from(Map.groupBy(points, (point) => point.step)).map(([step, at]) => {
    const figures = [
      ['loss', at.map((point) => point.loss)],
      ['evaluation loss', at.map((point) => point.eval_loss)],
    ] as const;
    const told = figures.flatMap(([name, values]) =>
      values.filter((value) => value !== null).map((value) => `${name} ${formatFigure(value)}`),
    );
    return [`Step ${step}`, ...told].join(', ');
  });
}

/** The same as the page says it, the cursor moved over the curve from its end to its beginning. */
async function wordsShown(rows: number): Promise<string[]> {
  const slider = page.getByRole('slider', { name: /Loss curve/ });
  await slider.focus();
  const words: string[] = [];
  for (let row = rows - 1; row >= 0; row--) {
    // The first press puts the cursor on the curve, at its end.
    await slider.press(row === rows - 1 ? 'ArrowRight' : 'ArrowLeft');
    await expect.poll(() => slider.getAttribute('aria-valuenow')).toBe(String(row));
    words.unshift((await slider.getAttribute('aria-valuetext')) ?? '');
  }
  return words;
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
    const stored = await storedPoints(job_id);
    expect(stored.map(pointKey)).toEqual(metrics);
    const { data } = await api<{ data: { points: Point[] } }>(`/api/jobs/${job_id}/metrics?points=20000`);
    expect(data.points).toMatchObject(stored);
    const steps = stored.filter((point) => point.loss !== null).map((point) => point.step);
    expect(steps).toEqual(Array.from({ length: STEPS }, (_, at) => at + 1));
    const words = inWords(stored);
    await expect.poll(rowsShown, { timeout: 30_000 }).toBe(words.length);
    expect(await wordsShown(words.length)).toEqual(words);
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

  test('a file that is dropped is uploaded, and its report shows each row that breaks a rule with line and reason', async () => {
    await page.goto(`${studio.url}/datasets`);
    const rows = Array.from({ length: 20 }, (_, at) => JSON.stringify({ prompt: `What is ${at}?`, completion: `It is ${at}.` }));
    rows[4] = '{"prompt": "torn';
    rows[16] = '{"prompt": "no answer"}';
    const dropped = await page.evaluateHandle((text) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([text], 'dropped.jsonl', { type: 'application/x-ndjson' }));
      return transfer;
    }, rows.join('\n'));
    await page.locator('label[for=dataset-files]').dispatchEvent('drop', { dataTransfer: dropped });
    const uploads = page.getByRole('list', { name: 'Uploads' });
    await uploads.getByText('dropped.jsonl').waitFor();
    await uploads.getByRole('link', { name: 'see its report' }).click();
    const table = page.getByLabel('Rejected rows', { exact: true }).locator('table');
    await table.waitFor();
    const told = await table
      .locator('tbody tr')
      .evaluateAll((lines) => lines.map((line) => [...line.querySelectorAll('td')].map((cell) => cell.textContent)));
    expect(told).toEqual([
      ['5', expect.stringMatching(/JSON/), expect.stringContaining('{"prompt": "torn')],
      ['17', expect.stringMatching(/completion/), expect.stringContaining('no answer')],
    ]);
  });

  test('“Run again” starts the same training anew, and “Cancel” ends it when that is confirmed', async () => {
    await page.goto(`${studio.url}/jobs`);
    await page
      .getByRole('main')
      .getByRole('link', { name: 'Completed' })
      .or(page.locator('main a[href^="/jobs/"]'))
      .first()
      .click();
    await page.waitForURL(/\/jobs\/[0-9a-f-]{36}$/);
    const first = page.url();
    await page.getByRole('button', { name: 'Run again' }).click();
    await page.waitForURL((url) => /\/jobs\/[0-9a-f-]{36}$/.test(url.pathname) && url.href !== first);
    const again = page.url().split('/').at(-1) ?? '';
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel the training' }).click();
    await page.getByText('Cancelled', { exact: true }).first().waitFor({ timeout: 60_000 });
    await page.getByRole('button', { name: 'Run again' }).waitFor();
    const { data } = await api<{ data: { status: string; retried_from: string } }>(`/api/jobs/${again}`);
    expect(data).toMatchObject({ status: 'cancelled', retried_from: first.split('/').at(-1) });
  });

  test('no page complained on its console or of its policy', () => {
    expect(complaints).toEqual([]);
  });
});
