import { sql } from 'drizzle-orm';
import * as z from 'zod';
import { asIdentity } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { DEVICE_KINDS, DEVICE_STATES } from '#/domain/devices.ts';
import { JOB_STATUSES } from '#/domain/statuses.ts';
import { TRANSFER_KINDS, TRANSFER_STATUSES } from '#/domain/transfer-state.ts';
import { DELIVERY_STATUSES } from '#/domain/webhooks.ts';
import type { Context } from '#/services/context.ts';

const count = z.int().min(0);

/** What the installation holds, in counts alone: nothing in it is anybody's. */
const Figures = z.object({
  /** Every job there is, deleted ones too. */
  jobs: z.partialRecord(z.enum(JOB_STATUSES), count),
  queue: z.object({ in_line: count, fetching_model: count }),
  storage: z.object({ datasets: count, artifacts: count, models: count }),
  deliveries: z.partialRecord(z.enum(DELIVERY_STATUSES), count),
  transfers: z.array(z.object({ kind: z.enum(TRANSFER_KINDS), status: z.enum(TRANSFER_STATUSES), count })),
  devices: z.array(z.object({ kind: z.enum(DEVICE_KINDS), state: z.enum(DEVICE_STATES), count })),
  leases: z.array(z.object({ kind: z.enum(DEVICE_KINDS), count })),
  /** Those that did not end in order, the hundred that were heard last. */
  workers: z.array(z.object({ id: z.string(), silent_s: z.number() })),
});
export type Figures = z.infer<typeof Figures>;

/** How long counts are told again: whoever asks more often gets the same ones. */
const KEPT_MS = 5_000;

/**
 * Makes a reader of the installation's figures. It asks the database once in five seconds, whoever asks it and however
 * often: one query, which reads no row of anybody. The reader throws `forbidden` (not an administrator) and `database_unavailable`.
 */
export function figuresReader(): (ctx: Context) => Promise<Figures> {
  let kept: { at: number; figures: Promise<Figures> } | undefined;
  return (ctx) => {
    if (ctx.role !== 'administrator')
      return Promise.reject(new AppError('forbidden', 'Only administrators see the figures of this installation'));
    if (kept === undefined || performance.now() - kept.at > KEPT_MS) {
      const asked = { at: performance.now(), figures: readFigures() };
      kept = asked;
      asked.figures.catch(() => {
        if (kept === asked) kept = undefined;
      });
    }
    return kept.figures;
  };
}

function readFigures(): Promise<Figures> {
  return asIdentity(async (tx) => {
    const { rows } = await tx.execute<{ figures: unknown }>(sql`SELECT lowrank.installation_figures() AS figures`);
    return Figures.parse(rows[0]?.figures);
  });
}
