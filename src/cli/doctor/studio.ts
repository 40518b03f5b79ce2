// The studio of this data directory, and the port that it has or would take.
import { createServer } from 'node:net';
import { env } from '#/env.ts';
import { runningStudio } from '../one-studio.ts';
import type { Check } from './check.ts';
import { type Finding, ok, problem } from './finding.ts';
import { findListener, type Listener } from './listener.ts';

export interface RunningStudio {
  pid: number;
  url: string;
}

/** Says if what holds the data directory is a studio at all: a backup that is being written holds it, too, and has no address. */
const isStudio = ({ url }: RunningStudio) => URL.canParse(url);

/** `answers`: what its own address said within a few seconds. */
export function judgeStudio(studio: RunningStudio | null, answers: boolean, logs: string): Finding {
  if (studio === null) return ok('studio', 'not running (npm start starts it)');
  const found = `${studio.url}, process ${studio.pid}`;
  if (!isStudio(studio)) return ok('studio', `not running: its data directory is held by ${found}`);
  if (answers) return ok('studio', `runs: ${found}; a second one would be refused`);
  return problem(
    'studio',
    `runs, but does not answer: ${found}`,
    `See why: tail -n 50 ${logs}/server.log; to start afresh end it (kill ${studio.pid}) and run npm start`,
  );
}

export type PortState = { state: 'free' } | { state: 'taken'; holder: Listener | null } | { state: 'refused'; code: string };

export function judgePort(host: string, port: number, found: PortState): Finding {
  const at = `${host}:${port}`;
  const other = `PORT=${port < 1024 ? 3000 : port + 1} npm start`;
  if (found.state === 'free') return ok('port', port === 0 ? 'any free one is taken at the start' : `${at} is free`);
  if (found.state === 'taken') {
    const { holder } = found;
    if (holder === null)
      return problem(
        'port',
        `${at} is taken by a program of another account`,
        `See which: sudo ss -ltnp 'sport = :${port}'; or choose another port: ${other}`,
      );
    return problem(
      'port',
      `${at} is taken by process ${holder.pid}: ${holder.command}`,
      `End it (kill ${holder.pid}), or choose another port: ${other}`,
    );
  }
  if (found.code === 'EACCES')
    return problem('port', `${at} may not be used by this account`, `Choose a port from 1024 on: ${other}`);
  if (found.code === 'EADDRNOTAVAIL')
    return problem('port', `${host} is no address of this machine`, `Choose one that is: HOST=127.0.0.1 npm start`);
  return problem('port', `${at} cannot be used (${found.code})`, `Choose another address: HOST=127.0.0.1 ${other}`);
}

/** Tries the port for a moment. */
function tryPort(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)));
  });
}

/** Asks the studio where it says that it listens: our own PORT may be another, and PUBLIC_URL not be reachable from here. */
async function answers(listens: string): Promise<boolean> {
  try {
    const answer = await fetch(new URL('/api/health', listens), { signal: AbortSignal.timeout(5_000) });
    await answer.body?.cancel();
    return answer.status < 500;
  } catch {
    // Refused, cut off or late: it does not answer.
    return false;
  }
}

export function studioChecks(logs: string): Check[] {
  const studio = runningStudio();
  const answered = studio === null ? Promise.resolve(false) : answers(studio.listens);
  return [
    {
      topic: 'studio',
      within_ms: 10_000,
      look: async () => [judgeStudio(studio, await answered, logs)],
    },
    {
      topic: 'port',
      within_ms: 15_000,
      look: async () => {
        const { HOST: host, PORT: port } = env;
        if (studio !== null && (await answered)) return [ok('port', `${new URL(studio.listens).host} is the studio's`)];
        const code = await tryPort(host, port);
        if (code === null) return [judgePort(host, port, { state: 'free' })];
        if (code !== 'EADDRINUSE') return [judgePort(host, port, { state: 'refused', code })];
        return [judgePort(host, port, { state: 'taken', holder: await findListener(port) })];
      },
    },
  ];
}
