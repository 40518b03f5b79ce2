import { describe, expect, test } from 'vitest';
import { brokenInvariants } from '../../../test/invariants.ts';
import { batch, db, job, line, metric, run } from '../../../test/run-scene.ts';
import { settleRun } from './finish-run.ts';
import { recordTrainerEvents } from './record-trainer-events.ts';

const points = () => db.asOwner('SELECT seq, step, loss, learning_rate, extra FROM lowrank.metrics_points ORDER BY seq');

describe('lines of a trainer', () => {
  test('become points, events and progress, once', async () => {
    const lines = [
      line(1, { type: 'stage', stage: 'training' }),
      metric(2, 1, { learning_rate: 0.5 }),
      line(3, { type: 'progress', step: 6, total_steps: 12, epoch: 0.5, eta_seconds: 60 }),
      line(4, { type: 'warning', code: 'note', message: 'words' }),
    ];
    const stored = await recordTrainerEvents(run, batch(0, 100, lines));
    expect(stored).toMatchObject({ offset: 100, wish: null, progress: { stage: 'training', step: 6 } });
    expect(await points()).toEqual([{ seq: 2, step: 1, loss: 1.5, learning_rate: 0.5, extra: null }]);
    expect(await job()).toMatchObject({
      current_stage: 'training',
      current_step: 6,
      progress: 50,
      current_metrics: { loss: 1.5, learning_rate: 0.5 },
    });
    const events = await db.asOwner(
      "SELECT type, message, trainer_seq FROM lowrank.job_events WHERE type <> 'state' ORDER BY seq",
    );
    expect(events).toEqual([
      { type: 'stage', message: 'training', trainer_seq: 1 },
      { type: 'warning', message: 'words', trainer_seq: 4 },
    ]);
    expect(await brokenInvariants(db, [])).toEqual([]);
  });

  describe('of its first steps', () => {
    const probe = (seq: number, more: Record<string, unknown> = {}) =>
      line(seq, {
        type: 'probe',
        step: 8,
        warmup_steps: 3,
        timed_steps: 5,
        seconds_per_step: { median: 36, low: 30, high: 40 },
        tokens_per_step: 800,
        padded_tokens_per_step: 960,
        trained_tokens_per_step: 400,
        tokens_per_second: 22.2,
        mean_tokens_per_step: 800,
        expected_seconds_per_step: 36,
        longest_pass_tokens: 1536,
        peak_allocated_mb: null,
        peak_reserved_mb: null,
        device_memory_mb: 1210,
        ...more,
      });
    const left = (seq: number, eta_seconds: number) =>
      line(seq, { type: 'progress', step: 8, total_steps: 108, epoch: 0.5, eta_seconds });

    test('are the job’s measured figures, a line of its events, and what its end and its cost are expected by', async () => {
      await db.asOwner('UPDATE lowrank.training_jobs SET hourly_rate = 2, estimated_total_cost = 77');
      await db.asOwner('UPDATE lowrank.datasets SET file_size = 3000000000');
      await db.asOwner(`UPDATE lowrank.job_runs SET started_at = now() - interval '1 hour'`);
      await recordTrainerEvents(run, batch(0, 10, [probe(1), left(2, 7200)]));
      const row = await job();
      expect(row.measured).toMatchObject({ attempt: 1, step: 8, timed_steps: 5, device_memory_mb: 1210 });
      expect(Object.keys(row.measured as object)).not.toContain('ts');
      // One hour is over and two are left, at 2 dollars; 3 GB and the adapter are kept at 0.1 a GB.
      const { rank } = row.hyperparameters as { rank: number };
      expect(Number(row.estimated_total_cost)).toBeCloseTo(6 + Math.round(100 * (0.3 + rank * 0.0005)) / 100, 1);
      expect((row.estimated_completion_at as Date).getTime() - Date.now()).toBeGreaterThan(7_000_000);
      const events = await db.asOwner("SELECT message FROM lowrank.job_events WHERE type = 'probe'");
      expect(events).toEqual([{ message: 'measured over 5 steps: 36 s/step, 1.21 GB' }]);
    });

    test('tell the cost by their own steps where no word of the time left came along', async () => {
      await db.asOwner('UPDATE lowrank.training_jobs SET hourly_rate = 1, estimated_total_cost = 0, total_steps = 1008');
      await db.asOwner('UPDATE lowrank.datasets SET file_size = 0');
      await recordTrainerEvents(run, batch(0, 10, [probe(1)]));
      expect(Number((await job()).estimated_total_cost)).toBeCloseTo(10, 0);
    });

    test('are those of the newest attempt, and metrics change nothing of them', async () => {
      await recordTrainerEvents(run, batch(0, 10, [probe(1)]));
      await recordTrainerEvents(run, batch(10, 20, [metric(2, 9), left(3, 5)]));
      expect((await job()).measured).toMatchObject({ attempt: 1, seconds_per_step: { median: 36 } });
    });

    test('with figures that no bill can have are kept, and the bill as high as it goes', async () => {
      await db.asOwner('UPDATE lowrank.training_jobs SET hourly_rate = 9999999999');
      await recordTrainerEvents(run, batch(0, 10, [probe(1, { expected_seconds_per_step: 1e300 })]));
      expect(await job()).toMatchObject({
        estimated_total_cost: '9999999999.99',
        measured: { expected_seconds_per_step: 1e300 },
      });
    });
  });

  test('that were stored before are not stored again, and say where to go on', async () => {
    await recordTrainerEvents(run, batch(0, 100, [metric(1, 1)]));
    expect(await recordTrainerEvents(run, batch(0, 100, [metric(1, 1)]))).toMatchObject({ offset: 100 });
    expect(await points()).toHaveLength(1);
  });

  test('are stored by one of two who store them at the same time', async () => {
    await Promise.all(
      Array.from({ length: 8 }, () =>
        recordTrainerEvents(run, batch(0, 100, [metric(1, 1), line(2, { type: 'stage', stage: 'saving' })])),
      ),
    );
    expect(await points()).toHaveLength(1);
    expect(await brokenInvariants(db, [])).toEqual([]);
  });

  test('with figures that no column holds lose the figure, not the line', async () => {
    await recordTrainerEvents(
      run,
      batch(0, 10, [
        metric(1, 1, { loss: 1e300, learning_rate: 1e-60 }),
        metric(2, 2, { loss: null, nonfinite: true }),
        metric(2_147_483_648, 3),
        metric(3, 3, { loss: 3.4e38 }),
      ]),
    );
    expect(await points()).toMatchObject([
      { seq: 1, loss: null, learning_rate: 0 },
      { seq: 2, loss: null, extra: { nonfinite: true } },
      { seq: 3, loss: 3.4e38 },
    ]);
    const [row] = await db.asOwner('SELECT events_rejected, events_seq FROM lowrank.job_runs');
    expect(row).toEqual({ events_rejected: 1, events_seq: 3 });
  });

  test('of no sense are counted, and a seq that does not grow is no new line', async () => {
    await recordTrainerEvents(run, {
      ...batch(0, 10, ['{', metric(5, 1), metric(5, 2), metric(4, 3), '', 'null']),
      oversized: 1,
    });
    expect(await points()).toMatchObject([{ seq: 5, step: 1 }]);
    expect(await db.asOwner('SELECT events_rejected FROM lowrank.job_runs')).toEqual([{ events_rejected: 6 }]);
  });

  test('of a flood of warnings are capped, those that decide are stored', async () => {
    await db.asOwner('UPDATE lowrank.training_jobs SET event_seq = 20000');
    await recordTrainerEvents(
      run,
      batch(0, 10, [
        line(1, { type: 'warning', code: 'w', message: 'm' }),
        line(2, { type: 'error', code: 'data', message: 'm', hint: 'h' }),
      ]),
    );
    expect(await db.asOwner("SELECT type FROM lowrank.job_events WHERE type <> 'state'")).toEqual([{ type: 'error' }]);
  });

  test('under an epoch that is over are not stored', async () => {
    await db.asOwner('UPDATE lowrank.training_jobs SET epoch = epoch + 1');
    await expect(recordTrainerEvents(run, batch(0, 100, [metric(1, 1)]))).rejects.toMatchObject({ code: 'fenced' });
    expect(await points()).toEqual([]);
  });

  test('of a job that is over are not stored', async () => {
    await settleRun(run, { type: 'cancelled' }, null, 0);
    await expect(recordTrainerEvents(run, batch(0, 100, [metric(1, 1)]))).rejects.toMatchObject({ code: 'fenced' });
  });
});
