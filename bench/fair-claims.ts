import { claimJob } from '#/services/jobs/claim-job.ts';
import { settleRun } from '#/services/jobs/finish-run.ts';
import type { RunKey } from '#/services/jobs/hold-run.ts';
import { registerWorker } from '#/services/machine/register-worker.ts';
import { addIds, type BenchDatabase, openBenchDatabase, seedJobs, seedPeople } from './database.ts';
import { ms, printFigures, quantile } from './figures.ts';

const BACKLOG = 100_000;
const OTHERS = 10;
const OTHERS_JOBS = 20;
const DEVICES = [1, 4, 8];
const ROUNDS = 300;

/** One host, one person whose backlog has all of its devices, and ten who come then: who starts when, and what a claim takes. */
export async function benchFairClaims(): Promise<void> {
  for (const devices of DEVICES) {
    for (const out_of_reach of [false, true]) {
      const database = await openBenchDatabase();
      try {
        await fairness(database, devices, out_of_reach);
      } finally {
        await database.close();
      }
    }
  }
}

async function fairness(database: BenchDatabase, devices: number, out_of_reach: boolean): Promise<void> {
  await addIds(database);
  await seedPeople(database, OTHERS + 1);
  // As many at once as there are devices: only whose turn it is keeps one person from having all of them.
  await database.run('UPDATE lowrank.user_queues SET active_max = $1', [devices]);
  await database.run(
    'INSERT INTO lowrank.job_slots (user_id, slot) SELECT user_id, generate_series(1, $1::int) FROM lowrank.user_queues ON CONFLICT DO NOTHING',
    [devices],
  );
  await seedJobs(database, 1, 1, BACKLOG);
  // The worst case: all of it goes before what this host could have, and needs more devices than it has.
  if (out_of_reach) {
    await database.run(`UPDATE lowrank.training_jobs SET priority = 10, gpu_config = '{"type": "H100", "count": 8}'`);
    await seedJobs(database, 1, 1, ROUNDS + devices);
  }
  await database.run('VACUUM ANALYZE');
  const gpus = Array.from({ length: devices }, (_, at) => ({
    kind: 'gpu' as const,
    uuid: `GPU-${at}`,
    name: 'bench',
    memory_mb: 1,
  }));
  await registerWorker({ id: 'host', boot_id: 'b', pid: 1, version: '1', facts: {} }, gpus);
  const times: number[] = [];
  const claim = async (): Promise<RunKey> => {
    const before = performance.now();
    const run = await claimJob('host', 'process', 3_600_000);
    if (run === null) throw new Error('nothing was claimed although a device is free and people wait');
    times.push(performance.now() - before);
    return run;
  };
  const running: RunKey[] = [];
  while (running.length < devices) running.push(await claim());
  await seedJobs(database, 2, OTHERS + 1, OTHERS_JOBS);
  times.length = 0;
  const first_starts = new Map<string, number>();
  let of_backlog = 0;
  for (let place = 1; place <= ROUNDS; place++) {
    const ended = running.shift();
    if (ended !== undefined) await settleRun(ended, { type: 'cancelled' }, null, 0);
    const run = await claim();
    running.push(run);
    const [job] = await database.run(
      'SELECT user_id, user_id = bench_id(1, 1) AS is_backlog FROM lowrank.training_jobs WHERE id = $1',
      [run.job_id],
    );
    if (job?.is_backlog === true) of_backlog += place <= OTHERS * OTHERS_JOBS ? 1 : 0;
    else if (!first_starts.has(String(job?.user_id))) first_starts.set(String(job?.user_id), place);
  }
  const places = [...first_starts.values()];
  printFigures(
    `Fair claims: ${devices} device${devices === 1 ? '' : 's'}, all with one person who has ${BACKLOG.toLocaleString('en')} queued${
      out_of_reach ? ' that this host cannot have' : ''
    }, when ${OTHERS} others come with ${OTHERS_JOBS} each`,
    [
      {
        what: 'starts until the others’ first: first of them, median, last',
        value: [0, 0.5, 1].map((share) => quantile(places, share)).join(', '),
      },
      { what: `starts of the backlog among the next ${OTHERS * OTHERS_JOBS}`, value: String(of_backlog) },
      { what: 'claim to commit, p50', value: ms(quantile(times, 0.5)) },
      { what: 'claim to commit, p99', value: ms(quantile(times, 0.99)) },
    ],
  );
}
