import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { CURVE_POINTS_MIN, METRIC_FIGURES, type MetricFigure } from '#/domain/metric-figures.ts';
import type { Context } from '#/services/context.ts';
import { useDatabase } from '../../../test/database.ts';
import { addJob, addPerson } from '../../../test/factories.ts';
import { type MetricRow, readMetrics } from './read-metrics.ts';

const db = useDatabase();
let owner: Context;
let job: string;
beforeAll(async () => {
  owner = { user_id: await addPerson(db), role: 'user' };
  job = await addJob(db, owner.user_id, { status: 'running' });
});

type Told = Partial<Record<MetricFigure, number | null>> & { extra?: Record<string, unknown> };

/** Stores the points of one attempt in place of all that the job has, one a step. */
async function store(points: Told[]): Promise<void> {
  await db.asOwner('DELETE FROM lowrank.metrics_points WHERE job_id = $1', [job]);
  await db.asOwner(
    `INSERT INTO lowrank.metrics_points (job_id, user_id, attempt, seq, step, timestamp, extra, ${METRIC_FIGURES.join(', ')})
     SELECT $1, $2, 1, p.n, p.n, now(), p.extra, ${METRIC_FIGURES.map((name) => `p.${name}`).join(', ')}
     FROM jsonb_to_recordset($3) AS p(n integer, extra jsonb, ${METRIC_FIGURES.map((name) => `${name} real`).join(', ')})`,
    [job, owner.user_id, JSON.stringify(points.map((point, at) => ({ n: at + 1, ...point })))],
  );
}

const thinned = (points: number) => readMetrics(owner, job, { from: 0, points });

function edges(points: readonly (MetricRow | Told)[], name: MetricFigure): (number | undefined)[] {
  // As a column of four bytes holds them.
  const values = points.flatMap((point) => point[name] ?? []).map(Math.fround);
  return [Math.min(...values), Math.max(...values)];
}

const isGap = (point: MetricRow | Told) => (point.loss == null && point.eval_loss == null) || point.extra?.nonfinite === true;

const figure = fc.option(
  fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value)),
  { freq: 8 },
);
const point: fc.Arbitrary<Told> = fc.oneof(
  { weight: 12, arbitrary: fc.record(Object.fromEntries(METRIC_FIGURES.map((name) => [name, figure]))) },
  { weight: 4, arbitrary: fc.record({ loss: figure, learning_rate: figure, peak_memory_mb: fc.constant(512) }) },
  { weight: 2, arbitrary: fc.record({ eval_loss: figure, extra: fc.constant({ eval_seconds: 1 }) }) },
  { weight: 1, arbitrary: fc.constant({ loss: null, extra: { nonfinite: true } }) },
);

describe('a thinned curve', () => {
  test('has at most as many points as were asked for, in order, with both ends and every figure’s lowest and highest', async () => {
    const curve = fc.array(point, { minLength: 1, maxLength: 400, size: 'max' });
    const asked = fc.integer({ min: CURVE_POINTS_MIN, max: 200 });
    await fc.assert(
      fc.asyncProperty(curve, asked, async (whole, points) => {
        await store(whole);
        const told = await thinned(points);
        expect(told.total).toBe(whole.length);
        expect(told.points.length).toBeLessThanOrEqual(points);
        if (whole.length <= points) expect(told.points).toHaveLength(whole.length);
        const steps = told.points.map(({ step }) => step);
        expect(steps).toEqual(steps.toSorted((a, b) => a - b));
        expect([steps[0], steps.at(-1)]).toEqual([1, whole.length]);
        for (const name of METRIC_FIGURES) expect([name, edges(told.points, name)]).toEqual([name, edges(whole, name)]);
        expect(told.points.some(isGap)).toBe(whole.some(isGap));
      }),
      { numRuns: 60 },
    );
  });

  test('keeps a peak of each figure, every evaluation and each stretch of gaps, wherever they are', async () => {
    const whole: Told[] = Array.from({ length: 5_000 }, (_, at) =>
      Object.fromEntries(METRIC_FIGURES.filter((name) => name !== 'eval_loss').map((name) => [name, Math.sin(at / 100)])),
    );
    METRIC_FIGURES.forEach((name, at) => {
      whole[1_000 + at] = { ...whole[1_000 + at], [name]: 99 + at };
      whole[3_000 + at] = { ...whole[3_000 + at], [name]: -99 - at };
    });
    for (let at = 0; at < 40; at++) whole[at * 120 + 60] = { eval_loss: at, extra: { eval_seconds: 2 } };
    for (const at of [2_000, 2_001, 4_100]) whole[at] = { loss: null, grad_norm: null, extra: { nonfinite: true } };
    await store(whole);
    const { points, total } = await thinned(300);
    expect([total, points.length <= 300]).toEqual([5_000, true]);
    for (const name of METRIC_FIGURES) expect([name, edges(points, name)]).toEqual([name, edges(whole, name)]);
    expect(points.filter(({ extra }) => extra?.eval_seconds === 2).map(({ eval_loss }) => eval_loss)).toEqual(
      Array.from({ length: 40 }, (_, at) => at),
    );
    expect(points.filter(({ extra }) => extra?.nonfinite === true).map(({ step }) => step)).toEqual([2_001, 2_002, 4_101]);
    // And it is a curve, not its peaks alone: no long stretch is empty.
    const steps = points.map(({ step }) => step);
    expect(Math.max(...steps.map((step, at) => step - (steps[at - 1] ?? 0)))).toBeLessThan(1_000);
  });

  test('stays within its bound where every point is an evaluation or a gap', async () => {
    await store(Array.from({ length: 3_000 }, (_, at) => ({ eval_loss: (at * 7) % 1_000 })));
    const evaluations = await thinned(CURVE_POINTS_MIN);
    expect([evaluations.points.length <= CURVE_POINTS_MIN, edges(evaluations.points, 'eval_loss')]).toEqual([true, [0, 999]]);
    await store(Array.from({ length: 3_000 }, () => ({ loss: null, extra: { nonfinite: true } })));
    const { points } = await thinned(CURVE_POINTS_MIN);
    expect([points.length <= CURVE_POINTS_MIN, points.every(isGap), points.at(-1)?.step]).toEqual([true, true, 3_000]);
  });
});
