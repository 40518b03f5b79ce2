// What the documents say in tables is what the code has; what they point to is there.
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CreateJobBody } from '#/contract/jobs.ts';
import { EverySubmission } from '#/contract/submission.ts';
import { APP_ERROR_CODES } from '#/domain/app-error.ts';
import { formatBytes } from '#/domain/bytes.ts';
import { CANCELLED_WITHIN_MS, DATASET_BYTES_MAX, PROMISE_TIMES } from '#/domain/constants.ts';
import { EstimateRequest } from '#/domain/foresight/requests/estimate-request.ts';
import { FETCH_ERROR_CODES } from '#/domain/hub-fetch.ts';
import { PUSH_ERROR_CODES } from '#/domain/hub-push.ts';
import { HYPERPARAMETER_PRESETS, HYPERPARAMETER_RANGES, type HyperparameterName } from '#/domain/hyperparameters.ts';
import { WAIT_REASONS } from '#/domain/queue.ts';
import { RECIPE_METHODS } from '#/domain/recipes.ts';
import { SAMPLE_IMAGE_BYTES_MAX, SAMPLE_IMAGE_REFUSALS, SAMPLE_IMAGES_MAX } from '#/domain/sample-images.ts';
import { TRAINING_IMAGE_STATUSES } from '#/domain/statuses.ts';
import { TRAINER_CAN } from '#/domain/trainer-abilities.ts';
import { CANONICAL_FIELDS, DATASET_SHAPES } from '#/domain/trainer-config.ts';
import { TRAINER_ERROR_CODES, WORKER_ERROR_CODES } from '#/domain/trainer-events.ts';
import { IMAGE_REASONS } from '#/domain/training-images.ts';
import { WEBHOOK_EVENTS, WEBHOOK_TEST_EVENT } from '#/domain/webhooks.ts';
import { OUTBOUND_FAULTS } from '#/storage/outbound/outbound-error.ts';
import { DOOR_A_FIELDS } from './contract-tables/door-a.ts';

const ROOT = resolve(import.meta.dirname, '..');
const read = (path: string) => readFile(join(ROOT, path), 'utf8');
const codes = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '');

/** The rows of the table that follows `heading`, as cells. */
function tableAfter(text: string, heading: string): string[][] {
  const at = text.indexOf(heading);
  expect(at, heading).toBeGreaterThan(-1);
  const rows = /(?:^\|.*\|\n)+/m.exec(text.slice(at))?.[0] ?? '';
  return rows
    .trim()
    .split('\n')
    .slice(2)
    .map((line) => line.split('|').slice(1, -1));
}

describe('the documents', () => {
  it('name every environment variable, with its default, and no other', async () => {
    const source = await read('src/env.ts');
    const schema = source.slice(source.indexOf('z.object({'), source.indexOf('});'));
    const variables = [...schema.matchAll(/^ {2}([A-Z0-9_]+):/gm)].map((match) => match[1]);
    const rows = tableAfter(await read('docs/operations.md'), '## Environment variables');
    expect(rows.flatMap(([names]) => codes(names ?? '')).sort()).toEqual(variables.sort());
    for (const [names = '', fallback = ''] of rows) {
      for (const name of codes(names)) {
        const declared = new RegExp(`^ {2}${name}:.*\\.default\\('?([^')]*)'?\\)`, 'm').exec(schema)?.[1];
        if (declared !== undefined && name !== 'PATH' && name !== 'LOWRANK_TIME_DIVISOR' && name !== 'NODE_ENV') {
          expect([name, codes(fallback)[0]]).toEqual([name, declared]);
        }
      }
    }
  });

  it('name every field that an estimate can be asked with', async () => {
    const rows = tableAfter(await read('docs/estimate.md'), '## A request');
    const { lora, switches, ...fields } = EstimateRequest.shape;
    const inside = Object.entries({ lora, switches }).flatMap(([name, part]) =>
      Object.keys(part.unwrap().shape).map((field) => `${name}.${field}`),
    );
    expect(rows.map(([name = '']) => codes(name)[0]).sort()).toEqual([...Object.keys(fields), ...inside].sort());
  });

  it('explain every variable of the storage where storage is explained', async () => {
    const named = (rows: string[][]) =>
      rows.flatMap(([names]) => codes(names ?? '')).filter((name) => name.startsWith('LOWRANK_S3_'));
    const all = named(tableAfter(await read('docs/operations.md'), '## Environment variables'));
    expect(all.length).toBeGreaterThan(0);
    expect(named(tableAfter(await read('docs/storage.md'), '## On an S3 server')).sort()).toEqual(all.sort());
  });

  it('have the presets and ranges of the domain', async () => {
    const rows = tableAfter(await read('docs/training.md'), '## Presets');
    const told = rows.map(([name = '', fast, balanced, quality, range = '']) => {
      const [min, max] = range.trim().split(/ to |, /);
      return [codes(name)[0], ...[fast, balanced, quality, min, max].map(Number)];
    });
    const { fast, balanced, quality } = HYPERPARAMETER_PRESETS;
    const names = Object.keys(HYPERPARAMETER_RANGES) as HyperparameterName[];
    const { min, max } = {
      min: (name: HyperparameterName) => HYPERPARAMETER_RANGES[name].min,
      max: (name: HyperparameterName) => HYPERPARAMETER_RANGES[name].max,
    };
    expect(told).toEqual(names.map((name) => [name, fast[name], balanced[name], quality[name], min(name), max(name)]));
  });

  it('explain every code by which a run fails, a request is refused or a row is left out', async () => {
    const failures = tableAfter(await read('docs/training.md'), '## When it fails').flatMap(([first]) => codes(first ?? ''));
    expect(failures.sort()).toEqual([...TRAINER_ERROR_CODES, ...WORKER_ERROR_CODES].sort());
    const api = await read('docs/api.md');
    const refusals = tableAfter(api, '| status | codes |').flatMap(([, second]) => codes(second ?? ''));
    expect(refusals.filter((code) => code !== 'Retry-After').sort()).toEqual([...APP_ERROR_CODES].sort());

    const imports = tableAfter(api, '| `error.code` | what it means |').flatMap(([first]) => codes(first ?? ''));
    expect(imports.sort()).toEqual([...FETCH_ERROR_CODES].sort());
    const pushes = tableAfter(api, '| `error.code` of a push | what it means |').flatMap(([first]) => codes(first ?? ''));
    expect(pushes.sort()).toEqual([...PUSH_ERROR_CODES].sort());

    const datasets = await read('docs/datasets.md');
    const sources = ['rows', 'shapes', 'json_array', 'tokenize', 'chat_template', 'inspect'];
    const python = (await Promise.all(sources.map((name) => read(`trainer/lora_trainer/${name}.py`)))).join('\n');
    const raised = (kind: string) =>
      [...python.matchAll(new RegExp(`\\b${kind}\\(\\s*"([a-z0-9_]+)"`, 'g'))].map((match) => match[1]);
    const rows = tableAfter(datasets, '### Codes of a refused row').flatMap(([first]) => codes(first ?? ''));
    const tuples = [...python.matchAll(/\("(line_too_long|invalid_json_line)", /g)].map((match) => match[1]);
    expect(rows.sort()).toEqual([...new Set([...raised('RowFault'), ...tuples])].sort());
    const files = tableAfter(datasets, '### Codes of a refused file').flatMap(([first]) => codes(first ?? ''));
    expect(files).toEqual(expect.arrayContaining([...new Set(raised('DatasetFault'))]));
    const warnings = codes(/^Warnings .*\n.*/m.exec(datasets)?.[0] ?? '');
    expect(warnings.sort()).toEqual([...new Set(raised('warn'))].sort());
  });

  it('explain every code by which a picture or an archive of pictures is refused, and every warning of one', async () => {
    const datasets = await read('docs/datasets.md');
    const folder = 'trainer/lora_trainer/image_check';
    const names = (await readdir(join(ROOT, folder))).filter((name) => name.endsWith('.py')).map((name) => `${folder}/${name}`);
    const python = (await Promise.all([...names, 'trainer/lora_trainer/inspect_images.py'].map(read))).join('\n');
    const raised = (kind: string) => [
      ...new Set([...python.matchAll(new RegExp(`\\b${kind}\\(\\s*"([a-z0-9_]+)"`, 'g'))].map((match) => match[1])),
    ];
    const told = (heading: string) => tableAfter(datasets, heading).flatMap(([first]) => codes(first ?? ''));
    expect(told('### Codes of a refused picture').sort()).toEqual(raised('PictureFault').sort());
    expect(told('### Codes of a refused archive').sort()).toEqual(raised('DatasetFault').sort());
    const [, of_pictures = ''] = [...datasets.matchAll(/^Warnings leave .*$/gm)].map(([line]) => line);
    expect(codes(of_pictures).sort()).toEqual(raised('warn').sort());
  });

  it('explain every reason for which a picture that was drawn is not kept', async () => {
    const text = await read('docs/image-training.md');
    const told = tableAfter(text, '| `not_kept.code` |').flatMap(([first]) => codes(first ?? ''));
    expect(told.sort()).toEqual(Object.keys(SAMPLE_IMAGE_REFUSALS).sort());
    const limits = [formatBytes(SAMPLE_IMAGE_BYTES_MAX), SAMPLE_IMAGES_MAX.toLocaleString('en')];
    expect(text).toMatch(new RegExp(limits.map((limit) => `more than ${limit}`).join('.*'), 's'));
  });

  it('explain each status of a training image, and each reason for which one is no good', async () => {
    const text = await read('docs/training-images.md');
    const told = (heading: string) => tableAfter(text, heading).flatMap(([first]) => codes(first ?? ''));
    expect(told('| `status` |')).toEqual([...TRAINING_IMAGE_STATUSES]);
    expect(told('| `status_reason.code` |')).toEqual([...IMAGE_REASONS]);
  });

  it('say each reason for which a job waits', async () => {
    const told = tableAfter(await read('docs/training.md'), '## While it waits').flatMap(([first]) => codes(first ?? ''));
    expect(told.sort()).toEqual([...WAIT_REASONS].sort());
  });

  it('have the shapes, the fields and the size of a dataset', async () => {
    const text = await read('docs/datasets.md');
    expect(
      tableAfter(text, '## Shapes')
        .map(([first]) => codes(first ?? '')[0])
        .sort(),
    ).toEqual([...DATASET_SHAPES].sort());
    const fields = /Fields that can be mapped: ([^.]*)\./.exec(text)?.[1] ?? '';
    expect(codes(fields)).toEqual([...CANONICAL_FIELDS]);
    expect(text).toContain(`at most ${formatBytes(DATASET_BYTES_MAX)}`);
  });

  it('say the times of a cancel, the size of a dataset and units as the code has them', async () => {
    const seconds = (ms: number) => `${ms / 1000} seconds`;
    expect(await read('docs/training.md')).toContain(
      `final too, within ${seconds(CANCELLED_WITHIN_MS)}: the trainer gets ${seconds(PROMISE_TIMES.grace_ms)}`,
    );
    expect(await read('SECURITY.md')).toContain(`${formatBytes(DATASET_BYTES_MAX)} a dataset`);
    const documents = [
      'README.md',
      'SECURITY.md',
      ...(await readdir(join(ROOT, 'docs'))).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
    ];
    for (const document of documents) expect([document, /\d [KMG]iB|\d KB/.exec(await read(document))]).toEqual([document, null]);
  });

  it('explain every event of a webhook and everything that keeps a delivery from arriving', async () => {
    const text = await read('docs/webhooks.md');
    const events = tableAfter(text, '## Events').flatMap(([first]) => codes(first ?? ''));
    expect(events.sort()).toEqual([...WEBHOOK_EVENTS, WEBHOOK_TEST_EVENT].sort());
    const told = tableAfter(text, '| `last_error` |').flatMap(([first]) => codes(first ?? ''));
    const sender = await read('src/worker/send-webhooks.ts');
    const judged = [...sender.matchAll(/'(refused|redirected|gone|secret_unreadable)'/g)].map((match) => match[1] ?? '');
    // No more than a head is read, and what a sender that stops lets go is not told.
    const faults = OUTBOUND_FAULTS.filter((fault) => fault !== 'response_too_large' && fault !== 'stopped');
    expect(told.sort()).toEqual([...new Set([...faults, ...judged])].sort());
  });

  it('have door A’s fields, with what is taken in their absence', async () => {
    const rows = tableAfter(await read('docs/api.md'), '## Door A: training by steps');
    const told = rows.map(([field = '', rule = '', fallback = '']) => {
      const value = fallback.replaceAll('`', '').trim();
      return [codes(field)[0], /\brequired\b/.test(rule) ? null : value === 'made up' ? undefined : value];
    });
    expect(told).toEqual(DOOR_A_FIELDS.map((row) => [row.field, row.default]));
  });

  it('have door B’s fields, and of door C’s styles those that are trained', async () => {
    const api = await read('docs/api.md');
    const told = tableAfter(api, '## Door B: training by epochs').flatMap(([first]) => codes(first ?? ''));
    const own = Object.keys(CreateJobBody.shape).filter((field) => !(field in EverySubmission));
    expect(told.sort()).toEqual(own.sort());
    const [trained = '', refused = ''] =
      /(`[^.]*) are what the trainer does today; (`[^.]*) are listed/.exec(api)?.slice(1) ?? [];
    expect(codes(trained)).toEqual([...TRAINER_CAN.methods]);
    expect(codes(refused)).toEqual(RECIPE_METHODS.filter((method) => !codes(trained).includes(method)));
  });

  it('list every endpoint that is declared, and no other', async () => {
    const declared: string[] = [];
    for (const name of (await readdir(join(ROOT, 'src/contract'))).filter((file) => /^[a-z-]+\.ts$/.test(file))) {
      const source = await read(`src/contract/${name}`);
      for (const [, method, path] of source.matchAll(/method: '([a-z]+)',\s*path: '([^']+)'/g))
        declared.push(`${method?.toUpperCase()} ${path}`);
    }
    const told: string[] = [];
    for (const [cell = ''] of tableAfter(await read('docs/api.md'), '## Endpoints')) {
      let prefix = '';
      for (const item of cell.split('·')) {
        const [methods, path = ''] = [item.match(/GET|POST|PATCH|DELETE/g), /(\/[^\s`]*)/.exec(item)?.[1]];
        // `/metrics` alone goes on from the job of the first one in its cell.
        const full = methods === null ? `${prefix}${path}` : path;
        if (methods !== null) prefix = path.replace(/\/[a-z]+$/, '');
        for (const method of methods ?? ['GET']) told.push(`${method} ${full}`);
      }
    }
    expect(told.sort()).toEqual(declared.sort());
  });

  it('tell troubles in the very words that one sees', async () => {
    const sources = await Promise.all(
      ['src', 'scripts'].flatMap(async (folder) =>
        Promise.all(
          (await readdir(join(ROOT, folder), { recursive: true }))
            .filter((name) => /(?<!\.test)\.(ts|mjs|tsx)$/.test(name))
            .map((name) => read(join(folder, name))),
        ),
      ),
    );
    const said = sources.flat().join('\n');
    // Words of the network, of TLS and of PostgreSQL.
    const theirs = /^(ENOTFOUND|ENETUNREACH|db\.PROJECT|self-signed|must be owner|canceling statement)/;
    const unsaid: string[] = [];
    for (const [document, heading] of [
      ['docs/troubleshooting.md', '# Troubleshooting'],
      ['docs/supabase.md', '## When it does not work'],
    ] as const) {
      const messages = tableAfter(await read(document), heading).flatMap(([first]) => codes(first ?? ''));
      expect(messages.length).toBeGreaterThan(9);
      for (const message of messages.filter((words) => !theirs.test(words))) {
        // A token's refusal is put together from these two.
        const parts = message.replace(/^This access token /, '').split(/…| iss /);
        if (!parts.every((part) => said.includes(part))) unsaid.push(`${document}: ${message}`);
      }
    }
    expect(unsaid).toEqual([]);
  });

  it('point to files and headings that are there', async () => {
    const documents = [
      'README.md',
      'ARCHITECTURE.md',
      'SECURITY.md',
      'CONTRIBUTING.md',
      ...(await readdir(join(ROOT, 'docs'))).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
    ];
    const slug = (heading: string) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-');
    const missing: string[] = [];
    for (const document of documents) {
      const text = await read(document);
      for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        const [path = '', anchor] = target.split('#');
        const file = path === '' ? document : join(dirname(document), path);
        if (!existsSync(join(ROOT, file))) missing.push(`${document}: ${target}`);
        else if (
          anchor !== undefined &&
          !(await read(file)).split('\n').some((line) => line.startsWith('#') && slug(line.replace(/^#+ /, '')) === anchor)
        )
          missing.push(`${document}: ${target}`);
      }
      // Paths of the checkout that are named in the text, such as `src/env.ts`.
      for (const name of codes(text)) {
        if (
          /^(src|trainer|test|scripts|demo|bench|docs)\/[\w./()[\]-]*$/.test(name) &&
          !existsSync(join(ROOT, name)) &&
          name !== 'trainer/.venv/bin/python'
        )
          missing.push(`${document}: ${name}`);
      }
    }
    expect(missing).toEqual([]);
  });
});
