import { describe, expect, test } from 'vitest';
import { storedShapeOf } from '../../../test/stored-shape.ts';
import { factsOfGpu, findGpu, GPU_DEFAULTS } from '../gpu-catalog.ts';
import { HYPERPARAMETER_PRESETS } from '../hyperparameters.ts';
import { memoryFigures, UNKNOWN_MEMORY } from '../memory-figures.ts';
import { NO_WISHES } from '../training-spec.ts';
import { type ForeseeQuestion, foresee } from './foresee.ts';
import { FORMULAS, featureKey, StoredForecast } from './learning/observed-run.ts';
import { storeForecast } from './store-forecast.ts';
import { usableBytes } from './verdict.ts';

const OFFERS = GPU_DEFAULTS.map((entry) => ({ ...entry, count: 1, facts: factsOfGpu(entry) }));
const deviceOf = (name: string) => {
  const found = OFFERS.find(({ type }) => type === findGpu(GPU_DEFAULTS, name)?.type);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
};
const question = (
  gpu: string,
  { model = 'Llama-3.1-8B', ...fields }: Partial<Omit<ForeseeQuestion, 'model'>> & { model?: string } = {},
): ForeseeQuestion => ({
  spec: { method: 'lora', hyperparameters: { ...HYPERPARAMETER_PRESETS.balanced }, max_steps: null, run: NO_WISHES },
  dataset: {
    training_pairs: 1000,
    validation_pairs: 50,
    tokens: 600_000,
    bytes: 3_000_000,
    lengths: {
      max: 2000,
      buckets: [
        { up_to: 512, rows: 500 },
        { up_to: 1024, rows: 400 },
        { up_to: 2048, rows: 100 },
      ],
    },
    trained_share: 0.5,
  },
  model: { shape: storedShapeOf(model).shape, context_length: 131_072 },
  device: deviceOf(gpu),
  offers: OFFERS,
  corrections: { groups: [], own: [] },
  ...fields,
});
const hyper = (fields: Partial<ForeseeQuestion['spec']['hyperparameters']>, run = {}): ForeseeQuestion['spec'] => ({
  ...question('H100').spec,
  hyperparameters: { ...HYPERPARAMETER_PRESETS.balanced, ...fields },
  run: { ...NO_WISHES, ...run },
});

describe('a forecast', () => {
  test('has memory, time and cost within their intervals, and its plan the passes that it was made for', () => {
    const told = foresee(question('H200', { spec: hyper({ batch_size: 1 }) }));
    const { foreseen, hours, cost, plan, estimate } = told;
    expect(foreseen?.verdict).toBe('fits');
    expect(foreseen?.advice).toEqual([]);
    for (const range of [foreseen?.device_bytes, foreseen?.seconds_per_step, hours, cost]) {
      expect(range?.low).toBeLessThanOrEqual(range?.figure ?? 0);
      expect(range?.high).toBeGreaterThanOrEqual(range?.figure ?? Number.POSITIVE_INFINITY);
    }
    expect(plan).toMatchObject({ micro_batch: 1, grad_accum: 1, gradient_checkpointing: false, total_steps: 3000 });
    expect(foreseen?.run).toMatchObject({
      micro_batch: 1,
      seq_len: 2048,
      adapter: { rank: 16, dtype: 'fp32' },
      precision: 'bf16',
    });
    expect(estimate.duration_hours).toBe(hours.figure);
    expect(cost.figure).toBe(estimate.cost.total);
    expect(estimate.training_hours).toBeCloseTo((3000 * (foreseen?.seconds_per_step.figure ?? 0)) / 3600, 9);
  });

  test('splits a step or checkpoints where it would not fit, and changes neither rows a step nor steps', () => {
    const wide = foresee(question('H200', { spec: hyper({ batch_size: 16 }) }));
    const narrow = foresee(question('A100-40GB', { spec: hyper({ batch_size: 16 }) }));
    expect(narrow.foreseen?.verdict).toBe('fits');
    expect(narrow.plan.micro_batch * narrow.plan.grad_accum).toBe(16);
    expect([narrow.plan.gradient_checkpointing || narrow.plan.micro_batch < 16, narrow.plan.total_steps]).toEqual([
      true,
      wide.plan.total_steps,
    ]);
    expect(narrow.foreseen?.run).toMatchObject({
      micro_batch: narrow.plan.micro_batch,
      gradient_checkpointing: narrow.plan.gradient_checkpointing,
    });
  });

  test('of several devices shares the batch among them, by parts of the model only where it fits none of them', () => {
    const one = foresee(question('H100', { spec: hyper({ batch_size: 16 }) }));
    const on = (count: number, gpu = 'H100', fields = {}, run = {}) =>
      foresee(question(gpu, { spec: hyper({ batch_size: 16, ...fields }, run), device: { ...deviceOf(gpu), count } }));
    const four = on(4);
    expect(four.plan).toMatchObject({ devices: 4, strategy: 'ddp', total_steps: one.plan.total_steps });
    expect(four.plan.micro_batch * four.plan.grad_accum * 4).toBe(16);
    expect(four.foreseen?.run).toMatchObject({ gpus: 4, strategy: 'ddp', micro_batch: four.plan.micro_batch });
    expect(four.foreseen?.seconds_per_step.figure).toBeLessThan(one.foreseen?.seconds_per_step.figure ?? 0);
    expect(on(1, 'H100', {}, { strategy: 'fsdp' }).plan).toMatchObject({ devices: 1, strategy: 'none' });
    expect(on(2, 'H100', {}, { strategy: 'fsdp' }).plan).toMatchObject({ devices: 2, strategy: 'fsdp' });
    const large = foresee({
      ...question('H100', { spec: hyper({ batch_size: 8 }), device: { ...deviceOf('H100'), count: 8 } }),
      model: { shape: storedShapeOf('Llama-3.1-70B').shape, context_length: 131_072 },
    });
    expect(large.plan).toMatchObject({ devices: 8, strategy: 'fsdp' });
    expect(large.foreseen?.verdict).not.toBe('will_not_fit');
    expect(on(3).assumptions).toContainEqual(expect.stringMatching(/16 rows does not divide among 3 GPUs: take 2, or/));
  });

  test('counts with the longest row that is there, not with the longest that there could be', () => {
    const short = question('H200');
    short.dataset.lengths = { max: 300, buckets: [{ up_to: 512, rows: 1000 }] };
    const uncounted = question('H200');
    uncounted.dataset.lengths = null;
    const [a, b] = [foresee(short), foresee(uncounted)];
    expect([a.foreseen?.run.seq_len, b.foreseen?.run.seq_len]).toEqual([320, 2048]);
    expect(a.foreseen?.device_bytes.figure).toBeLessThan(b.foreseen?.device_bytes.figure ?? 0);
    expect(b.assumptions).toContainEqual(
      expect.stringMatching(/tokens are not counted: time goes by the size of the file, memory by a row of 2048 tokens/),
    );
  });

  test('of rows that nobody counted goes by the size of the file, with a wider interval', () => {
    const counted = question('H200', { spec: hyper({ batch_size: 1 }) });
    const uncounted = structuredClone(counted);
    // 1050 rows of 571 tokens, as the report would have counted them.
    Object.assign(uncounted.dataset, { lengths: null, bytes: 4 * 600_000 });
    const longer = structuredClone(uncounted);
    longer.dataset.bytes *= 2;
    const [known, guessed, twice] = [counted, uncounted, longer].map((one) => {
      const told = foresee(one).foreseen?.seconds_per_step;
      if (told === undefined) throw new Error('nothing was foretold');
      return told;
    });
    expect((guessed?.figure ?? 0) / (known?.figure ?? 1)).toBeCloseTo(1, 0);
    expect(twice?.figure).toBeGreaterThan(guessed?.figure ?? Number.POSITIVE_INFINITY);
    const width = (range: typeof known) => (range?.high ?? 0) / (range?.low ?? 1);
    expect(width(guessed) / width(known)).toBeGreaterThan(1.5);
  });

  test('of a model or a device that nothing is known of makes nothing up', () => {
    const known = question('H100');
    for (const unknown of [
      { ...known, model: { shape: null, context_length: null } },
      { ...known, device: { ...known.device, facts: null } },
      { ...known, spec: { ...known.spec, method: 'dreambooth' as const } },
    ]) {
      const told = foresee(unknown);
      expect(told.foreseen).toBeNull();
      expect(memoryFigures(told)).toEqual(UNKNOWN_MEMORY);
      expect(storeForecast(told)).toBeNull();
      expect(told.estimate.tokens_per_second).toBe(2200);
      expect(told.hours.low).toBe(told.hours.high);
    }
  });

  test('goes in the same passes after a run of its own that was far slower and smaller than foretold', () => {
    const asked = question('L40S', { model: 'Llama-3.2-1B', spec: hyper({ batch_size: 4 }) });
    const before = foresee(asked);
    if (before.foreseen === null) throw new Error('the scene needs a known model');
    const key = featureKey(before.foreseen.features);
    const measured = { gpu: 'L40S', stack_version: 'v', key, memory: -0.5, time: 1.2, memory_at_least: null };
    const after = foresee({ ...asked, corrections: { groups: [], own: [measured] } });
    expect(after.foreseen?.correction.time.same).toBe(true);
    expect(after.plan).toEqual(before.plan);
  });

  test('tells what a change makes of a run that was measured as of one that was not', () => {
    const asked = question('A100-80GB', { model: 'Llama-3.1-70B' });
    const before = foresee(asked).foreseen;
    if (before === null) throw new Error('the scene needs a known model');
    const measured = {
      gpu: 'A100-80GB',
      stack_version: 'v',
      key: featureKey(before.features),
      memory: 0.3,
      time: 1.2,
      memory_at_least: null,
    };
    const after = foresee({ ...asked, corrections: { groups: [], own: [measured] } }).foreseen;
    const factorsOf = (told: typeof before | null | undefined) =>
      Object.fromEntries((told?.advice ?? []).map(({ changes, time_factor }) => [JSON.stringify(changes), time_factor]));
    expect(after?.correction.time.same).toBe(true);
    expect(before.advice.length).toBeGreaterThan(0);
    expect(factorsOf(after)).toEqual(factorsOf(before));
  });

  test('is moved and narrowed by runs, and says by how many', () => {
    const asked = question('L40S', { model: 'Llama-3.2-1B' });
    const prior = foresee(asked);
    const residuals = { runs: 30, mean: 0.1, variance: 0.0004 };
    const group = { gpu: 'L40S', stack_version: 'v', method: 'lora' as const, memory: residuals, time: residuals };
    const learnt = foresee({ ...asked, corrections: { groups: [group], own: [] } });
    expect(learnt.evidence.runs).toBe(30);
    const [before, after] = [prior.foreseen?.device_bytes, learnt.foreseen?.device_bytes];
    expect(after?.figure).toBeGreaterThan(1.05 * (before?.figure ?? 0));
    expect((after?.high ?? 0) / (after?.low ?? 1)).toBeLessThan((before?.high ?? 0) / (before?.low ?? 1));
  });

  test('is tight at most by runs out of memory and by what others’ runs say, and refused by a measurement of its own', () => {
    const asked = question('L4', { model: 'Llama-3.2-1B', spec: hyper({ batch_size: 1 }) });
    const told = (corrections: ForeseeQuestion['corrections']) => foresee({ ...asked, corrections }).foreseen;
    const ran = (figures: { memory: number | null; memory_at_least: number | null }) => (judged: ReturnType<typeof told>) => {
      if (judged === null) throw new Error('the scene needs a known model');
      return { gpu: 'L4', stack_version: 'v', key: featureKey(judged.features), time: null, ...figures };
    };
    const whole = ran({ memory: null, memory_at_least: 3 });
    const [first, second] = [told({ groups: [], own: [] }), told({ groups: [], own: [whole(told({ groups: [], own: [] }))] })];
    expect([first?.verdict, second?.features.gradient_checkpointing]).toEqual(['fits', true]);
    const locked = told({ groups: [], own: [whole(first), whole(second)] });
    expect(locked?.verdict).toBe('tight');
    expect(locked?.device_bytes.low).toBeLessThanOrEqual(locked?.device_bytes.figure ?? 0);
    const residuals = { runs: 200, mean: 3, variance: 0.0001 };
    const groups = [{ gpu: 'L4', stack_version: 'v', method: 'lora' as const, memory: residuals, time: residuals }];
    expect(told({ groups, own: [] })?.verdict).not.toBe('will_not_fit');
    const facts = asked.device.facts && { ...asked.device.facts, memory_bytes: 1.05 * (second?.memory.high_bytes ?? 0) };
    const close = { ...asked, device: { ...asked.device, facts } };
    const others = foresee({ ...close, corrections: { groups, own: [] } }).foreseen;
    expect([foresee(close).foreseen?.verdict, others?.verdict]).toEqual(['fits', 'tight']);
    const measured = ran({ memory: 3, memory_at_least: null });
    expect(told({ groups: [], own: [measured(first), measured(second)] })?.verdict).toBe('will_not_fit');
  });

  test('is stored in the form that runs are held against', () => {
    const told = foresee(question('L40S', { model: 'Llama-3.2-1B' }));
    const stored = StoredForecast.parse(storeForecast(told));
    expect(stored).toMatchObject({ formulas: FORMULAS, gpu: 'L40S', features: { family: 'llama', method: 'lora', rank: 16 } });
    expect(stored.device_bytes.formula).toBe(told.foreseen?.memory.device_bytes);
    expect(featureKey(stored.features)).toMatch(/^[0-9a-f]{16}$/);
  });
});

describe('advice', () => {
  const told = foresee(question('RTX-4090'));

  test('stands where it does not surely fit, first what can be had and makes it fit', () => {
    expect(told.foreseen?.verdict).not.toBe('fits');
    const advice = told.foreseen?.advice ?? [];
    expect(advice.length).toBeGreaterThan(0);
    const places = advice.map(({ available, verdict }) => (available ? 0 : 2) + (verdict === 'fits' ? 0 : 1));
    expect(places).toEqual(places.toSorted());
    expect(advice[0]).toMatchObject({ available: true, verdict: 'fits' });
  });

  test('of another device is the cheapest of the catalogue that it fits on', () => {
    const gpu = told.foreseen?.advice.find(({ changes }) => changes[0]?.field === 'gpu');
    const cheaper = OFFERS.filter(({ hourly_rate }) => hourly_rate < deviceOf(String(gpu?.changes[0]?.value)).hourly_rate);
    for (const device of cheaper) expect(foresee({ ...question('H100'), device }).foreseen?.verdict).not.toBe('fits');
    expect(foresee({ ...question('H100'), device: deviceOf(String(gpu?.changes[0]?.value)) }).foreseen?.verdict).toBe('fits');
  });

  test('of several devices tells its time by the row, for each takes a batch of its own', () => {
    const advice = foresee(question('T4')).foreseen?.advice.filter(({ changes }) => changes[0]?.field === 'gpus') ?? [];
    expect(advice.length).toBeGreaterThan(0);
    for (const { changes, time_factor } of advice) {
      expect(time_factor).toBeLessThan(1);
      expect(time_factor).toBeGreaterThan(1 / Number(changes[0]?.value));
    }
  });

  test('of shorter rows says what of the tokens is lost, and comes true', () => {
    const asked = question('L40S', { spec: hyper({ batch_size: 1 }, { max_seq_length: 100_000 }) });
    asked.dataset.lengths = {
      max: 60_000,
      buckets: [
        { up_to: 2048, rows: 900 },
        { up_to: 65_536, rows: 100 },
      ],
    };
    const shorter = foresee(asked).foreseen?.advice.find(({ changes }) => changes[0]?.field === 'max_seq_length');
    expect(shorter?.tokens_lost).toBeGreaterThan(0.1);
    expect(shorter?.sentence).toMatch(/Rows of at most \d+ tokens, which cuts off [\d.]+ % of the tokens: [\d.]+ GB less/);
    const taken = { ...asked, spec: hyper({ batch_size: 1 }, { max_seq_length: Number(shorter?.changes[0]?.value) }) };
    expect(foresee(taken).foreseen?.verdict).toBe(shorter?.verdict);
  });

  test('says of what the trainer lacks that it does', () => {
    const lacking = told.foreseen?.advice.filter(({ available }) => !available) ?? [];
    expect(lacking.map(({ changes }) => changes[0]?.field)).toContain('quantization');
    for (const { sentence } of lacking) expect(sentence).toMatch(/does not do that yet\)\.$/);
  });

  test('becomes an error where even the 5th percentile is more than the device has', () => {
    const huge = foresee(question('T4', { model: 'Llama-3.1-70B' }));
    const figures = memoryFigures(huge);
    expect(figures.verdict).toBe('will_not_fit');
    expect(figures.interval_mb?.low).toBeGreaterThan(usableBytes(deviceOf('T4').facts ?? { memory_bytes: 0 }) / 1e6);
    expect(figures.errors).toEqual([
      expect.stringMatching(/^It does not fit: \d+ GB to \d+ GB on each T4, which has 15\.6 GB\./),
    ]);
  });
});
