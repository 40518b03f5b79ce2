/** Forecasts and what came of them, made up in the API's own types. */
import type { components } from '#/contract/api.gen.ts';
import type { TrainingJob } from '#/contract/jobs.ts';
import { seededRandom } from '../seeded-random.ts';

type Schemas = components['schemas'];
const STACK = 'torch 2.13, transformers 5.23, peft 0.21, trainer 0.1.0';
const RUNS = 24;

/** Of a job whose memory lay in its interval and whose time did not. */
export function madeUpForecast(): Pick<TrainingJob, 'forecast' | 'measured' | 'hourly_rate'> {
  const learnt = { formula: 8e9, runs: 14, near: 2, same: false };
  return {
    hourly_rate: 0.8,
    forecast: {
      formulas: 1,
      gpu: 'L4',
      allocator_bytes: 7.4e9,
      device_bytes: { figure: 8.2e9, low: 7.9e9, high: 8.6e9, ...learnt },
      seconds_per_step: { figure: 0.52, low: 0.47, high: 0.58, formula: 0.5, runs: 1, near: 0, same: true },
      hours: { figure: 0.25, low: 0.22, high: 0.28 },
      cost: { figure: 0.2, low: 0.18, high: 0.23 },
    },
    measured: {
      attempt: 1,
      step: 8,
      warmup_steps: 3,
      timed_steps: 5,
      seconds_per_step: { median: 0.66, low: 0.64, high: 0.7 },
      tokens_per_step: 1620,
      padded_tokens_per_step: 1792,
      trained_tokens_per_step: 812,
      tokens_per_second: 2454,
      mean_tokens_per_step: 1600,
      expected_seconds_per_step: 0.66,
      longest_pass_tokens: 4096,
      peak_allocated_mb: 7120,
      peak_reserved_mb: 7300,
      device_memory_mb: 8100,
    },
  };
}

function compared(figure: number, ratio: number): Schemas['Compared'] {
  const [low, high] = [figure * 0.92, figure * 1.12];
  const measured = figure * ratio;
  return { figure, low, high, measured, covered: measured >= low && measured <= high };
}

/** A page of runs from one to seventy GB, two of which lay outside; none by a method that nobody used. */
export function madeUpAccuracy(method: string | null) {
  const random = seededRandom(7);
  const points = Array.from({ length: RUNS }, (_, at): Schemas['AccuracyPoint'] => {
    const id = `5f2b8c1e-0d43-4a86-9f0e-${String(at).padStart(12, '0')}`;
    const ratio = at % 12 === 5 ? 1.22 : 0.95 + 0.12 * random();
    return {
      id,
      job: at === 3 ? null : { id, name: `Answers ${at + 1}` },
      outcome: 'completed',
      gpu: at % 3 === 0 ? 'A100-80GB' : 'L4',
      stack_version: STACK,
      method: at % 4 === 0 ? 'qlora' : 'lora',
      memory: compared(1.4e9 * 1.18 ** at, ratio),
      memory_at_least: null,
      seconds_per_step: compared(0.08 * 1.25 ** at, 0.9 + 0.2 * random()),
      hours: compared(0.5, 1),
      cost: compared(0.4, 1),
      created_at: new Date(Date.now() - at * 7_200_000).toISOString(),
    };
  });
  const figures = (runs: number, covered: number, scale: number): Schemas['AccuracyFigures'] => ({
    runs,
    covered,
    median_error: 0.021 * scale,
    p95_error: 0.08 * scale,
    worst_error: 0.22 * scale,
  });
  const kind = (gpu: string, used: Schemas['AccuracyGroup']['method']) => ({ gpu, stack_version: STACK, method: used });
  const groups: Schemas['AccuracyGroup'][] = [
    { ...kind('L4', 'lora'), memory: figures(14, 13, 1), time: figures(14, 12, 2) },
    { ...kind('A100-80GB', 'qlora'), memory: figures(24, 22, 1.5), time: figures(24, 21, 3) },
  ];
  const shown = method === null || method === 'lora';
  return {
    points: shown ? points : [],
    groups: shown ? groups : [],
    gpus: ['A100-80GB', 'L4'],
    total: shown ? RUNS : 0,
    total_is_estimate: false,
    limit: 50,
    offset: 0,
    next_cursor: null,
  };
}
