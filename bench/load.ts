/** Requests in numbers, and what they cost the processes that answer them. */
import { readdirSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';

/** What one request was answered, and how long that took in milliseconds. */
export interface Answer {
  status: number;
  ms: number;
  body: string;
}

/** Asks once over a connection that is kept. */
export function ask(agent: Agent, url: string, headers: Record<string, string>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const sent = request(url, { agent, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, ms: performance.now() - began, body }));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** Sends `count` requests from `clients` at once; throws at the first answer that is not 200. */
export async function load(
  count: number,
  clients: number,
  next: (at: number) => { url: string; headers: Record<string, string> },
): Promise<{ times: number[]; seconds: number }> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const times: number[] = [];
  let at = 0;
  const began = performance.now();
  await Promise.all(
    Array.from({ length: clients }, async () => {
      while (at < count) {
        const { url, headers } = next(at++);
        const answer = await ask(agent, url, headers);
        if (answer.status !== 200) throw new Error(`${url}: ${answer.status} ${answer.body}`);
        times.push(answer.ms);
      }
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  agent.destroy();
  return { times, seconds };
}

/** Linux counts processor time in hundredths of a second (USER_HZ). */
const TICK_MS = 10;

/** Processor time that a process has used since it began, in milliseconds. */
export function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Processor time of each child that a process has now (a database's backends), in milliseconds, by its id. */
export function childrenCpu(pid: number): Map<number, number> {
  const used = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const parent = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ')[1];
      if (Number(parent) === pid) used.set(Number(name), cpuMs(Number(name)));
    } catch {
      // It ended between the listing and the look.
    }
  }
  return used;
}

/** What the children have used since `before`, in milliseconds; of one that has ended since, nothing is known. */
export function childrenCpuSince(pid: number, before: Map<number, number>): number {
  let sum = 0;
  for (const [child, used] of childrenCpu(pid)) sum += used - (before.get(child) ?? 0);
  return sum;
}

/** Resident memory of a process, in MB. */
export function residentMb(pid: number): number {
  const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1]) / 1000;
}
