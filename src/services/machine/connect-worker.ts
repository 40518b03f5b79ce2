import { connectDatabase, disconnectDatabase } from '#/db/pools.ts';

/** Many deliveries at once take turns at few connections: a server has only so many. */
const SENDER_CONNECTIONS_MAX = 3;

/** Tells this process where the two logins of a worker connect; once, before any verb. */
export function connectWorker({ scheduler, delivery }: { scheduler: string; delivery: string }): { close(): Promise<void> } {
  connectDatabase({ scheduler });
  connectDatabase({ delivery }, { connections_max: SENDER_CONNECTIONS_MAX });
  return { close: disconnectDatabase };
}
