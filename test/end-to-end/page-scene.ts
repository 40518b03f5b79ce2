/** One studio and a browser with it: for the tests of its pages, which go through them in one order. */
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { CHROMIUM_FLAGS, findChromium } from '../chromium.ts';
import { watchPages } from './page-checks.ts';
import { startStudio, type TestStudio } from './studio.ts';

export let studio: TestStudio;
let browser: Browser;
export let page: Page;
/** What the pages of each person complained of. */
export const complaints: string[][] = [];

/** A browser of one person. Reduced motion: a colour that is still on its way is not the colour of the page. */
export async function newPerson(): Promise<BrowserContext> {
  const person = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' });
  complaints.push(await watchPages(person));
  return person;
}

beforeAll(async () => {
  studio = await startStudio();
  browser = await chromium.launch({ executablePath: findChromium(), args: CHROMIUM_FLAGS });
  page = await (await newPerson()).newPage();
  page.setDefaultTimeout(30_000);
});
afterAll(async () => {
  await browser?.close();
  await studio?.remove();
});

export const open = async (path: string, on = page) => {
  await on.goto(`${studio.url}${path}`);
  await on.locator('h1').first().waitFor();
};
/** A picture of the page as it stands, light and dark, for whoever names a folder in SHOTS. */
export const shot = async (name: string, width: number) => {
  for (const colorScheme of ['light', 'dark'] as const) {
    if (process.env.SHOTS === undefined) return;
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: join(process.env.SHOTS, `${name}-${width}-${colorScheme}.png`) });
  }
  await page.emulateMedia({ colorScheme: 'light' });
};
export const SCREENS = [
  [1440, 900],
  [390, 844],
] as const;
export const heading = (name: string | RegExp, on = page) => on.getByRole('heading', { level: 1, name });
