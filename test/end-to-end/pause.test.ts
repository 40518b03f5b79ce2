/** A training that is started, paused and resumed by the buttons of its page: a real worker, a Hub on this machine, the stand-in trainer. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CHROMIUM_FLAGS, findChromium } from '../chromium.ts';
import { startHub, type TestHub } from '../hub.ts';
import { tinyModelFiles } from '../model-folder.ts';
import { axeFindings, watchPages } from './page-checks.ts';
import { REPO, startStudio, type TestStudio } from './studio.ts';

let hub: TestHub;
let studio: TestStudio;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  hub = await startHub({ 'acme/tiny': tinyModelFiles() });
  studio = await startStudio(undefined, { HF_ENDPOINT: hub.url, LOWRANK_TRAINER: join(REPO, 'trainer/fake_trainer.py') });
  browser = await chromium.launch({ executablePath: findChromium(), args: CHROMIUM_FLAGS });
  context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' });
  complaints = await watchPages(context);
  page = await context.newPage();
  page.setDefaultTimeout(60_000);
});
afterAll(async () => {
  await browser?.close();
  await studio?.remove();
  hub?.close();
});

async function api<T>(path: string, data?: unknown, headers: Record<string, string> = {}): Promise<T> {
  const address = `${studio.url}${path}`;
  const answer =
    data === undefined
      ? await context.request.get(address)
      : await context.request.post(address, { data, headers: { origin: studio.url, ...headers } });
  expect(answer.ok(), await answer.text()).toBe(true);
  return (await answer.json()) as T;
}
const button = (name: string) => page.getByRole('button', { name, exact: true });
const badge = (word: string) => page.locator('header').getByText(word, { exact: true });

test('a held job is started, paused, resumed to what it would have become, and told each time', async () => {
  await api('/api/first-run', { setup_token: studio.setup_token, email: 'owner@example.org', password: 'a long enough secret' });
  const file = readFileSync(join(REPO, 'demo/orders.jsonl'), 'utf8');
  const { id: dataset_id } = await api<{ id: string }>('/api/datasets/upload?file_name=orders.jsonl', file, {
    'content-type': 'application/x-ndjson',
  });
  await expect
    .poll(async () => (await api<{ status: string }>(`/api/datasets/${dataset_id}`)).status, { timeout: 60_000 })
    .toBe('ready');
  const { job_id } = await api<{ job_id: string }>('/api/training/submit', {
    dataset_id,
    type: 'lora',
    base_model: 'acme/tiny',
    config: { steps: 300 },
    trigger_words: ['fake:step_seconds=0.1'],
    start: false,
  });
  const look = async () =>
    (await api<{ data: { status: string; current_step: number; attempt: number } }>(`/api/jobs/${job_id}`)).data;

  await page.goto(`${studio.url}/jobs/${job_id}`);
  await badge('Held').waitFor();
  await page.getByText('Held. The log begins when the trainer is started.').waitFor();
  expect((await button('Pause').count()) + (await button('Resume').count())).toBe(0);
  expect(await axeFindings(page)).toEqual([]);
  await button('Start').click();
  await expect.poll(async () => (await look()).current_step, { timeout: 90_000 }).toBeGreaterThan(5);
  await badge('Live').waitFor();

  await button('Pause').click();
  await badge('Paused').waitFor();
  const paused = await look();
  expect(paused).toMatchObject({ status: 'queued', attempt: 1 });
  expect(await badge('Live').count()).toBe(0);
  expect((await button('Start').count()) + (await button('Pause').count())).toBe(0);
  expect(await axeFindings(page)).toEqual([]);
  await button('Cancel').click();
  await page.getByText(`It stopped at step ${paused.current_step} and is over at once.`, { exact: false }).waitFor();
  await button('Keep it').click();

  await button('Resume').click();
  await badge('Live').waitFor();
  await expect.poll(async () => (await look()).current_step, { timeout: 60_000 }).toBeGreaterThan(paused.current_step);
  expect(await look()).toMatchObject({ status: 'running', attempt: 2 });
  await button('Cancel').click();
  await button('Cancel the training').click();
  await badge('Cancelled').waitFor();
  await button('Run again').waitFor();
  expect(complaints).toEqual([]);
});
