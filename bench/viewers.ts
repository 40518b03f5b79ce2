import { Agent, request } from 'node:http';
import { createParser } from 'eventsource-parser';
import { claimJob } from '#/services/jobs/claim-job.ts';
import { recordTrainerEvents } from '#/services/jobs/record-trainer-events.ts';
import { registerWorker } from '#/services/machine/register-worker.ts';
import { addIds, openBenchDatabase, seedJobs, seedPeople } from './database.ts';
import { ms, printFigures, quantile } from './figures.ts';
import { metricLine } from './ingest.ts';
import { childrenCpu, childrenCpuSince, cpuMs, residentMb } from './load.ts';
import { addKeys, bearer } from './people.ts';
import { startWeb } from './web.ts';

const VIEWERS = 1_000;
const POINTS = 60;
const A_POINT_MS = 1_000;
const SETTLE_MS = 5_000;

/** With it the job is running. */
const HELLO = JSON.stringify({
  seq: 1,
  ts: new Date(1_700_000_000_000).toISOString(),
  type: 'hello',
  protocol: 1,
  trainer: 'bench',
  versions: {},
  device: 'cpu',
  gpus: [],
  total_parameters: 1,
  trainable_parameters: 1,
});

interface Viewer {
  /** When each step arrived. */
  arrived: Map<number, number>;
  close(): void;
}

function view(agent: Agent, url: string, headers: Record<string, string>): Promise<Viewer> {
  return new Promise((resolve, reject) => {
    const arrived = new Map<number, number>();
    const sent = request(url, { agent, headers }, (response) => {
      if (response.statusCode !== 200) return reject(new Error(`a viewer was answered ${response.statusCode}`));
      const parser = createParser({
        onEvent({ event, data }) {
          if (event === 'hello') resolve({ arrived, close: () => sent.destroy() });
          if (event !== 'metrics') return;
          const now = performance.now();
          for (const { step } of (JSON.parse(data) as { points: { step: number }[] }).points) arrived.set(step, now);
        },
      });
      response.setEncoding('utf8');
      response.on('data', (text: string) => parser.feed(text));
      response.on('error', () => undefined);
    });
    sent.on('error', reject);
    sent.end();
  });
}

const pause = (time_ms: number) => new Promise((resolve) => setTimeout(resolve, time_ms));

/** Viewers of one running job that writes a point a second: what the web process holds and uses for them, and how late they see it. */
export async function benchViewers(): Promise<void> {
  const database = await openBenchDatabase();
  const web = await startWeb(database);
  const agent = new Agent({ keepAlive: false, maxSockets: Number.POSITIVE_INFINITY });
  const viewers: Viewer[] = [];
  try {
    await addIds(database);
    await seedPeople(database, 1);
    await seedJobs(database, 1, 1, 1);
    const [key] = await addKeys(database, 1);
    await registerWorker({ id: 'host', boot_id: 'b', pid: 1, version: '1', facts: {} }, [
      { kind: 'gpu', uuid: 'GPU-1', name: 'bench', memory_mb: 1 },
    ]);
    const run = await claimJob('host', 'process', 600_000);
    if (run === null) throw new Error('nothing to claim');
    await recordTrainerEvents(run, { from: 0, to: 1, lines: [HELLO], oversized: 0 });
    await fetch(`${web.url}/api/jobs/${run.job_id}`, { headers: bearer(key) });
    await pause(SETTLE_MS);
    const idle_mb = residentMb(web.pid);
    const began = performance.now();
    for (let at = 0; at < VIEWERS; at += 50)
      viewers.push(
        ...(await Promise.all(
          Array.from({ length: 50 }, () => view(agent, `${web.url}/api/jobs/${run.job_id}/stream`, bearer(key))),
        )),
      );
    const opened_s = (performance.now() - began) / 1000;
    await pause(SETTLE_MS);
    const cpu = cpuMs(web.pid);
    const in_database = childrenCpu(database.pid);
    const from = performance.now();
    const written = new Map<number, number>();
    let most_mb = 0;
    for (let step = 1; step <= POINTS; step++) {
      const due = from + step * A_POINT_MS;
      await pause(Math.max(0, due - performance.now()));
      await recordTrainerEvents(run, { from: step, to: step + 1, lines: [metricLine(step, step + 1)], oversized: 0 });
      written.set(step, performance.now());
      most_mb = Math.max(most_mb, residentMb(web.pid));
    }
    const seconds = (performance.now() - from) / 1000;
    const share = (used: number) => `${((used / seconds / 1000) * 100).toFixed(0)} % of a core`;
    const used = cpuMs(web.pid) - cpu;
    const used_in_database = childrenCpuSince(database.pid, in_database);
    await pause(SETTLE_MS);
    const lags = viewers.flatMap(({ arrived }) =>
      Array.from(written, ([step, at]) => (arrived.get(step) ?? Number.POSITIVE_INFINITY) - at),
    );
    printFigures(`${VIEWERS.toLocaleString('en')} viewers of one running job, a point a second for ${POINTS} s`, [
      { what: 'streams opened', value: `${(VIEWERS / opened_s).toFixed(0)} a second` },
      { what: 'points seen', value: `${lags.filter(Number.isFinite).length} of ${VIEWERS * POINTS}` },
      {
        what: 'lag from commit to viewer',
        value: `p50 ${ms(quantile(lags, 0.5))}, p99 ${ms(quantile(lags, 0.99))}, most ${ms(Math.max(...lags))}`,
      },
      {
        what: 'memory of the web process',
        value: `${most_mb.toFixed(0)} MB, ${(((most_mb - idle_mb) / VIEWERS) * 1000).toFixed(0)} kB a viewer`,
      },
      { what: 'CPU of the web process', value: share(used) },
      { what: 'CPU of the database', value: share(used_in_database) },
    ]);
  } finally {
    for (const viewer of viewers) viewer.close();
    await web.stop();
    await database.close();
  }
}
