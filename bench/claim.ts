import { claimJob } from '#/services/jobs/claim-job.ts';
import { registerWorker } from '#/services/machine/register-worker.ts';
import { addIds, openBenchDatabase, seedJobs, seedPeople } from './database.ts';
import { ms, printFigures, quantile } from './figures.ts';

const BACKLOG = 100_000;
const OTHERS = 1_000;
const CLAIMERS = 8;

/** Time of a claim to its commit, with one person's huge backlog beside many people with one job each. */
export async function benchClaim(): Promise<void> {
  const database = await openBenchDatabase();
  try {
    await addIds(database);
    await seedPeople(database, OTHERS + 1);
    await seedJobs(database, 1, 1, BACKLOG);
    await seedJobs(database, 2, OTHERS + 1, 1);
    await database.run('VACUUM ANALYZE');
    const devices = Array.from({ length: OTHERS }, (_, at) => ({
      kind: 'gpu' as const,
      uuid: `GPU-${at}`,
      name: 'bench',
      memory_mb: 1,
    }));
    const hosts = Array.from({ length: CLAIMERS }, (_, at) => `host-${at}`);
    for (const id of hosts)
      await registerWorker({ id, boot_id: 'b', pid: 1, version: '1', facts: {} }, devices.slice(0, OTHERS / CLAIMERS + 10));
    const times: number[] = [];
    const began = performance.now();
    await Promise.all(
      hosts.map(async (host) => {
        for (;;) {
          const before = performance.now();
          const run = await claimJob(host, 'process', 60_000);
          if (run === null) return;
          times.push(performance.now() - before);
          if (times.length >= OTHERS) return;
        }
      }),
    );
    const seconds = (performance.now() - began) / 1000;
    const [served] = await database.run(`SELECT count(DISTINCT user_id)::int AS people, max(n)::int AS most FROM
      (SELECT user_id, count(*) AS n FROM lowrank.training_jobs WHERE status = 'initializing' GROUP BY 1) t`);
    printFigures(
      `Claim: ${BACKLOG.toLocaleString('en')} queued of one person, ${OTHERS} people with one each, ${CLAIMERS} claimers`,
      [
        { what: 'p50 to commit', value: ms(quantile(times, 0.5)) },
        { what: 'p99 to commit', value: ms(quantile(times, 0.99)) },
        { what: 'claims a second', value: (times.length / seconds).toFixed(0) },
        { what: `people served by ${times.length} claims (most a person)`, value: `${served?.people} (${served?.most})` },
      ],
    );
  } finally {
    await database.close();
  }
}
