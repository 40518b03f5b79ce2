import { asc } from 'drizzle-orm';
import { gpuCatalog } from '#/db/schema/gpu-catalog.ts';
import { asUser, type Tx } from '#/db/tenancy.ts';
import type { Corrections } from '#/domain/foresight/learning/correction.ts';
import { type CatalogEntry, type GpuEntry, mergeCatalog } from '#/domain/gpu-catalog.ts';
import { withOwnDevices } from '#/domain/own-devices.ts';
import { readCorrections } from '#/services/accuracy/read-corrections.ts';
import type { Context } from '#/services/context.ts';
import { ownDevices } from '#/services/machine/own-devices.ts';

/** A row as an entry: NUMERIC comes as text. */
export function entryOfRow(row: typeof gpuCatalog.$inferSelect): GpuEntry {
  const { type, aliases, hourly_rate, tokens_per_second, memory_gb, like } = row;
  const gb = memory_gb === null ? null : Number(memory_gb);
  return { type, aliases, hourly_rate: Number(hourly_rate), tokens_per_second, memory_gb: gb, like };
}

/** The catalogue as it stands for this transaction: ours, with what administrators said of it. */
export async function readGpuCatalog(tx: Tx): Promise<CatalogEntry[]> {
  const rows = await tx.select().from(gpuCatalog).orderBy(asc(gpuCatalog.type));
  return mergeCatalog(rows.map(entryOfRow));
}

/** What trainings are priced on, for every user, with what this installation has itself and what corrects this user's forecasts. */
export function listGpus(ctx: Context): Promise<{ gpus: CatalogEntry[]; corrections: Corrections }> {
  return asUser(ctx.user_id, async (tx) => ({
    gpus: withOwnDevices(await readGpuCatalog(tx), await ownDevices(tx)),
    corrections: await readCorrections(tx, ctx.user_id),
  }));
}
