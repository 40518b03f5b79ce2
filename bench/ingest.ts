import { claimJob } from '#/services/jobs/claim-job.ts';
import { recordTrainerEvents } from '#/services/jobs/record-trainer-events.ts';
import { registerWorker } from '#/services/machine/register-worker.ts';
import { addIds, openBenchDatabase, seedJobs, seedPeople } from './database.ts';
import { printFigures } from './figures.ts';

const POINTS = 50_000;

/** A line as the trainer writes it for one step. */
export function metricLine(step: number, seq = step): string {
  const metric = {
    loss: 2 / step,
    learning_rate: 1e-4,
    grad_norm: 0.5,
    tokens_per_second: 1000,
    samples_per_second: 8,
    peak_memory_mb: 900,
  };
  return JSON.stringify({
    seq,
    ts: new Date(1_700_000_000_000 + step).toISOString(),
    type: 'metric',
    step,
    epoch: step / POINTS,
    ...metric,
  });
}

/** Points a second through the verb that stores a run's lines, in batches as the worker reads them; fsync on. */
export async function benchIngest(): Promise<void> {
  const database = await openBenchDatabase();
  try {
    await addIds(database);
    await seedPeople(database, 1);
    await seedJobs(database, 1, 1, 2);
    const devices = [1, 2].map((at) => ({ kind: 'gpu' as const, uuid: `GPU-${at}`, name: 'bench', memory_mb: 1 }));
    await registerWorker({ id: 'host', boot_id: 'b', pid: 1, version: '1', facts: {} }, devices);
    const figures = [];
    for (const size of [1, 500]) {
      const run = await claimJob('host', 'process', 600_000);
      if (run === null) throw new Error('nothing to claim');
      const points = size === 1 ? POINTS / 50 : POINTS;
      const began = performance.now();
      for (let from = 0; from < points; from += size) {
        const lines = Array.from({ length: size }, (_, at) => metricLine(from + at + 1));
        await recordTrainerEvents(run, { from, to: from + size, lines, oversized: 0 });
      }
      const seconds = (performance.now() - began) / 1000;
      const [stored] = await database.run('SELECT count(*)::int AS n FROM lowrank.metrics_points WHERE job_id = $1', [
        run.job_id,
      ]);
      figures.push({
        what: `points a second, ${size} a batch (${stored?.n} of ${points} stored)`,
        value: (points / seconds).toFixed(0),
      });
    }
    printFigures('Event ingest: trainer lines to committed rows, fsync on', figures);
  } finally {
    await database.close();
  }
}
