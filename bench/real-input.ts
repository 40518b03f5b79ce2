import { execFileSync, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { printFigures } from './figures.ts';

const REPO = join(import.meta.dirname, '..');
const PYTHON = join(REPO, 'trainer/.venv/bin/python');
const GSM8K = process.env.GSM8K_FILE ?? join(REPO, '../shared/data/gsm8k/train.jsonl');
const SEEDS = [1, 2, 3, 4, 5];
const STEPS = 40;
const RATE = 1e-3;

/** A complete configuration of one run of the trainer on the mapped real rows. */
function configOf(folder: string, model: string, run: { seed: number; learning_rate: number; max_steps: number }) {
  return {
    protocol: 1,
    job_id: '00000000-0000-4000-8000-00000000000a',
    attempt: 1,
    dataset_path: GSM8K,
    dataset: {
      format: 'prompt_completion',
      container: 'jsonl',
      mapping: { prompt: 'question', completion: 'answer' },
      invalid_rows: 'refuse',
      // The split has a seed of its own: every run holds the same 64 rows out.
      splits: { eval_rows: 64, seed: 42 },
    },
    base_model: { id: 'bench/random-135m', path: model, revision: null },
    model_kind: 'causal-lm',
    method: 'lora',
    training_params: {
      learning_rate: run.learning_rate,
      lr_schedule: 'cosine',
      warmup_steps: 1,
      batch_size: 8,
      grad_accum: 1,
      epochs: null,
      max_steps: run.max_steps,
      lora_rank: 8,
      lora_alpha: 16,
      lora_dropout: 0.05,
      target_modules: 'all-linear',
      max_seq_length: 512,
      precision: 'fp32',
      seed: run.seed,
      packing: false,
      gradient_checkpointing: false,
      weight_decay: 0,
      max_grad_norm: 1,
      optimizer: 'adamw',
      logging_steps: 1,
    },
    trigger_words: [],
    eval: { interval_steps: 0, at_start: run.learning_rate > 0, rows_max: 64 },
    checkpoint_interval: 0,
    checkpoints_kept: 1,
    sample_prompts: [],
    sample_max_new_tokens: 1,
    job_folder: folder,
    resume_from: null,
    init_adapters: [],
    devices: 1,
    strategy: 'none',
    device: 'cpu',
    output_path: join(folder, 'outputs'),
    export: ['safetensors'],
  };
}

/** Trains once; the evaluation losses in the order in which they were told. */
async function evalLosses(
  folder: string,
  model: string,
  run: { seed: number; learning_rate: number; max_steps: number },
): Promise<number[]> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, 'outputs'), { recursive: true, mode: 0o700 });
  const path = join(folder, 'config.json');
  await writeFile(path, JSON.stringify(configOf(folder, model, run)));
  const child = spawn(PYTHON, ['train_lora.py', '--config', path], {
    cwd: join(REPO, 'trainer'),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(`the trainer ended with ${code}`);
  const lines = (await readFile(join(folder, 'outputs', 'events.jsonl'), 'utf8')).trim().split('\n');
  return lines
    .map((line) => JSON.parse(line) as { eval_loss?: number })
    .flatMap((event) => (event.eval_loss === undefined ? [] : [event.eval_loss]));
}

/**
 * Learning on real rows with a randomly initialised model of SmolLM-135M's shape: the fall of the evaluation loss on 64 held-out rows
 * against the spread of five seeds at learning rate 0, and the recorded loss found again by a fresh process.
 */
export async function benchRealInput(): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'lowrank-bench-real-'));
  try {
    const model = join(work, 'model');
    execFileSync(
      PYTHON,
      ['tests/tiny_model.py', '--shape', 'smollm-135m', '--tokenizer', join(REPO, 'demo/model'), '--out', model],
      {
        cwd: join(REPO, 'trainer'),
        stdio: 'inherit',
      },
    );
    const still: number[] = [];
    for (const seed of SEEDS) {
      const losses = await evalLosses(join(work, `seed-${seed}`), model, { seed, learning_rate: 0, max_steps: 1 });
      still.push(losses.at(-1) ?? Number.NaN);
      console.log(`learning rate 0, seed ${seed}: ${still.at(-1)}`);
    }
    const run = join(work, 'run');
    const losses = await evalLosses(run, model, { seed: 42, learning_rate: RATE, max_steps: STEPS });
    const [first, last] = [losses[0] ?? Number.NaN, losses.at(-1) ?? Number.NaN];
    const again = execFileSync(PYTHON, ['-m', 'lora_trainer.verify', '--config', join(run, 'config.json'), '--eval'], {
      cwd: join(REPO, 'trainer'),
      encoding: 'utf8',
    });
    const { eval_loss } = JSON.parse(again) as { eval_loss: number };
    const spread = Math.max(...still) - Math.min(...still);
    printFigures(`Real rows (gsm8k), randomly initialised model of SmolLM-135M's shape, ${STEPS} steps at ${RATE}`, [
      { what: 'evaluation loss on 64 held-out rows, before → after', value: `${first.toFixed(4)} → ${last.toFixed(4)}` },
      {
        what: `fall / spread of ${SEEDS.length} seeds at learning rate 0`,
        value: `${(first - last).toFixed(4)} / ${spread.toExponential(2)}`,
      },
      { what: 'verdict: fall > 3 × spread', value: first - last > 3 * spread ? 'met' : 'missed' },
      {
        what: 'fresh process, base + adapter: difference to the recorded loss',
        value: Math.abs(eval_loss - last).toExponential(2),
      },
    ]);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
