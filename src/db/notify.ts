import pg from 'pg';
import { type Login, urlOf } from './pools.ts';

export type Channel = 'lowrank_job' | 'lowrank_work';

const RECONNECT_MS = 1_000;
/** A listener that nobody answers is silent, not broken: ask it now and then. */
const PROBE_MS = 10_000;

export interface Listener {
  /** Resolves when the first connection listens, or at once when it cannot: polling is the net. */
  ready: Promise<void>;
  close(): Promise<void>;
}

/**
 * Hears notifications on its own connection and opens a new one when it breaks. A notification only says "look now":
 * whoever listens also polls, so a lost one costs time, never a row. `onMessage` is also called (with '') after a reconnect.
 */
export function listen(login: Login, channels: Channel[], onMessage: (channel: Channel, payload: string) => void): Listener {
  let closed = false;
  let client: pg.Client | undefined;
  let timer: NodeJS.Timeout | undefined;
  let probe: NodeJS.Timeout | undefined;

  const again = () => {
    if (closed || timer !== undefined) return;
    clearInterval(probe);
    client?.removeAllListeners();
    // The connection is already useless; what its end says changes nothing.
    client?.on('error', () => undefined);
    void client?.end().catch(() => undefined);
    client = undefined;
    timer = setTimeout(() => {
      timer = undefined;
      void open();
    }, RECONNECT_MS);
  };

  const open = async (): Promise<void> => {
    const opening = new pg.Client({
      connectionString: urlOf(login),
      application_name: `lowrank-${login}-listen`,
      connectionTimeoutMillis: 2_000,
      query_timeout: 5_000,
      keepAlive: true,
    });
    client = opening;
    opening.on('error', again);
    opening.on('end', again);
    opening.on('notification', (message) => onMessage(message.channel as Channel, message.payload ?? ''));
    try {
      await opening.connect();
      for (const channel of channels) await opening.query(`LISTEN ${channel}`);
      for (const channel of channels) onMessage(channel, '');
      probe = setInterval(() => opening.query('SELECT 1').catch(again), PROBE_MS);
      probe.unref();
    } catch {
      again();
    }
  };

  return {
    ready: open(),
    async close() {
      closed = true;
      clearTimeout(timer);
      clearInterval(probe);
      await client?.end().catch(() => undefined);
    },
  };
}
