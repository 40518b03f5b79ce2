/** Every page in a real browser, in the states that a person meets it in: what it says, that axe finds nothing, that it complains of nothing. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bitmap } from '../bitmap.ts';
import { storedShapeOf } from '../stored-shape.ts';
import { lowrank } from './command-line.ts';
import { describeJobPage } from './job-page.ts';
import { describeJobSamples } from './job-samples.ts';
import { madeUpAccuracy } from './made-up-accuracy.ts';
import { axeFindings } from './page-checks.ts';
import { complaints, heading, newPerson, open, page, SCREENS, shot, studio } from './page-scene.ts';
import { REPO } from './studio.ts';

const PASSWORD = 'a long enough secret';

describe('before anybody is there', () => {
  test('the first visit leads to the set-up, and no other form is seen on the way', async () => {
    await page.addInitScript(() => {
      const seen = new Set<string>();
      Object.assign(globalThis, { seen });
      const look = () => {
        for (const { textContent } of document.querySelectorAll('h1')) seen.add(textContent ?? '');
        requestAnimationFrame(look);
      };
      look();
    });
    await page.goto(`${studio.url}/`);
    await heading('Make this studio yours').waitFor();
    expect(await page.evaluate(() => [...(globalThis as unknown as { seen: Set<string> }).seen])).toEqual([
      'Make this studio yours',
    ]);
    expect(await axeFindings(page)).toEqual([]);
  });

  test('an address that leads nowhere says so within the studio, and leads on', async () => {
    const answer = await page.goto(`${studio.url}/no/such/page`);
    expect(answer?.status()).toBe(404);
    await heading('There is no page here').waitFor();
    await page.getByRole('navigation', { name: 'Places' }).getByRole('link', { name: 'Jobs' }).waitFor();
    expect(await axeFindings(page)).toEqual([]);
    await page.getByRole('link', { name: 'To the dashboard' }).click();
    await heading('Make this studio yours').waitFor();
  });

  test('a link that was used names the command that makes another', async () => {
    await open('/sign-in/link#used');
    await heading('This link does not open').waitFor();
    await page.getByText('npm run lowrank -- sign-in-link').waitFor();
    expect(await axeFindings(page)).toEqual([]);
  });

  test('the first person sets the studio up', async () => {
    await open('/first-run');
    await page.getByLabel('Set-up token').fill(studio.setup_token);
    await page.getByLabel('E-mail').fill('owner@example.org');
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Create the owner' }).click();
    await heading('Dashboard').waitFor();
    await open('/first-run');
    await heading('Set up already').waitFor();
    expect(await axeFindings(page)).toEqual([]);
  });
});

describe('people', () => {
  const inviteAs = async (email: string): Promise<string> => {
    await page.getByLabel('E-mail of the new member').fill(email);
    await page.getByRole('button', { name: 'Make a link' }).click();
    const link = page.getByText(new RegExp(`/sign-up#\\S+${email.split('@')[0]}`));
    return (await link.textContent()) ?? '';
  };

  test('an invitation opens with its e-mail filled in, joins, and its person is among the members', async () => {
    await open('/settings');
    const link = await inviteAs('ada@example.org');
    await page.getByText('It opens on this machine alone.', { exact: false }).waitFor();
    const invited = page.getByRole('list', { name: 'Open invitations' }).getByText('ada@example.org');
    await invited.waitFor();
    expect(await axeFindings(page)).toEqual([]);
    const ada = await newPerson();
    const theirs = await ada.newPage();
    await theirs.goto(link);
    await heading('Join this studio', theirs).waitFor();
    await expect.poll(() => theirs.getByLabel('E-mail').inputValue()).toBe('ada@example.org');
    expect(theirs.url()).toBe(`${studio.url}/sign-up`);
    expect(await axeFindings(theirs)).toEqual([]);
    await theirs.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await theirs.getByRole('button', { name: 'Join' }).click();
    await heading('Dashboard', theirs).waitFor();
    // What is for administrators is not on a member's page.
    await open('/settings', theirs);
    await theirs.getByRole('heading', { name: 'API keys' }).waitFor();
    expect(await theirs.getByRole('heading', { name: 'Members' }).count()).toBe(0);
    await ada.close();
    await page.reload();
    await page.getByRole('list', { name: 'Members' }).getByText('ada@example.org').first().waitFor();
    expect(await invited.count()).toBe(0);
  });

  test('an invitation that is taken back opens nothing', async () => {
    const link = await inviteAs('eve@example.org');
    await page.getByRole('button', { name: 'Revoke the invitation of eve@example.org' }).click();
    await page.getByText('Nobody is invited at the moment.', { exact: false }).waitFor();
    const eve = await newPerson();
    const theirs = await eve.newPage();
    await theirs.goto(link);
    await theirs.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await theirs.getByRole('button', { name: 'Join' }).click();
    await theirs.getByText('used up, too old or for another e-mail', { exact: false }).waitFor();
    await eve.close();
  });

  test('signing out is within reach on every page, and signing in leads back', async () => {
    await open('/models');
    await page.getByRole('button', { name: /sign-out/ }).click();
    expect(await axeFindings(page)).toEqual([]);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await heading('Sign in').waitFor();
    expect(await axeFindings(page)).toEqual([]);
    await page.getByLabel('E-mail').fill('owner@example.org');
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await heading('Models').waitFor();
  });
});

describe('a link from the terminal', () => {
  test('signs in once', async () => {
    const { code, said } = await lowrank(studio, ['sign-in-link']);
    expect(code, said).toBe(0);
    const link = /http\S+#\S+/.exec(said)?.[0] ?? '';
    const terminal = await newPerson();
    const theirs = await terminal.newPage();
    await theirs.goto(link);
    await heading('Dashboard', theirs).waitFor();
    await terminal.clearCookies();
    await theirs.goto(link);
    await heading('This link does not open', theirs).waitFor();
    await terminal.close();
    expect(await lowrank(studio, ['sign-in-link', 'nobody@example.org'])).toMatchObject({
      code: 1,
      said: expect.stringContaining('Nobody in this studio has the e-mail nobody@example.org'),
    });
  });
});

describe('a base model', () => {
  test('from a folder called model has the name of the folder above, and is chosen in the form', async () => {
    await open('/models');
    await page.getByRole('button', { name: 'Add a model' }).first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Folder of this machine').click();
    await dialog.locator('input[name=path]').fill(join(REPO, 'demo/model'));
    expect(await axeFindings(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Add the model' }).click();
    await page.getByRole('list', { name: 'Models' }).getByText('demo', { exact: true }).waitFor();
    await open('/training/configure');
    await expect.poll(() => page.getByLabel('Base model').locator('option:checked').textContent()).toBe('demo');
    await page.getByText('demo has about', { exact: false }).waitFor();
    await shot('configure', 1440);
    await page.getByLabel('Learning rate', { exact: true }).fill('1');
    await page.getByText('Learning rate must be between 1e-6 and 1e-2').waitFor();
    expect(await axeFindings(page)).toEqual([]);
  });
});

describe('a dataset', () => {
  const rows = Array.from({ length: 30 }, (_, at) => ({
    ask: `What is ${at} + 1?`,
    hint: `Count on.`,
    reply: `It is ${at + 1}.`,
  }));

  test('of unknown columns is mapped, and mapped otherwise once it is ready', async () => {
    const file = join(studio.data_dir, 'sums.jsonl');
    writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    await open('/datasets');
    await page.locator('input[type=file]').setInputFiles(file);
    await page.locator('ul[aria-label=Datasets] a').first().click();
    await page.getByText('Say what the columns hold').waitFor();
    expect(await axeFindings(page)).toEqual([]);
    await page.getByLabel('Question or prompt').selectOption('hint');
    await page.getByLabel('Answer to learn').selectOption('reply');
    await page.getByRole('button', { name: 'Use these columns and check again' }).click();
    const mapped = page.locator('dl', { hasText: 'Column of prompt' });
    await mapped.getByText('hint', { exact: true }).waitFor();

    await page.getByRole('button', { name: 'Change the columns' }).click();
    expect(await page.getByLabel('Question or prompt').inputValue()).toBe('hint');
    expect(await axeFindings(page)).toEqual([]);
    await page.getByLabel('Question or prompt').selectOption('ask');
    await page.getByRole('button', { name: 'Use these columns and check again' }).click();
    await mapped.getByText('ask', { exact: true }).waitFor();
    await page
      .getByText('What is 7 + 1?', { exact: false })
      .or(page.getByText('What is 1 + 1?', { exact: false }))
      .first()
      .waitFor();
  });

  test('is foretold in the form as it is typed, by no request, and an advice is set by its button', async () => {
    const asked: string[] = [];
    page.on('request', (request) => asked.push(`${request.method()} ${new URL(request.url()).pathname}`));
    await open('/training/configure');
    await page.getByRole('combobox', { name: 'Dataset' }).selectOption({ index: 1 });
    await page.getByRole('combobox', { name: 'How many' }).selectOption('2');
    await page.getByText(/^Each takes \d+ rows of a batch: .* in place of/).waitFor();
    await page.getByText('Fits', { exact: true }).waitFor();
    await shot('foretold', 1440);
    expect(await axeFindings(page)).toEqual([]);
    // The same form, were the model one of thirteen billion parameters and the device a small one.
    await page.route('**/api/base-models?**', async (route) => {
      const answer = await route.fetch();
      const told = await answer.json();
      for (const model of told.models) model.shape = storedShapeOf('Llama-2-13b').shape;
      await route.fulfill({ response: answer, json: told });
    });
    await open('/training/configure');
    await page.getByRole('combobox', { name: 'Dataset' }).selectOption({ index: 1 });
    const before = asked.length;
    await page.getByRole('combobox', { name: 'Device' }).selectOption('T4');
    await page.getByText('Will not fit', { exact: true }).waitFor();
    await page.getByText('It does not fit: change what is named above first.').waitFor();
    for (const width of [1440, 390]) {
      await page.setViewportSize({ width, height: 1200 });
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
      await page.getByRole('heading', { name: 'What it takes' }).scrollIntoViewIfNeeded();
      await shot('misfit', width);
      expect(await axeFindings(page)).toEqual([]);
    }
    await page.setViewportSize({ width: 1440, height: 900 });
    await page.getByRole('button', { name: /^Set it .* at \$/ }).click();
    await page.getByText('Fits', { exact: true }).waitFor();
    expect(await page.getByRole('combobox', { name: 'Device' }).inputValue()).not.toBe('T4');
    expect(
      asked.slice(before).filter((request) => !request.startsWith('GET /api/') || /estimate|preflight/.test(request)),
    ).toEqual([]);
    await page.unroute('**/api/base-models?**');
  });

  test('of pictures shows what is refused, then each picture with its caption, its buckets and what is worth knowing', async () => {
    const picture = (at: number, width: number) => ({ name: `${at}.bmp`, mimeType: 'image/bmp', buffer: bitmap(at, width, 96) });
    const text = (name: string, words: string) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(words) });
    await open('/datasets');
    await page
      .locator('input[type=file]')
      .first()
      .setInputFiles([
        picture(1, 128),
        picture(2, 96),
        picture(3, 200),
        text('1.txt', 'a chequered cloth'),
        text('4.png', 'none'),
      ]);
    await page.getByText('pictures (5 files)').waitFor();
    await page.getByRole('link', { name: 'see its report' }).first().click();
    await page.getByText('1 file breaks a rule.').waitFor();
    await page.getByRole('cell', { name: '4.png' }).waitFor();
    expect(await axeFindings(page)).toEqual([]);
    await shot('pictures-refused', 1440);
    await page.getByRole('button', { name: 'Train on the other 3' }).click();
    const first = page.getByRole('img', { name: 'a chequered cloth' });
    await first.waitFor();
    await expect.poll(() => first.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(128);
    await page.getByRole('heading', { name: 'Buckets at 1024' }).waitFor();
    for (const width of [1440, 390]) {
      await page.setViewportSize({ width, height: 1200 });
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
      await page.evaluate(() => scrollTo(0, 0));
      await shot('pictures-report', width);
      await page.getByRole('list', { name: 'Pictures' }).scrollIntoViewIfNeeded();
      await shot('pictures', width);
      expect(await axeFindings(page)).toEqual([]);
    }
    await page.setViewportSize({ width: 1440, height: 900 });
  });

  test.each(['/datasets/00000000-0000-4000-8000-000000000000', '/jobs/00000000-0000-4000-8000-000000000000', '/jobs/cut-short'])(
    'or a job that is not there says so: %s',
    async (path) => {
      await open(path);
      await heading(/^No such (dataset|job)$/).waitFor();
      expect(await axeFindings(page)).toEqual([]);
    },
  );
});

describeJobPage();

describeJobSamples();

describe('a page that breaks', () => {
  test('says so within the studio, with a second try', async () => {
    await page.unrouteAll();
    const broken = { success: true, data: { jobs: null, pagination: { page: 1, limit: 25, total: 1, totalPages: 1 } } };
    await page.route('**/api/jobs?**', (route) => route.fulfill({ json: broken }));
    await open('/jobs');
    await heading('This page broke').waitFor();
    await page.getByRole('navigation', { name: 'Places' }).waitFor();
    expect(await axeFindings(page)).toEqual([]);
    await page.unrouteAll();
    await page.getByRole('button', { name: 'Try again' }).click();
    await heading('Jobs').waitFor();
    // That it broke is on the console, and rightly so.
    const heard = complaints[0] ?? [];
    heard.splice(0, heard.length, ...heard.filter((text) => !text.includes('Cannot read properties of null')));
  });

  test('down to its frame still says so, and loads anew', async () => {
    const frameless = await newPerson();
    const heard = complaints.pop();
    const broken = await frameless.newPage();
    await broken.route('**/_next/static/chunks/**', async (route) => {
      const answer = await route.fetch();
      if ((await answer.text()).includes('mobileOffset')) await route.abort();
      else await route.fulfill({ response: answer });
    });
    await open('/sign-in', broken);
    await heading('This page broke', broken).waitFor();
    expect(await axeFindings(broken)).toEqual([]);
    await broken.unrouteAll();
    await broken.getByRole('button', { name: 'Try again' }).click();
    await heading('Sign in', broken).waitFor();
    expect(heard?.filter((text) => text.includes(' breaks '))).toEqual([]);
    await frameless.close();
  });
});

describe('the accuracy of forecasts', () => {
  test('before anything was measured says what to do first', async () => {
    await open('/accuracy');
    await page.getByText('Nothing has been measured yet').waitFor();
    await page.getByRole('link', { name: 'Start a training' }).waitFor();
    expect(await axeFindings(page)).toEqual([]);
  });

  test('draws runs, tells how many lay in their interval, and keeps its filters in the address', async () => {
    const asked: string[] = [];
    await page.route('**/api/accuracy**', (route) => {
      const { search, searchParams } = new URL(route.request().url());
      asked.push(search);
      return route.fulfill({ json: madeUpAccuracy(searchParams.get('method')) });
    });
    for (const [width, height] of SCREENS) {
      await page.setViewportSize({ width, height });
      await open('/accuracy');
      await page
        .getByText('Of the runs measured, 35 of 38 (92 %) lay in the interval that was told of their memory', { exact: false })
        .waitFor();
      await page.getByRole('img', { name: 'Memory of 24 runs, foretold against measured: 22 in the interval' }).waitFor();
      await page.getByRole('list', { name: 'Your runs' }).getByText('Answers 1', { exact: true }).waitFor();
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
      expect(await axeFindings(page)).toEqual([]);
      await shot('accuracy', width);
    }
    await page.setViewportSize({ width: 1440, height: 900 });
    await page.getByText('Time', { exact: true }).first().click();
    await page.getByRole('img', { name: 'Time of a step of 24 runs' }).waitFor();
    await page.locator('#method').selectOption('DoRA');
    await page.waitForURL('**/accuracy?method=dora');
    await page.getByText('No run is of that kind').waitFor();
    expect(asked.at(-1)).toContain('method=dora');
    await page.getByRole('button', { name: 'Show all runs' }).click();
    await page.waitForURL('**/accuracy');
    await page.unroute('**/api/accuracy**');
  });
});

describe('signed in', () => {
  test.each(['/', '/jobs', '/datasets', '/models', '/accuracy', '/settings'])('%s', async (path) => {
    await open(path);
    await page.waitForLoadState('networkidle');
    expect(await axeFindings(page)).toEqual([]);
  });

  test('no page complained on its console or of its policy', () => {
    expect(complaints.flat()).toEqual([]);
  });
});
