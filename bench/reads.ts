import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { addIds, type BenchDatabase, benchId, openBenchDatabase, seedJobs, seedPeople } from './database.ts';
import { median, ms, printFigures, quantile } from './figures.ts';
import { childrenCpu, childrenCpuSince, cpuMs, load } from './load.ts';
import { addKeys, bearer } from './people.ts';
import { startWeb } from './web.ts';

/** A person may read 600 times a minute. */
const PEOPLE = 400;
const JOBS_EACH = 50;
const CLIENTS = 8;
const ROUNDS = 5;
const A_ROUND = 1_500;
const PAGE = 20;

interface Bare {
  url: string;
  pid: number;
  stop(): void;
}

async function startBare(database: BenchDatabase): Promise<Bare> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'bare-process.ts')], {
    env: { ...process.env, BENCH_DATABASE_URL: database.superuser_url },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('the bare server did not start');
  for await (const line of createInterface({ input: child.stdout }))
    if (line.startsWith('{"ready":true')) return { url: JSON.parse(line).url as string, pid, stop: () => child.kill('SIGTERM') };
  throw new Error('the bare server ended early');
}

/**
 * Requests a second, p99 and processor time of the main reads through the real web process (key, row-level security, rate
 * limit, presenter), and beside them a bare Hono server with one query. Rounds alternate; ratios are of one run.
 */
export async function benchReads(): Promise<void> {
  const database = await openBenchDatabase();
  const web = await startWeb(database);
  const bare = await startBare(database);
  try {
    await addIds(database);
    await seedPeople(database, PEOPLE);
    await seedJobs(database, 1, PEOPLE, JOBS_EACH);
    await database.run('VACUUM ANALYZE');
    const keys = await addKeys(database, PEOPLE);
    const one = await database.run('SELECT DISTINCT ON (user_id) user_id, id FROM lowrank.training_jobs');
    const job_of = new Map(one.map((row) => [row.user_id as string, row.id as string]));
    const job = (at: number) => job_of.get(benchId(1, (at % PEOPLE) + 1)) ?? '';
    const ours = (path: (at: number) => string) => (at: number) => ({
      url: `${web.url}${path(at)}`,
      headers: bearer(keys[at % PEOPLE]),
    });
    const plain = (path: (at: number) => string) => (at: number) => ({ url: `${bare.url}${path(at)}`, headers: {} });
    const subjects = [
      { name: 'GET /api/jobs/{id}', pid: web.pid, next: ours((at) => `/api/jobs/${job(at)}`) },
      { name: 'bare Hono, one job', pid: bare.pid, next: plain((at) => `/jobs/${job(at)}`) },
      { name: `GET /api/jobs?limit=${PAGE}`, pid: web.pid, next: ours(() => `/api/jobs?limit=${PAGE}`) },
      {
        name: `bare Hono, ${PAGE} jobs`,
        pid: bare.pid,
        next: plain((at) => `/jobs?user=${benchId(1, (at % PEOPLE) + 1)}&limit=${PAGE}`),
      },
      { name: 'GET /api/datasets', pid: web.pid, next: ours(() => '/api/datasets') },
      { name: 'GET /api/notifications', pid: web.pid, next: ours(() => '/api/notifications') },
      { name: 'GET /api/me', pid: web.pid, next: ours(() => '/api/me') },
      { name: 'GET /api/health', pid: web.pid, next: ours(() => '/api/health') },
    ].map((subject) => ({
      ...subject,
      times: [] as number[],
      rates: [] as number[],
      cpu: [] as number[],
      database: [] as number[],
    }));
    for (const subject of subjects) await load(A_ROUND, CLIENTS, subject.next);
    for (let round = 0; round < ROUNDS; round++) {
      for (const subject of subjects) {
        const cpu = cpuMs(subject.pid);
        const in_database = childrenCpu(database.pid);
        const { times, seconds } = await load(A_ROUND, CLIENTS, subject.next);
        subject.cpu.push((cpuMs(subject.pid) - cpu) / A_ROUND);
        subject.database.push(childrenCpuSince(database.pid, in_database) / A_ROUND);
        subject.rates.push(A_ROUND / seconds);
        subject.times.push(...times);
      }
    }
    printFigures(
      `Main reads over HTTP, ${CLIENTS} clients, ${PEOPLE} people, ${ROUNDS} rounds of ${A_ROUND.toLocaleString('en')} (the clients share the cores)`,
      subjects.map(({ name, times, rates, cpu, database: in_database }) => ({
        what: name,
        value: `${median(rates).toFixed(0)}/s, p50 ${ms(median(times))}, p99 ${ms(quantile(times, 0.99))}, CPU ${ms(median(cpu))} web + ${ms(median(in_database))} database`,
      })),
    );
    const ratio = (a: number, b: number) => {
      const ratios = (subjects[a]?.cpu ?? []).map((cpu, round) => cpu / (subjects[b]?.cpu[round] ?? Number.NaN));
      return `${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`;
    };
    printFigures('CPU of the web process per request against the bare server: median (range) of the rounds', [
      { what: 'one job', value: ratio(0, 1) },
      { what: `${PAGE} jobs`, value: ratio(2, 3) },
    ]);
  } finally {
    bare.stop();
    await web.stop();
    await database.close();
  }
}
