import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { serverAccount } from '#/db/embedded/account.ts';
import { findHome } from '#/db/embedded/home.ts';
import { readPostmaster } from '#/db/embedded/postmaster.ts';
import { stopServer } from '#/db/embedded/stop-server.ts';

/** Removes the data directory of a studio that has ended, and its database, which as root may lie elsewhere; ends a server that still runs. */
export async function removeStudio(data_dir: string): Promise<void> {
  const home = await findHome(join(data_dir, 'postgres'), await serverAccount('nobody'));
  if (home !== null) {
    const server = await readPostmaster(home.pgdata);
    if (server !== null) await stopServer(home, server, 'immediate');
    await rm(home.path, { recursive: true, force: true });
  }
  await rm(data_dir, { recursive: true, force: true });
}
