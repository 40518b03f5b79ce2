/** The page of a job in each state that a person meets it in. */
import { describe, expect, test } from 'vitest';
import { JOB_STATUSES } from '#/domain/statuses.ts';
import { madeUpForecast } from './made-up-accuracy.ts';
import { answerFor, JOB_ID, madeUpJob, OUT_OF_MEMORY } from './made-up-job.ts';
import { axeFindings } from './page-checks.ts';
import { heading, open, page, SCREENS, shot } from './page-scene.ts';

/** Registers its tests; somebody is signed in by then. */
export function describeJobPage(): void {
  describe('the page of a job', () => {
    test.each(JOB_STATUSES)('that is %s', async (status) => {
      const job = madeUpJob(status, status === 'failed' ? { failure: OUT_OF_MEMORY } : {});
      await answerFor(page, job);
      await open(`/jobs/${JOB_ID}`);
      await heading(job.name).waitFor();
      if (status === 'completed') await page.getByText('passport.json').waitFor();
      if (status === 'running') {
        await page.getByText('Live', { exact: true }).waitFor();
        await shot('running', 1440);
        await page.setViewportSize({ width: 390, height: 844 });
        await page.getByRole('button', { name: 'Pause' }).waitFor();
        expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
        await shot('running', 390);
        await page.setViewportSize({ width: 1440, height: 900 });
      }
      for (const tab of ['Events', 'Configuration', 'Log']) {
        await page.getByRole('tab', { name: tab }).click();
        expect(await axeFindings(page)).toEqual([]);
      }
    });

    test('that is paused stands still: no time goes by, no speed, nothing live', async () => {
      const held_at = new Date(Date.now() - 300_000).toISOString();
      const paused = {
        current_stage: null,
        current_step: 150,
        current_epoch: 1.9,
        progress: 62.5,
        attempt: 1,
        held_at,
        pause_requested_at: held_at,
      };
      const started_at = new Date(Date.parse(held_at) - 95_000).toISOString();
      const { current_metrics } = madeUpJob('running');
      await answerFor(page, madeUpJob('queued', { ...paused, started_at, current_metrics, estimated_completion_at: held_at }));
      for (const [width, height] of [
        [1440, 900],
        [390, 844],
      ] as const) {
        await page.setViewportSize({ width, height });
        await open(`/jobs/${JOB_ID}`);
        await page.locator('dl > div', { hasText: 'Stage' }).getByText('Paused', { exact: true }).waitFor();
        await page.getByRole('button', { name: 'Resume' }).waitFor();
        const reading = (name: string) => page.locator('dl > div', { hasText: name }).locator('dd').first().textContent();
        await page.locator('dl > div', { hasText: 'Elapsed' }).getByText('1 min 35 s').waitFor();
        expect(await reading('Speed')).toBe('–');
        expect(await reading('Time left')).toBe('–');
        expect(await page.getByText('Live', { exact: true }).count()).toBe(0);
        expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
        expect(await axeFindings(page)).toEqual([]);
        await shot('paused', width);
      }
      await page.setViewportSize({ width: 1440, height: 900 });
    });

    test('that was paused on its way took the time of its runs', async () => {
      const began = Date.now() - 600_000;
      const at = (second: number) => new Date(began + second * 1000).toISOString();
      const job = madeUpJob('completed', { attempt: 2, queued_at: at(-5), started_at: at(0), completed_at: at(400) });
      await answerFor(page, job);
      const moves = [
        ['queued', -5],
        ['running', 0],
        ['queued', 95],
        ['running', 300],
        ['completed', 400],
      ] as const;
      const events = moves.map(([to_status, second], seq) => ({
        ...{ seq: seq + 1, type: 'status', from_status: null, to_status, attempt: second < 300 ? 1 : 2 },
        ...{ message: null, data: {}, created_at: at(second) },
      }));
      await page.route(`**/api/jobs/${JOB_ID}/events**`, (route) =>
        route.fulfill({ json: { success: true, data: { events, next_after: null } } }),
      );
      await open(`/jobs/${JOB_ID}`);
      await page.locator('dl > div', { hasText: 'Took' }).getByText('3 min 15 s').waitFor();
    });

    test('tells its memory, time and cost as they were foretold and as they were measured', async () => {
      await answerFor(page, madeUpJob('completed', { ...madeUpForecast(), final_cost: 0.42 }));
      for (const [width, height] of SCREENS) {
        await page.setViewportSize({ width, height });
        await open(`/jobs/${JOB_ID}`);
        const told = page.getByRole('region', { name: 'Foretold and measured' });
        await told.getByText('7.90–8.60 GB foretold, from 14 runs like this; 8.10 GB measured').waitFor();
        await told.getByText('0.47–0.58 s foretold, from a run of yours that equals it; 0.66 s measured').waitFor();
        await told.getByText('$0.18 – $0.23 foretold; $0.42 measured').waitFor();
        expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
        expect(await axeFindings(page)).toEqual([]);
        await told.scrollIntoViewIfNeeded();
        await shot('foretold', width);
      }
      await page.setViewportSize({ width: 1440, height: 900 });
    });

    test('whose base model could not be fetched says so, and that no trainer was started', async () => {
      const failure = {
        code: 'model_not_fetched',
        message: 'Base model acme/tiny could not be fetched: the Hub does not answer.',
        hint: 'See what the message names, then submit again: the fetch goes on where it stopped.',
        stack: null,
      };
      const job = madeUpJob('failed', {
        attempt: 0,
        started_at: null,
        current_step: 0,
        current_epoch: 0,
        progress: 0,
        current_metrics: {},
        failure,
      });
      await answerFor(page, job);
      await open(`/jobs/${JOB_ID}`);
      await page.getByText('The base model could not be fetched', { exact: true }).waitFor();
      await page.getByText('No trainer was started for this job, so there is no log.').waitFor();
      expect(await page.getByRole('heading', { name: 'Loss' }).count()).toBe(0);
      expect(await axeFindings(page)).toEqual([]);
      await shot('model-not-fetched', 1440);
    });

    test('tells the loss of the last step from the smoothed line', async () => {
      await answerFor(page, madeUpJob('running'));
      await open(`/jobs/${JOB_ID}`);
      for (const name of ['Loss, last step', 'Smoothed', 'Each step', 'Evaluation'])
        await page.getByText(name, { exact: true }).waitFor();
    });

    test('has a log to filter, to follow, to copy and to read with or without times', async () => {
      const log = page.getByRole('region', { name: 'Log' });
      await log.getByText('step 150', { exact: false }).waitFor();
      expect(await log.locator('time').count()).toBeGreaterThan(10);
      await page.getByLabel('Times').uncheck();
      expect(await log.locator('time').count()).toBe(0);
      await page.getByLabel('Problems only').check();
      await log.getByText('rows_truncated', { exact: false }).waitFor();
      expect(await log.getByText('step 150', { exact: false }).count()).toBe(0);
      await log.getByText('3 of 20 lines').waitFor();
      await page.getByLabel('Show only lines with these words').fill('memory');
      await log.getByText('1 of 20 lines').waitFor();
      await page.getByLabel('Show only lines with these words').fill('nothing like it');
      await log.getByText('No line is like that', { exact: false }).waitFor();
      expect(await axeFindings(page)).toEqual([]);
    });

    test('says of a cancel what the promise says', async () => {
      await page.getByRole('button', { name: 'Cancel' }).click();
      await page
        .getByText('gets 20 seconds to write a checkpoint; after 30 seconds at the latest it is over', { exact: false })
        .waitFor();
      expect(await axeFindings(page)).toEqual([]);
      await page.keyboard.press('Escape');
    });
  });
}
