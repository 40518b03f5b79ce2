import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { BenchDatabase } from './database.ts';

export interface BenchWeb {
  url: string;
  pid: number;
  data_dir: string;
  stop(): Promise<void>;
}

/** The real web process on a free port, with a data directory of its own. */
export async function startWeb(database: BenchDatabase): Promise<BenchWeb> {
  const data_dir = await mkdtemp(join(tmpdir(), 'lowrank-bench-data-'));
  const child = spawn(process.execPath, [join(import.meta.dirname, 'web-process.ts')], {
    env: {
      ...process.env,
      LOWRANK_DATA_DIR: data_dir,
      LOWRANK_WEB_URL: database.logins.web,
      LOWRANK_IDENTITY_URL: database.logins.identity,
      PORT: '0',
      LOG_LEVEL: 'error',
    },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const { stdout } = child;
  if (stdout === null || child.pid === undefined) throw new Error('the web process did not start');
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the web process ended with ${code}`)));
    createInterface({ input: stdout }).on('line', (line) => {
      if (line.startsWith('{"ready":true')) resolve((JSON.parse(line) as { url: string }).url);
    });
  });
  return {
    url,
    pid: child.pid,
    data_dir,
    async stop() {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
      await rm(data_dir, { recursive: true, force: true });
    },
  };
}
