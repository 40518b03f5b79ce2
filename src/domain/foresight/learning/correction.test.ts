import { describe, expect, it } from 'vitest';
import { someFeatures } from '../../../../test/foretold.ts';
import { seededRandom } from '../../../../test/seeded-random.ts';
import { type Corrections, correctionOf, NO_RESIDUALS, type OwnRun, type RunGroup, sumUpResiduals } from './correction.ts';
import { featureKey } from './observed-run.ts';

const PRIOR = { memory: { low: 0.8, high: 1.25 }, time: { low: 0.5, high: 2 } };
const ASKED = { gpu: 'L4', kind: 'gpu', features: someFeatures() } as const;
const group = (over: Partial<RunGroup>): RunGroup => ({
  gpu: 'L4',
  stack_version: 'torch 2.13.0',
  method: 'lora',
  memory: NO_RESIDUALS,
  time: NO_RESIDUALS,
  ...over,
});
const own = (over: Partial<OwnRun> = {}): OwnRun => ({
  gpu: 'L4',
  stack_version: 'torch 2.13.0',
  key: featureKey(someFeatures()),
  memory: null,
  time: null,
  memory_at_least: null,
  ...over,
});
const correct = (corrections: Partial<Corrections>, asked: Parameters<typeof correctionOf>[2] = ASKED) =>
  correctionOf(PRIOR, { groups: [], own: [], ...corrections }, asked);
const memoryOf = (residuals: number[], over: Partial<RunGroup> = {}) =>
  correct({ groups: [group({ memory: sumUpResiduals(residuals), ...over })] }).memory;
const times = (count: number, residual: number) => Array.from({ length: count }, () => residual);

describe('what runs say of the formula', () => {
  it('is the formula’s own interval where there are none, lopsided as it may be', () => {
    const lopsided = { memory: { low: 0.9, high: 1.6 }, time: { low: 0.5, high: 1.1 } };
    const { memory, time } = correctionOf(lopsided, { groups: [], own: [] }, ASKED);
    expect(memory).toMatchObject({ factor: 1, low: expect.closeTo(0.9, 6), high: expect.closeTo(1.6, 6), runs: 0, near: 0 });
    expect(time).toMatchObject({ factor: 1, low: expect.closeTo(0.5, 6), high: expect.closeTo(1.1, 6), same: false });
  });
  it('moves the figure towards what was measured, further with every run, and narrows the interval', () => {
    const learnt = [0, 1, 3, 14, 100].map((count) => memoryOf(times(count, Math.log(1.1))));
    const factors = learnt.map(({ factor }) => factor);
    const widths = learnt.map(({ low, high }) => high / low);
    expect(factors).toEqual(factors.toSorted((a, b) => a - b));
    expect(widths).toEqual(widths.toSorted((a, b) => b - a));
    expect(factors.at(-1)).toBeCloseTo(1.1, 2);
    expect(learnt[3]?.runs).toBe(14);
    expect(Math.log(widths[3] as number)).toBeLessThan(0.5 * Math.log(widths[0] as number));
  });
  it('is hardly moved by one failed measurement among four', () => {
    const sound = memoryOf([0.08, 0.1, 0.12, 0.1]);
    const spoilt = memoryOf([0.08, 0.1, 0.12, Math.log(20)]);
    expect(spoilt.factor / sound.factor).toBeLessThan(1.03);
    expect(spoilt.high).toBeLessThan(1.3);
  });
  it('reaches no further by a single failed measurement than the formula holds for possible', () => {
    expect(memoryOf([Math.log(20)]).factor).toBeLessThan(1.4);
  });
  it('leans on other methods of the device less than on this one, and on other stacks less still', () => {
    const residuals = sumUpResiduals(times(50, Math.log(1.1)));
    const newest = group({ method: 'full' });
    const of = (over: Partial<RunGroup>) => correct({ groups: [newest, group({ memory: residuals, ...over })] }).memory;
    const alike = of({});
    const other_method = of({ method: 'qlora' });
    const other_stack = of({ stack_version: 'torch 2.6.0' });
    expect([alike.runs, alike.near]).toEqual([50, 0]);
    expect([other_method.runs, other_method.near]).toEqual([0, 50]);
    expect(alike.factor).toBeGreaterThan(other_method.factor);
    expect(other_method.factor).toBeGreaterThan(other_stack.factor);
    expect(other_stack.factor).toBeGreaterThan(1);
    const widths = [alike, other_method, other_stack].map(({ low, high }) => high / low);
    expect(widths).toEqual(widths.toSorted((a, b) => a - b));
  });
  it.each([1, 3, -1, -3])('moves memory by half at most and time by a factor of 20, however many say e^%i', (mean) => {
    const residuals = { runs: 200, mean, variance: 0.0001 };
    const { memory, time } = correct({ groups: [group({ memory: residuals, time: { ...residuals, mean: mean * 2 } })] });
    expect(Math.abs(Math.log(memory.factor))).toBeCloseTo(Math.log(1.5), 6);
    expect(Math.log(memory.high / memory.factor)).toBeLessThan(Math.log(1.25));
    expect(Math.abs(Math.log(time.factor))).toBeCloseTo(Math.min(Math.log(20), Math.abs(mean) * 2), 1);
  });
  it('says nothing of another device', () => {
    const elsewhere = correct({ groups: [group({ memory: sumUpResiduals(times(50, 0.3)), gpu: 'A100-80GB' })] });
    expect(elsewhere).toEqual(correct({}));
  });
});

describe('a run of one’s own that equals the question', () => {
  it('stands in the place of formula and groups, to the noise of a measurement', () => {
    const groups = [group({ memory: sumUpResiduals(times(50, 0)) })];
    const { memory, time } = correct({ groups, own: [own({ memory: Math.log(1.2), time: Math.log(0.7) })] });
    expect(memory).toMatchObject({ factor: expect.closeTo(1.2, 6), runs: 1, same: true });
    expect(memory.high / memory.low).toBeLessThan(1.06);
    expect(time).toMatchObject({ factor: expect.closeTo(0.7, 6), runs: 1, same: true });
  });
  it('repeats its time on a processor, which others use, far less closely than on a GPU', () => {
    const corrections = { groups: [], own: [own({ time: Math.log(0.237), memory: 0 })] };
    const [gpu, cpu] = (['gpu', 'cpu'] as const).map((kind) => correctionOf(PRIOR, corrections, { ...ASKED, kind }));
    expect(gpu?.time.high).toBeLessThan(0.27);
    for (const repeated of [0.243, 0.334, 0.324]) expect(cpu?.time.high).toBeGreaterThan(repeated);
    expect(cpu?.memory).toEqual(gpu?.memory);
  });
  it('is not bounded by what others may say', () => {
    expect(correct({ own: [own({ memory: 1 })] }).memory.factor).toBeCloseTo(Math.E, 6);
  });
  it('has the interval that several of its measurements differ by', () => {
    const { time } = correct({ own: [own({ time: 0 }), own({ time: 0.3 }), own({ time: 0.6 })] });
    expect(time.high / time.low).toBeGreaterThan(2);
    expect(time.runs).toBe(3);
  });
  it.each([
    ['another feature', own({ memory: 0.2, key: featureKey(someFeatures({ rank: 8 })) })],
    ['another device', own({ memory: 0.2, gpu: 'A100-80GB' })],
    ['a stack that the device has no more', own({ memory: 0.2, stack_version: 'torch 2.6.0' })],
  ])('is none with %s', (_, run) => {
    const groups = [group({})];
    expect(correct({ groups, own: [run] })).toEqual(correct({ groups }));
  });
  it('that went out of memory is what the figure lies above, and is not averaged in', () => {
    const bounded = correct({ own: [own({ memory_at_least: Math.log(1.1) })] }).memory;
    expect(bounded).toMatchObject({ low: expect.closeTo(1.1, 6), factor: expect.closeTo(1.1, 6), runs: 0, same: false });
    expect(bounded.high).toBeGreaterThan(1.25);
    expect(correct({ own: [own({ memory_at_least: Math.log(0.5) })] })).toEqual(correct({}));
  });
});

type Draw = () => number;

/** Standard deviation 1, mean 0, each of its own shape. */
function noises(random: Draw): Record<string, Draw> {
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const laplace = () => {
    const u = random() - 0.5;
    return (-Math.sign(u) * Math.log(1 - 2 * Math.abs(u))) / Math.SQRT2;
  };
  // Student's with 5 degrees of freedom, whose variance is 5/3.
  const heavy = () => {
    const squares = Array.from({ length: 5 }, () => normal() ** 2).reduce((sum, square) => sum + square, 0);
    return normal() / Math.sqrt(squares / 5) / Math.sqrt(5 / 3);
  };
  return {
    normal,
    laplace,
    heavy,
    uniform: () => (random() - 0.5) * Math.sqrt(12),
    lopsided: () => -Math.log(1 - random()) - 1,
    'with failed measurements': () => (random() < 0.02 ? 10 : normal()),
  };
}

/** How often the interval of 90 % has the next run in it, over many installations of which each has its own bias. */
function coverageOf(noise: Draw, bias: Draw, scatter: number, count: number): number {
  const worlds = 3000;
  let covered = 0;
  for (let world = 0; world < worlds; world++) {
    const shift = bias();
    const draw = () => shift + scatter * noise();
    const { low, high } = memoryOf(Array.from({ length: count }, draw));
    const next = Math.exp(draw());
    if (next >= low && next <= high) covered += 1;
  }
  return covered / worlds;
}

describe('of runs to come, nine of ten lie in the interval, and never fewer than 85 % of them', () => {
  // The prior says ±25 % for nine of ten: a standard deviation of 0.136 of both bias and scatter together.
  const whole = Math.log(1.25) / 1.645;
  for (const [share_name, share] of [
    ['two thirds bias', Math.sqrt(2 / 3)],
    ['half bias, half scatter', Math.SQRT1_2],
    ['nearly all of it bias', 0.98],
    ['nearly all of it scatter', 0.3],
  ] as const) {
    for (const name of Object.keys(noises(Math.random))) {
      it.each([0, 1, 3, 14, 100])(`${share_name}, ${name}, after %i runs`, (count) => {
        const random = seededRandom(count + 7);
        const { normal, [name]: noise } = noises(random) as { normal: Draw } & Record<string, Draw>;
        const covered = coverageOf(noise as Draw, () => share * whole * normal(), Math.sqrt(1 - share ** 2) * whole, count);
        expect(covered).toBeGreaterThanOrEqual(0.85);
      });
    }
  }
});
