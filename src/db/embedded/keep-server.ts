// Keeps the embedded server running: one that dies is started again at the same address, so pools find it there.
import { setTimeout as pause } from 'node:timers/promises';
import { type DatabaseServer, ensureServer, type ServerOptions } from './ensure-server.ts';
import { isAlive } from './postmaster.ts';
import { wasStoppedOnPurpose } from './stop-server.ts';

const LOOK_EVERY_MS = 500;
const TRY_AGAIN_MS = 2_000;

/**
 * Like `ensureServer`, and from then on a server that dies is started again while this process lives, until `stop` or `release`, or until
 * anyone stops it on purpose. `url` stays valid throughout; `pid` is the current one.
 */
export async function keepServer(options: ServerOptions): Promise<DatabaseServer> {
  const { log } = options;
  let server = await ensureServer(options);
  const end = new AbortController();
  // Waiting keeps no process alive, and ends at once with the watch: `stop` must not wait for a timer that nobody runs any more.
  const rest = (ms: number) => pause(ms, undefined, { ref: false, signal: end.signal }).catch(() => undefined);
  const watch = async (): Promise<void> => {
    while (!end.signal.aborted) {
      await rest(LOOK_EVERY_MS);
      if (end.signal.aborted || (await isAlive(server.pid))) continue;
      if (await wasStoppedOnPurpose(server.home)) {
        log('the database was stopped on purpose; leaving it so');
        return;
      }
      log('the database is gone; starting it again');
      server.release();
      try {
        server = await ensureServer({ ...options, port: server.port });
        log(`the database is back (process ${server.pid})`);
      } catch (error) {
        log(`the database cannot be started: ${(error as Error).message}`);
        await rest(TRY_AGAIN_MS);
      }
    }
  };
  const watching = watch();
  const settle = async (): Promise<void> => {
    end.abort();
    await watching;
  };
  return {
    url: server.url,
    superuser_url: server.superuser_url,
    port: server.port,
    adopted: server.adopted,
    home: server.home,
    get pid() {
      return server.pid;
    },
    stop: async (mode) => {
      await settle();
      await server.stop(mode);
    },
    release: () => {
      end.abort();
      server.release();
    },
  };
}
