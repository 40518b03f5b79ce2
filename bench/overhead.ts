import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { freePort } from '#/db/embedded/free-port.ts';
import { CHROMIUM_FLAGS, findChromium } from '../test/chromium.ts';
import { removeStudio } from '../test/remove-studio.ts';
import { median, printFigures } from './figures.ts';

const REPO = join(import.meta.dirname, '..');
const PAIRS = Number(process.env.BENCH_PAIRS ?? 7);
const STEPS = Number(process.env.BENCH_STEPS ?? 900);

interface Client {
  call<T>(method: string, path: string, body?: unknown): Promise<T>;
}

interface JobSeen {
  id: string;
  status: string;
  started_at: string;
  completed_at: string;
  queued_at: string;
  failure: unknown;
}

/** Runs the bare trainer on a copy of a run's own config.json; seconds of its process. */
async function bareRun(config_path: string, folder: string): Promise<number> {
  const config = JSON.parse(await readFile(config_path, 'utf8')) as Record<string, unknown>;
  const job_folder = join(folder, 'bare');
  const output_path = join(job_folder, 'outputs');
  await rm(job_folder, { recursive: true, force: true });
  await mkdir(output_path, { recursive: true, mode: 0o700 });
  const path = join(job_folder, 'config.json');
  await writeFile(path, JSON.stringify({ ...config, job_folder, output_path }));
  const began = performance.now();
  const child = spawn(join(REPO, 'trainer/.venv/bin/python'), ['train_lora.py', '--config', path], {
    cwd: join(REPO, 'trainer'),
    env: {
      PATH: process.env.PATH ?? '',
      CUDA_VISIBLE_DEVICES: '',
      HF_HUB_OFFLINE: '1',
      PYTHONUNBUFFERED: '1',
      LANG: 'C.UTF-8',
      NODE_ENV: 'production',
    },
    stdio: 'ignore',
  });
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(`the bare trainer ended with ${code}`);
  return (performance.now() - began) / 1000;
}

/** Seconds from the trainer's start to the end of its whole tree, by when the wrapper wrote its two records. */
async function processSeconds(attempt_folder: string): Promise<number> {
  const written = async (name: string) => (await stat(join(attempt_folder, name))).mtimeMs;
  return ((await written('exit.json')) - (await written('started.json'))) / 1000;
}

/**
 * A run through the studio, its page open in a browser, against the bare trainer on the same config.json: interleaved pairs, the
 * ratio of each. Half an hour on two cores; nothing else should run meanwhile.
 */
export async function benchOverhead(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'lowrank-bench-overhead-'));
  const data_dir = join(folder, 'data');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const studio = spawn(process.execPath, [join(REPO, 'src/cli.ts'), 'demo'], {
    env: { ...process.env, LOWRANK_DATA_DIR: data_dir, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const gone = new Promise((resolve) => studio.once('exit', resolve));
  const browser = await chromium.launch({ executablePath: findChromium(), args: CHROMIUM_FLAGS });
  try {
    let said = '';
    studio.stdout?.setEncoding('utf8').on('data', (text: string) => (said += text));
    const link = await new Promise<string>((resolve, reject) => {
      studio.once('exit', (code) => reject(new Error(`the studio ended with ${code}:\n${said}`)));
      const look = setInterval(() => {
        const found = /sign in .*: (http\S+)/.exec(said)?.[1];
        if (found === undefined) return;
        clearInterval(look);
        resolve(found);
      }, 200);
    });
    const key = (await readFile(join(data_dir, 'local-key'), 'utf8')).trim();
    const client: Client = {
      async call<T>(method: string, path: string, body?: unknown): Promise<T> {
        const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' };
        const response = await fetch(`${url}${path}`, {
          method,
          headers,
          ...(body !== undefined && { body: JSON.stringify(body) }),
        });
        if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
        return (await response.json()) as T;
      },
    };
    const { datasets } = await client.call<{ datasets: { id: string }[] }>('GET', '/api/datasets');
    const page = await browser.newPage();
    await page.goto(link);
    await page.waitForURL(/\/jobs\//);
    const process_ratios: number[] = [];
    const extra: number[] = [];
    const lengths: number[] = [];
    for (let pair = 0; pair < PAIRS; pair++) {
      const hyperparameters = { learning_rate: 1e-3, epochs: 10, batch_size: 8 };
      const { data } = await client.call<{ data: JobSeen }>('POST', '/api/jobs', {
        dataset_id: datasets[0]?.id,
        preset_id: 'fast',
        hyperparameters,
        max_steps: STEPS,
      });
      await page.goto(`${url}/jobs/${data.id}`);
      const began = performance.now();
      let job = data;
      while (!['completed', 'failed', 'cancelled'].includes(job.status)) {
        await new Promise((resolve) => setTimeout(resolve, 1_000));
        job = (await client.call<{ data: JobSeen }>('GET', `/api/jobs/${data.id}`)).data;
      }
      if (job.status !== 'completed') throw new Error(JSON.stringify(job.failure));
      const whole = (performance.now() - began) / 1000;
      const attempt = join(data_dir, 'runs', data.id, '1');
      const through = await processSeconds(attempt);
      await page.goto('about:blank');
      const bare = await bareRun(join(attempt, 'config.json'), folder);
      process_ratios.push(through / bare);
      extra.push(whole - through);
      lengths.push(bare);
      console.log(
        `pair ${pair + 1}/${PAIRS}: through the studio ${through.toFixed(1)} s, bare ${bare.toFixed(1)} s, ratio ${(through / bare).toFixed(4)}`,
      );
    }
    const [low, high] = [Math.min(...process_ratios), Math.max(...process_ratios)];
    printFigures(
      `A run through the studio against the bare trainer, ${PAIRS} interleaved pairs of ${Math.round(median(lengths))} s, job page open`,
      [
        {
          what: 'time of the trainer process, ratio: median (range)',
          value: `${median(process_ratios).toFixed(4)} (${low.toFixed(4)} to ${high.toFixed(4)})`,
        },
        {
          what: 'verdict at 1.01',
          value:
            high - low > 0.01 ? 'not resolved: the range is wider than 1 %' : median(process_ratios) <= 1.01 ? 'met' : 'missed',
        },
        { what: 'queue, start, check in a fresh process and publication, once a run', value: `${median(extra).toFixed(1)} s` },
      ],
    );
  } finally {
    await browser.close();
    studio.kill('SIGINT');
    await gone;
    await removeStudio(data_dir);
    await rm(folder, { recursive: true, force: true });
  }
}
