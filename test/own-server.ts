/** A database server of one test's own, which may go away and come back; durable, as the product's is. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { ensureServer } from '#/db/embedded/ensure-server.ts';
import { loginUrl, makePasswords, migrate } from '#/db/migrate.ts';
import type { TestDatabase } from './database.ts';

export interface OwnServer {
  db: TestDatabase;
  /** Ends the server as a crash would. */
  crash(): Promise<void>;
  /** Brings it back at its old address. */
  restart(): Promise<void>;
  remove(): Promise<void>;
}

export async function startOwnServer(): Promise<OwnServer> {
  const folder = await mkdtemp(join(tmpdir(), 'lowrank-own-server-'));
  // As root the server's account must pass through; its own folder inside is private.
  await chmod(folder, 0o711);
  const options = { data_dir: folder, log: () => undefined, outlives_us: false };
  let server = await ensureServer(options);
  const { url, superuser_url, port } = server;
  const passwords = makePasswords();
  await migrate(url, passwords);
  return {
    db: {
      superuser_url,
      owner_url: url,
      loginUrl: (login) => loginUrl(url, login, passwords),
      async asOwner(text, values) {
        const client = new pg.Client({ connectionString: superuser_url });
        await client.connect();
        try {
          return (await client.query(text, values)).rows;
        } finally {
          await client.end();
        }
      },
    },
    crash: () => server.stop('immediate'),
    async restart() {
      server = await ensureServer({ ...options, port });
    },
    async remove() {
      await server.stop('immediate');
      await rm(server.home, { recursive: true, force: true });
      await rm(folder, { recursive: true, force: true });
    },
  };
}
