/** The API's reference page in a real browser: drawn from the studio's own document, with nothing from elsewhere. */
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CHROMIUM_FLAGS, findChromium } from '../chromium.ts';
import { axeFindings, watchPages } from './page-checks.ts';
import { startStudio, type TestStudio } from './studio.ts';

let studio: TestStudio;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let complaints: string[];
/** Where everything that the page asked for was to come from. */
const origins = new Set<string>();

beforeAll(async () => {
  studio = await startStudio();
  browser = await chromium.launch({ executablePath: findChromium(), args: CHROMIUM_FLAGS });
  context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' });
  complaints = await watchPages(context);
  context.on('request', (request) => {
    if (!request.url().startsWith('data:')) origins.add(new URL(request.url()).origin);
  });
  page = await context.newPage();
  page.setDefaultTimeout(30_000);
});
afterAll(async () => {
  await browser?.close();
  await studio?.remove();
});

test('a stranger is led to the sign-in, and sees nothing of the API', async () => {
  const stranger = await context.newPage();
  await stranger.goto(`${studio.url}/docs`);
  await stranger.waitForURL(/\/(sign-in|first-run)/);
  expect(await stranger.getByText('/api/jobs').count()).toBe(0);
  expect((await stranger.request.get(`${studio.url}/openapi.json`)).status()).toBe(401);
  await stranger.close();
});

test('everything that the document has is there, is found by words and opens by its address', async () => {
  const answer = await page.request.post(`${studio.url}/api/first-run`, {
    headers: { origin: studio.url },
    data: { setup_token: studio.setup_token, email: 'owner@example.org', password: 'a long enough secret' },
  });
  expect(answer.status()).toBe(201);
  const document = (await (await page.request.get(`${studio.url}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, unknown>>;
  };
  const operations = Object.values(document.paths).flatMap((methods) => Object.keys(methods));
  await page.goto(`${studio.url}/docs`);
  await page.getByRole('heading', { level: 1, name: 'API reference' }).waitFor();
  await page.getByText(`${operations.length} operations`).waitFor();
  expect(await page.locator('summary').count()).toBe(operations.length);
  expect((await page.locator('main').textContent()) ?? '').not.toContain('`');
  const contents = page.getByRole('navigation', { name: 'Contents' }).getByRole('link');
  const counts = (await contents.allInnerTexts()).map((text) => Number(/\d+$/.exec(text.trim())?.[0]));
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(operations.length);
  await contents.filter({ hasText: 'Webhooks' }).click();
  await expect.poll(() => page.getByRole('heading', { name: 'Webhooks' }).isVisible()).toBe(true);
  expect(new URL(page.url()).hash).toBe('#tag-webhooks');
  expect(await axeFindings(page)).toEqual([]);

  await page.getByRole('searchbox').fill('post /api/training/submit');
  await page.getByText('1 operation', { exact: true }).waitFor();
  await page.locator('summary').click();
  await page.getByRole('region', { name: 'Body of POST /api/training/submit: fields' }).getByText('learning_rate').waitFor();
  await page.getByText('dataset_not_ready').waitFor();
  await page.getByRole('region', { name: 'curl for POST /api/training/submit' }).getByText('curl --config').waitFor();
  expect(await axeFindings(page)).toEqual([]);
  await page.getByRole('searchbox').fill('no such words');
  await page.getByText('No operation matches').waitFor();

  await page.goto(`${studio.url}/docs#getJobsIdMetrics`);
  await page.reload();
  await page.getByRole('region', { name: 'Parameters of GET /api/jobs/{id}/metrics' }).getByText('points').waitFor();
});

test('it fits a telephone and a wide screen, light and dark', async () => {
  for (const width of [390, 1440])
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.setViewportSize({ width, height: width === 390 ? 844 : 900 });
      await page.emulateMedia({ colorScheme });
      await page.goto(`${studio.url}/docs#postTrainingSubmit`);
      await page.reload();
      await page.getByRole('region', { name: 'Body of POST /api/training/submit: fields' }).waitFor();
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
      const fields = page.getByRole('region', { name: 'Answer 200 of POST /api/training/submit: fields' });
      expect(await fields.evaluate((box) => box.scrollWidth - box.clientWidth), 'a column that is cut').toBeLessThanOrEqual(0);
      expect(await fields.getByText('required', { exact: true }).count()).toBe(0);
      // The deepest answer: none of its columns lies outside of its frame.
      await page.goto(`${studio.url}/docs#postJobsEstimate`);
      const deep = page.getByRole('region', { name: 'Answer 200 of POST /api/jobs/estimate: fields' });
      expect(await deep.evaluate((frame) => frame.scrollWidth - frame.clientWidth)).toBeLessThanOrEqual(0);
      const shots = process.env.SHOTS;
      if (shots !== undefined) await page.screenshot({ path: join(shots, `docs-${width}-${colorScheme}.png`) });
    }
});

test('nothing came from another place, and nothing was complained of', () => {
  expect([...origins]).toEqual([studio.url]);
  expect(complaints).toEqual([]);
});
