import { sql } from 'drizzle-orm';
import { workers } from '#/db/schema/machine.ts';
import { asScheduler } from '#/db/tenancy.ts';

export interface WorkerSigns {
  id: string;
  /** The machine's name, where the worker told it. */
  host: string | null;
  /** Why it cannot start runs, with the way out; null where it can. */
  fault: string | null;
  /** Milliseconds since it was last heard, by the database's clock. */
  silent_ms: number;
  /** It ended in order. */
  stopped: boolean;
}

/** Every worker that ever registered, and when it was last heard. Throws `database_unavailable`. */
export function readWorkers(): Promise<WorkerSigns[]> {
  return asScheduler((tx) =>
    tx
      .select({
        id: workers.id,
        host: sql<string | null>`${workers.facts} ->> 'host'`,
        fault: sql<string | null>`${workers.facts} #>> '{executor_fault,reason}'`,
        silent_ms: sql<number>`(extract(epoch FROM clock_timestamp() - ${workers.heartbeat_at}) * 1000)::float8`,
        stopped: sql<boolean>`${workers.stopped_at} IS NOT NULL`,
      })
      .from(workers),
  );
}
