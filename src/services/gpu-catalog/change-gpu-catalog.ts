import { eq, sql } from 'drizzle-orm';
import { gpuCatalog } from '#/db/schema/gpu-catalog.ts';
import { asIdentity, type Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { type CatalogEntry, GPU_ENTRIES_MAX, type GpuFigures, gpuKey, takenGpuName } from '#/domain/gpu-catalog.ts';
import type { Context } from '#/services/context.ts';
import type { CreationHooks } from '#/services/idempotency/idempotent-creation.ts';
import { entryOfRow, readGpuCatalog } from './read-gpu-catalog.ts';

/** One change at a time: whether a name is free is for the whole table to say. Throws `forbidden` (not an administrator). */
async function changing<T>(ctx: Context, work: (tx: Tx, catalog: CatalogEntry[]) => Promise<T>): Promise<T> {
  if (ctx.role !== 'administrator') throw new AppError('forbidden', 'Only administrators change what devices cost');
  return asIdentity(async (tx) => {
    await tx.execute(sql`LOCK TABLE ${gpuCatalog} IN SHARE ROW EXCLUSIVE MODE`);
    return work(tx, await readGpuCatalog(tx));
  });
}

const ofType = (type: string) => eq(sql`lower(${gpuCatalog.type})`, type.toLowerCase());
const columnsOf = ({ hourly_rate, memory_gb, ...figures }: GpuFigures) => ({
  ...figures,
  hourly_rate: hourly_rate.toFixed(2),
  memory_gb: memory_gb === null ? null : memory_gb.toFixed(1),
});

/** Another name of something else would make two devices of one word. */
function checkNames(catalog: CatalogEntry[], wanted: { type: string; aliases: readonly string[] }): void {
  const taken = takenGpuName(catalog, wanted);
  if (taken !== null) throw new AppError('conflict', `${taken} names a device of the catalogue already: choose another name`);
}

/** An entry of this very name; another name of it does not count. Throws `not_found`. */
function findEntry(catalog: CatalogEntry[], type: string): CatalogEntry {
  const entry = catalog.find((one) => gpuKey(one.type) === gpuKey(type));
  if (entry === undefined) throw new AppError('not_found', 'There is no such device in the catalogue');
  return entry;
}

/** Adds a device. Throws `forbidden`, and `conflict` (its name is taken, the catalogue is full). */
export function addGpu(ctx: Context, asked: GpuFigures & { type: string }, hooks: CreationHooks = {}): Promise<CatalogEntry> {
  return changing(ctx, async (tx, catalog) => {
    const known = await hooks.before?.(tx);
    if (known != null) {
      const [row] = await tx.select().from(gpuCatalog).where(eq(gpuCatalog.id, known));
      if (row === undefined) throw new AppError('not_found', 'The device of this Idempotency-Key has been removed since');
      return findEntry(catalog, entryOfRow(row).type);
    }
    if (catalog.some((entry) => gpuKey(entry.type) === gpuKey(asked.type))) {
      throw new AppError('conflict', `${asked.type} is in the catalogue already: change it there`);
    }
    checkNames(catalog, asked);
    if (catalog.filter((entry) => entry.origin === 'added').length >= GPU_ENTRIES_MAX) {
      throw new AppError('conflict', `The catalogue takes ${GPU_ENTRIES_MAX} devices beside its own: remove one first`);
    }
    const [made] = await tx
      .insert(gpuCatalog)
      .values({ type: asked.type, ...columnsOf(asked) })
      .returning();
    if (made === undefined) throw new Error('the insert of a device returned no row');
    await hooks.after?.(tx, made.id);
    return { ...entryOfRow(made), origin: 'added' };
  });
}

/** Says something else of a device; jobs keep the price that they were asked at. Throws `forbidden`, `not_found`, `conflict`. */
export function changeGpu(ctx: Context, type: string, changes: Partial<GpuFigures>): Promise<CatalogEntry> {
  return changing(ctx, async (tx, catalog) => {
    const { origin, ...entry } = findEntry(catalog, type);
    const changed = {
      type: entry.type,
      aliases: [...(changes.aliases ?? entry.aliases)],
      hourly_rate: changes.hourly_rate ?? entry.hourly_rate,
      tokens_per_second: changes.tokens_per_second ?? entry.tokens_per_second,
      // null is something to say.
      memory_gb: changes.memory_gb === undefined ? entry.memory_gb : changes.memory_gb,
      like: changes.like === undefined ? entry.like : changes.like,
    };
    checkNames(catalog, changed);
    const { type: name, ...figures } = changed;
    if (origin === 'built_in') await tx.insert(gpuCatalog).values({ type: name, ...columnsOf(figures) });
    else await tx.update(gpuCatalog).set(columnsOf(figures)).where(ofType(name));
    return findEntry(await readGpuCatalog(tx), name);
  });
}

/** Removes a device that was added, or what was said of one of ours. Throws `forbidden`, `not_found`, and `conflict` (ours, unchanged). */
export function removeGpu(ctx: Context, type: string): Promise<void> {
  return changing(ctx, async (tx, catalog) => {
    const entry = findEntry(catalog, type);
    if (entry.origin === 'built_in') {
      throw new AppError('conflict', `${entry.type} comes with the product and stays: change its price instead`);
    }
    await tx.delete(gpuCatalog).where(ofType(entry.type));
  });
}
