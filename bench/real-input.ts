import { execFileSync, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { becomeOwner, GSM8K, lowrank } from '../test/end-to-end/command-line.ts';
import { PYTHON, REPO, startStudio, type TestStudio } from '../test/end-to-end/studio.ts';
import { printFigures } from './figures.ts';

const SEEDS = [1, 2, 3, 4, 5];
const STEPS = 40;
const RATE = 1e-3;

interface RunConfig {
  training_params: object;
  dataset: { splits: object };
  eval: object;
}

/** The evaluation losses of a run's event file, in the order in which they were told. */
async function evalLosses(output_path: string): Promise<number[]> {
  const lines = (await readFile(join(output_path, 'events.jsonl'), 'utf8')).trim().split('\n');
  return lines
    .map((line) => JSON.parse(line) as { eval_loss?: number })
    .flatMap((event) => (event.eval_loss === undefined ? [] : [event.eval_loss]));
}

/** One step at learning rate 0 with a run's own configuration and another seed, for the rows held out too: its evaluation loss. */
async function lossOfSeed(config: RunConfig, seed: number, job_folder: string): Promise<number> {
  const output_path = join(job_folder, 'outputs');
  await mkdir(output_path, { recursive: true, mode: 0o700 });
  const path = join(job_folder, 'config.json');
  const changed = {
    ...config,
    training_params: { ...config.training_params, learning_rate: 0, max_steps: 1, seed },
    dataset: { ...config.dataset, splits: { ...config.dataset.splits, seed } },
    eval: { ...config.eval, at_start: false },
  };
  await writeFile(path, JSON.stringify({ ...changed, job_folder, output_path }));
  const child = spawn(PYTHON, ['train_lora.py', '--config', path], {
    cwd: join(REPO, 'trainer'),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(`the trainer ended with ${code}`);
  return (await evalLosses(output_path)).at(-1) ?? Number.NaN;
}

/** `lowrank train` on the real rows; the folder of its only attempt. */
async function trainByCommand(studio: TestStudio, model: string, adapter: string): Promise<string> {
  const { code, said } = await lowrank(studio, [
    ...['train', '--dataset', GSM8K, '--map', 'prompt=question,completion=answer', '--model', model, '--preset', 'fast'],
    ...['--set', `max_steps=${STEPS}`, '--set', `learning_rate=${RATE}`, '--follow', '--output', adapter],
  ]);
  const job_id = /\/jobs\/([0-9a-f-]{36})/.exec(said)?.[1];
  if (code !== 0 || job_id === undefined) throw new Error(`lowrank train ended with ${code}:\n${said}`);
  return join(studio.data_dir, 'runs', job_id, '1');
}

/**
 * `lowrank train` on real rows with a randomly initialised model of SmolLM-135M's shape: the fall of the evaluation loss on 64
 * held-out rows against the spread of five seeds at learning rate 0, and the recorded loss found again by a fresh process.
 */
export async function benchRealInput(): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'lowrank-bench-real-'));
  const studio = await startStudio(join(work, 'data'));
  try {
    await becomeOwner(studio);
    const model = join(studio.data_dir, 'models', 'random-135m');
    await mkdir(join(studio.data_dir, 'models'), { recursive: true });
    const make = ['tests/tiny_model.py', '--shape', 'smollm-135m', '--tokenizer', join(REPO, 'demo/model'), '--out', model];
    execFileSync(PYTHON, make, { cwd: join(REPO, 'trainer'), stdio: 'inherit' });
    const adapter = join(work, 'adapter');
    const attempt = await trainByCommand(studio, model, adapter);
    const config = join(attempt, 'config.json');
    const losses = await evalLosses(join(attempt, 'outputs'));
    const [first, last] = [losses[0] ?? Number.NaN, losses.at(-1) ?? Number.NaN];
    console.log(`lowrank train, ${STEPS} steps: ${first} → ${last}`);
    const verify = ['-m', 'lora_trainer.verify', '--config', config, '--eval', '--adapter', adapter];
    const again = execFileSync(PYTHON, verify, { cwd: join(REPO, 'trainer'), encoding: 'utf8' });
    const { eval_loss } = JSON.parse(again) as { eval_loss: number };
    const still: number[] = [];
    for (const seed of SEEDS) {
      const base = JSON.parse(await readFile(config, 'utf8')) as RunConfig;
      still.push(await lossOfSeed(base, seed, join(work, `seed-${seed}`)));
      console.log(`learning rate 0, seed ${seed}: ${still.at(-1)}`);
    }
    const spread = Math.max(...still) - Math.min(...still);
    printFigures(`Real rows (gsm8k), randomly initialised model of SmolLM-135M's shape, ${STEPS} steps at ${RATE}`, [
      { what: 'evaluation loss on 64 held-out rows, before → after', value: `${first.toFixed(4)} → ${last.toFixed(4)}` },
      {
        what: `fall / spread of ${SEEDS.length} seeds at learning rate 0, each with 64 rows of its own`,
        value: `${(first - last).toFixed(4)} / ${spread.toFixed(4)}`,
      },
      { what: 'verdict: fall > 3 × spread', value: first - last > 3 * spread ? 'met' : 'missed' },
      {
        what: 'fresh process, base + adapter: difference to the recorded loss',
        value: Math.abs(eval_loss - last).toExponential(2),
      },
    ]);
  } finally {
    await studio.remove();
    await rm(work, { recursive: true, force: true });
  }
}
