import { and, eq, isNull } from 'drizzle-orm';
import { gpuDevices } from '#/db/schema/machine.ts';
import type { Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { findGpu, type GpuEntry, type GpuType } from '#/domain/gpu-catalog.ts';
import type { AskedDevices, GPUConfig } from '#/domain/training-spec.ts';
import type { PricedGpu } from './configure-job.ts';

/** What was asked for in the catalogue's own words, and at its price. Throws `invalid_request` with the catalogue's names. */
export function chooseGpu(catalog: readonly GpuEntry[], asked: GPUConfig): PricedGpu {
  const entry = findGpu(catalog, asked.type);
  if (entry === null) {
    const message = `is not in the catalogue: ${catalog.map(({ type }) => type).join(', ')}`;
    throw new AppError('invalid_request', `gpu_config.type ${message}`, [
      { path: 'gpu_config.type', message, code: 'unknown_gpu' },
    ]);
  }
  const { type, hourly_rate, tokens_per_second } = entry;
  return { type, count: asked.count, hourly_rate, tokens_per_second };
}

/** What a training is given: of the type that it names, or else a GPU of this installation where it has one, else its processor. */
export async function devicesFor(tx: Tx, asked: AskedDevices | null): Promise<GPUConfig> {
  const { type, count } = asked ?? { type: null, count: 1 };
  if (type !== null) return { type, count };
  const gpus = await tx
    .select({ kind: gpuDevices.kind })
    .from(gpuDevices)
    .where(and(eq(gpuDevices.kind, 'gpu'), isNull(gpuDevices.quarantined_at)))
    .limit(1);
  return { type: gpus.length > 0 ? ('Own-GPU' satisfies GpuType) : ('CPU' satisfies GpuType), count };
}
