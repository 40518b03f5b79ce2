import { connectDatabase, disconnectDatabase } from '#/db/pools.ts';

/** Tells this process where its scheduler login connects; once, before any verb. */
export function connectScheduler(url: string): { close(): Promise<void> } {
  connectDatabase({ scheduler: url });
  return { close: disconnectDatabase };
}
