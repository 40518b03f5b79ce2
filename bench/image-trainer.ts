import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';
import { env } from '#/env.ts';
import { median, printFigures } from './figures.ts';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const WARMUP = 3;
const TIMED = Number(process.env.BENCH_STEPS ?? 10);
const STEPS = WARMUP + TIMED;
const RUN_MS = 3_600_000;

/** What is asked of both, in our words; whatever is left out is the same default in both (AdamW, constant rate, clipped at 1). */
interface Settings {
  device: 'cpu' | 'cuda';
  shape: 'half' | 'whole';
  resolution: number;
  precision: 'fp32' | 'bf16';
  gradient_checkpointing: boolean;
}
const ON_CPU: Settings[] = [{ device: 'cpu', shape: 'half', resolution: 256, precision: 'fp32', gradient_checkpointing: false }];
const ON_GPU: Settings[] = [false, true].map((gradient_checkpointing) => ({
  device: 'cuda',
  shape: 'whole',
  resolution: 1024,
  precision: 'bf16',
  gradient_checkpointing,
}));
const RANK = 16;
const BATCH = 1;

interface Measured {
  seconds: number;
  peak_mb: number;
  trained: number;
}
const Script = z.object({ seconds: z.array(z.number()), peak_mb: z.number(), trained: z.int() });
const Line = z.looseObject({ type: z.string() });
const Hello = z.looseObject({ trainable_parameters: z.int() });
const Probe = z.looseObject({ seconds_per_step: z.looseObject({ median: z.number() }) });
const Done = z.looseObject({ summary: z.looseObject({ peak_memory_mb: z.number() }) });

/** Both programs' environment: threads wait for each other in the same way, as lora_trainer/environment.py has it. */
const environment = (paths: string[]): NodeJS.ProcessEnv => ({
  ...process.env,
  PYTHONPATH: paths.map((path) => join(env.repo, path)).join(':'),
  HF_HUB_OFFLINE: '1',
  PYTORCH_ALLOC_CONF: 'expandable_segments:True',
  OMP_WAIT_POLICY: 'PASSIVE',
  GOMP_SPINCOUNT: '1000',
});

/** Runs one of our Python programs to its end and answers what it printed. Throws with its last words. */
async function python(args: string[], paths: string[]): Promise<string> {
  const options = { cwd: env.repo, env: environment(paths), timeout: RUN_MS, maxBuffer: 64 << 20 };
  return (await promisify(execFile)(env.python, args, options)).stdout;
}

const lastLine = (said: string): unknown => JSON.parse(said.trim().split('\n').at(-1) ?? '');

async function script(folder: string, settings: Settings): Promise<Measured> {
  const output = join(folder, randomUUID());
  const said = await python(
    [
      join(import.meta.dirname, 'diffusers_dreambooth.py'),
      ...['--pretrained_model_name_or_path', join(folder, 'base'), '--instance_data_dir', join(folder, 'pictures')],
      ...['--output_dir', output, '--steps', String(STEPS), '--resolution', String(settings.resolution)],
      ...['--device', settings.device, '--precision', settings.precision, '--rank', String(RANK)],
      ...['--train_batch_size', String(BATCH), ...(settings.gradient_checkpointing ? ['--gradient_checkpointing'] : [])],
    ],
    ['trainer'],
  );
  const { seconds, peak_mb, trained } = Script.parse(lastLine(said));
  return { seconds: median(seconds.slice(WARMUP)), peak_mb, trained };
}

/** Our trainer. `cached`: as it ships; else it decodes and encodes each image in each step. */
async function ours(folder: string, settings: Settings, cached: boolean): Promise<Measured> {
  const job_folder = join(folder, randomUUID());
  const output_path = join(job_folder, '1');
  await mkdir(output_path, { recursive: true, mode: 0o700 });
  const sample = JSON.parse(await readFile(join(env.repo, 'trainer/schema/samples/image-config.json'), 'utf8'));
  const config = {
    ...sample,
    dataset_path: join(folder, 'images.zip'),
    base_model: { id: 'bench/sdxl', path: join(folder, 'base'), revision: null },
    method: 'lora',
    training_params: {
      ...sample.training_params,
      batch_size: BATCH,
      lora_rank: RANK,
      lora_alpha: RANK,
      precision: settings.precision,
      gradient_checkpointing: settings.gradient_checkpointing,
      weight_decay: 1e-4,
      logging_steps: 10,
      max_steps: STEPS,
      resolution: settings.resolution,
      // The script cuts the square out of the middle.
      bucketing: false,
      min_snr_gamma: null,
      cache_latents: cached,
    },
    prior: null,
    instance_prompt: 'a photo of sks vase',
    sample_prompts: [],
    trigger_words: [],
    probe: { warmup_steps: WARMUP, timed_steps: TIMED, only: true },
    job_folder,
    output_path,
    device: settings.device,
  };
  await writeFile(join(output_path, 'config.json'), JSON.stringify(config));
  await python([join(env.repo, 'trainer/train_lora.py'), '--config', join(output_path, 'config.json')], ['trainer']);
  const events = (await readFile(join(output_path, 'events.jsonl'), 'utf8')).trim().split('\n');
  const told = (type: string) => events.map((line) => Line.parse(JSON.parse(line))).find((line) => line.type === type);
  return {
    seconds: Probe.parse(told('probe')).seconds_per_step.median,
    peak_mb: Done.parse(told('done')).summary.peak_memory_mb,
    trained: Hello.parse(told('hello')).trainable_parameters,
  };
}

const spread = (values: number[], digits: number): string => {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return `${median(values).toFixed(digits)} (${least.toFixed(digits)} to ${most.toFixed(digits)})`;
};

/**
 * Our image trainer beside the loop of diffusers' own DreamBooth-LoRA script on the same pipeline, pictures and settings: interleaved
 * rounds, each program a process of its own. The goal is a ratio of at most 1, in time and in memory.
 */
export async function benchImageTrainer(): Promise<void> {
  const has_gpu = (await python(['-c', 'import torch; print(torch.cuda.is_available())'], [])).trim() === 'True';
  const folder = await mkdtemp(join(tmpdir(), 'lowrank-bench-image-trainer-'));
  try {
    const every = has_gpu ? ON_GPU : ON_CPU;
    const made = await python(
      [join(import.meta.dirname, 'image_trainer.py'), folder, '--shape', every[0]?.shape ?? 'half'],
      ['trainer', 'demo'],
    );
    const { unet } = z.object({ unet: z.int() }).parse(lastLine(made));
    for (const settings of every) await compare(folder, settings, unet);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function compare(folder: string, settings: Settings, unet: number): Promise<void> {
  const sides = { script: [] as Measured[], encoding: [] as Measured[], shipped: [] as Measured[] };
  const loads: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    loads.push(loadavg()[0] ?? 0);
    const one = {
      script: await script(folder, settings),
      encoding: await ours(folder, settings, false),
      shipped: await ours(folder, settings, true),
    };
    if (new Set(Object.values(one).map(({ trained }) => trained)).size > 1)
      throw new Error(`They do not train the same: ${JSON.stringify(one)}`);
    for (const side of ['script', 'encoding', 'shipped'] as const) sides[side].push(one[side]);
    console.log(
      `round ${round + 1}/${ROUNDS}: ${Object.entries(one)
        .map(([side, { seconds, peak_mb }]) => `${side} ${seconds.toFixed(3)} s, ${peak_mb.toFixed(0)} MB`)
        .join('; ')}`,
    );
  }
  const ratios = (side: 'encoding' | 'shipped', of: 'seconds' | 'peak_mb') =>
    spread(
      sides[side].map((one, round) => one[of] / (sides.script[round]?.[of] ?? Number.NaN)),
      3,
    );
  const { device, resolution, precision, gradient_checkpointing } = settings;
  const words = [`${resolution} px`, precision, ...(gradient_checkpointing ? ['gradients checkpointed'] : []), device];
  const memory = device === 'cuda' ? 'allocator' : 'resident';
  printFigures(
    `Image trainer beside diffusers' DreamBooth-LoRA script: UNet of ${(unet / 1e6).toFixed(0)} M random weights, ${words.join(', ')}, ${ROUNDS} interleaved rounds of ${TIMED} timed steps, load ${Math.max(...loads).toFixed(1)}`,
    [
      {
        what: 'script: seconds a step',
        value: spread(
          sides.script.map(({ seconds }) => seconds),
          3,
        ),
      },
      { what: 'ours, each image encoded in each step as there: ratio of time', value: ratios('encoding', 'seconds') },
      { what: 'ours as it ships, latents cached: ratio of time', value: ratios('shipped', 'seconds') },
      {
        what: `script: peak memory (${memory}), MB`,
        value: spread(
          sides.script.map(({ peak_mb }) => peak_mb),
          0,
        ),
      },
      { what: 'ours, each image encoded in each step: ratio of memory', value: ratios('encoding', 'peak_mb') },
      { what: 'ours as it ships: ratio of memory', value: ratios('shipped', 'peak_mb') },
    ],
  );
}
