/** What a job drew or answered, as its page shows it. */
import { describe, expect, test } from 'vitest';
import { answerFor, JOB_ID, madeUpJob, tellJob } from './made-up-job.ts';
import { answerSamples, madeUpAnswers, madeUpPictures, SAMPLE_STEPS } from './made-up-samples.ts';
import { axeFindings } from './page-checks.ts';
import { open, page, SCREENS, shot } from './page-scene.ts';

/** Registers its tests; somebody is signed in by then. */
export function describeJobSamples(): void {
  describe('the page of a job shows what it draws', () => {
    const grid = () => page.getByRole('region', { name: 'Samples by prompt and step' });
    const dialog = () => page.getByRole('dialog');
    let samples = madeUpPictures(5);
    const withSamples = (status: 'running' | 'completed', count = samples.length) => madeUpJob(status, { samples: count });
    const openGrid = async (job = withSamples('running')) => {
      await answerFor(page, job);
      await answerSamples(page, () => samples);
      await open(`/jobs/${JOB_ID}`);
    };

    test('by prompt and step, and more of it as it is drawn', async () => {
      for (const [width, height] of SCREENS) {
        samples = madeUpPictures(5);
        await page.setViewportSize({ width, height });
        await openGrid();
        await grid().scrollIntoViewIfNeeded();
        expect(await grid().getByRole('columnheader').allTextContents()).toEqual([
          'Prompt',
          ...SAMPLE_STEPS.slice(0, 5).map((step) => `Step ${step}`),
        ]);
        expect(await grid().getByRole('rowheader').count()).toBe(3);
        expect(await grid().getByRole('button').count()).toBe(3 * 5 - 2);
        await grid().getByText('Not kept. Its file was not there when it was to be stored.').waitFor();
        await grid().getByText('Being stored').waitFor();
        samples = madeUpPictures(6);
        await tellJob(page, withSamples('running'));
        await grid().getByRole('columnheader', { name: 'Step 150' }).waitFor();
        // The newest is what is seen, in a frame that scrolls by itself.
        await expect
          .poll(() => grid().evaluate((frame) => frame.scrollLeft + frame.clientWidth >= frame.scrollWidth - 1))
          .toBe(true);
        expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
        expect(await axeFindings(page)).toEqual([]);
        await shot('samples', width);
      }
    });

    test('large, from step to step and beside another, by keys alone', async () => {
      for (const [width, height] of SCREENS) {
        await page.setViewportSize({ width, height });
        await openGrid(withSamples('completed'));
        await grid().getByRole('button', { name: 'Step 60: a photo of sks teapot in the jungle' }).focus();
        await page.keyboard.press('Enter');
        await dialog().getByRole('heading', { name: 'Step 60' }).waitFor();
        await dialog().getByText('seed 43 · 512 × 512').waitFor();
        await page.keyboard.press('ArrowRight');
        await dialog().getByRole('heading', { name: 'Step 90' }).waitFor();
        await page.keyboard.press('ArrowLeft');
        await dialog().getByRole('heading', { name: 'Step 60' }).waitFor();
        await dialog().getByLabel('Beside it').selectOption('Step 0');
        expect(await dialog().getByRole('img').count()).toBe(2);
        expect(await dialog().getByRole('img').first().getAttribute('alt')).toBe('Step 0: a photo of sks teapot in the jungle');
        expect(await axeFindings(page)).toEqual([]);
        await shot('sample', width);
        await page.keyboard.press('Escape');
        await dialog().waitFor({ state: 'detached' });
        // The focus goes back to where it was.
        const focused = () =>
          page.evaluate(() => document.activeElement?.querySelector('img')?.alt ?? document.activeElement?.tagName);
        await expect.poll(focused, { timeout: 10_000 }).toBe('Step 60: a photo of sks teapot in the jungle');
      }
      await page.setViewportSize({ width: 1440, height: 900 });
    });

    test('or answers in words, and says what is to come before there is anything', async () => {
      samples = madeUpAnswers();
      await openGrid();
      await grid().getByRole('button', { name: 'Step 30: Please restart your router' }).first().click();
      await dialog().getByRole('region', { name: 'Answer at step 30' }).waitFor();
      expect(await axeFindings(page)).toEqual([]);
      await shot('sample-text', 1440);
      await page.keyboard.press('Escape');
      await shot('samples-text', 1440);
      const plan = { modality: 'image', sample_prompts: ['a cat'], sample_interval: 20 };
      await answerFor(page, madeUpJob('initializing', { config: { plan } }));
      await open(`/jobs/${JOB_ID}`);
      await page.getByText('The first pictures are drawn before the first step, then every 20 steps.').waitFor();
    });
  });
}
