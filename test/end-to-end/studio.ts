/** A whole studio for a test: its own data directory, database, web and worker, started as a person starts it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { ensureServer } from '#/db/embedded/ensure-server.ts';
import { freePort } from '#/db/embedded/free-port.ts';
import type { ProcessIdentity } from '#/worker/process-identity.ts';
import { removeStudio } from '../remove-studio.ts';

export const REPO = join(import.meta.dirname, '../..');
export const PYTHON = join(REPO, 'trainer/.venv/bin/python');

export interface TestStudio {
  url: string;
  data_dir: string;
  setup_token: string;
  /** Everything that the terminal said. */
  said(): string;
  /** The process ids of a part of the studio. */
  pidOf(part: 'server' | 'worker'): number;
  /** Runs one statement behind all policies on the studio's own database: to look, and to set a scene. */
  asOwner<T extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<T[]>;
  /** Ends it in order, as Ctrl-C does. Throws when it does not end with 0. */
  stop(): Promise<void>;
  /** Ends it and removes what it wrote. */
  remove(): Promise<void>;
}

/** Who owns an attempt and who trains. */
export function startedRun(studio: TestStudio, job_id: string, attempt = 1): Record<'wrapper' | 'child', ProcessIdentity> {
  return JSON.parse(readFileSync(join(studio.data_dir, 'runs', job_id, String(attempt), 'started.json'), 'utf8'));
}

/** The child of a process whose command line names a file. */
function childOf(parent: number, file: string): number {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const [state, ppid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (Number(ppid) !== parent || state === 'Z') continue;
      if (readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(file)) return Number(name);
    } catch {
      // The process ended while it was looked at.
    }
  }
  throw new Error(`process ${parent} has no child that runs ${file}`);
}

/** Starts `lowrank start` and waits until it says where it is. */
export async function startStudio(
  data_dir = mkdtempSync(join(tmpdir(), 'lowrank-e2e-')),
  variables: Record<string, string> = {},
): Promise<TestStudio> {
  const port = await freePort();
  const child: ChildProcess = spawn(process.execPath, [join(REPO, 'src/cli.ts'), 'start'], {
    env: {
      ...process.env,
      NODE_ENV: 'production',
      LOWRANK_DATA_DIR: data_dir,
      PORT: String(port),
      LOG_LEVEL: 'info',
      ...variables,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (said += text));
  const gone = new Promise<number | null>((resolve) => child.once('exit', resolve));
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', () => said.includes('Ctrl-C ends') && resolve());
    child.once('exit', (code) => reject(new Error(`the studio ended with ${code}:\n${said}`)));
  });
  const stop = async () => {
    child.kill('SIGINT');
    const code = await gone;
    if (code !== 0) throw new Error(`Ctrl-C did not end the studio in order (${code}):\n${said}`);
  };
  return {
    url: `http://127.0.0.1:${port}`,
    data_dir,
    setup_token: /Set-up token: (\S+)/.exec(said)?.[1] ?? '',
    said: () => said,
    pidOf: (part) => childOf(child.pid ?? -1, `src/${part}.ts`),
    async asOwner(text, values) {
      const server = await ensureServer({ data_dir: join(data_dir, 'postgres'), log: () => undefined });
      const client = new pg.Client({ connectionString: server.superuser_url });
      await client.connect();
      try {
        return (await client.query(text, values)).rows;
      } finally {
        await client.end();
        server.release();
      }
    },
    stop,
    async remove() {
      if (child.exitCode === null) await stop();
      await removeStudio(data_dir);
    },
  };
}
