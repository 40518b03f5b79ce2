// A throw-away server for tests: quick instead of durable, gone with its starter, nothing of it left behind.
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DatabaseServer, ensureServer } from './ensure-server.ts';
import { isAlive } from './postmaster.ts';

const PREFIX = 'lowrank-test-server-';

export interface TestServer extends DatabaseServer {
  /** Ends the server and removes its files. */
  remove: () => Promise<void>;
}

/** Folders of test runs that were killed before they could clean up. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const starter = name.startsWith(PREFIX) ? Number.parseInt(name.slice(PREFIX.length), 10) : Number.NaN;
    if (Number.isInteger(starter) && !(await isAlive(starter))) await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
}

/** Starts a server in a temporary folder. `bin_dir` names another PostgreSQL, for example /usr/lib/postgresql/15/bin. */
export async function startTestServer(options: { bin_dir?: string; log?: (line: string) => void } = {}): Promise<TestServer> {
  await removeAbandoned();
  const folder = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
  // As root the server's account must pass through; its own folder inside is private.
  await chmod(folder, 0o711);
  const server = await ensureServer({
    data_dir: folder,
    bin_dir: options.bin_dir,
    log: options.log ?? (() => undefined),
    durable: false,
    outlives_us: false,
  });
  return {
    ...server,
    remove: async () => {
      await server.stop('immediate');
      await rm(server.home, { recursive: true, force: true });
      await rm(folder, { recursive: true, force: true });
    },
  };
}
