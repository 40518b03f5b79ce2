/** A model that a training needs stays: whoever takes it away and whoever submits a training on it wait for each other. */
import { and, eq, isNull, sql } from 'drizzle-orm';
import { baseModels } from '#/db/schema/base-models.ts';
import { settings } from '#/db/schema/machine.ts';
import type { Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import type { Context } from '#/services/context.ts';
import { lockHubModels } from '#/services/transfers/model-transfers.ts';
import type { BaseModelRow } from './model-row.ts';

/** The refusal of a training on a model that is not there. */
export const noSuchModel = (): AppError =>
  new AppError('not_found', 'There is no such base model', [
    { path: 'base_model_id', message: 'no such base model', code: 'not_found' },
  ]);

/**
 * Locks a model that the caller may take away, as its importer or as the login of administrators, until the transaction ends: who stores a job on it meanwhile waits, for its foreign key
 * locks the same row. Throws `conflict` while a training that is not over needs it, whoever's.
 */
export async function refuseWhileTrainedOn(tx: Tx, ctx: Context, model: BaseModelRow, wish: string): Promise<void> {
  const { id, name } = model;
  await tx.select({ id: baseModels.id }).from(baseModels).where(eq(baseModels.id, id)).for('update');
  const asked =
    model.created_by === ctx.user_id ? sql`lowrank.own_model_needed(${id}::uuid)` : sql`lowrank.model_needed(${id}::uuid)`;
  const { rows } = await tx.execute<{ needed: boolean }>(sql`SELECT ${asked} AS needed`);
  if (rows[0]?.needed !== true) return;
  throw modelInUse(
    `${name} cannot be ${wish} while a training that is not over needs it, yours or somebody else's: wait for its end`,
  );
}

/**
 * Locks a model that the caller, its importer, narrows to a project of theirs until the transaction ends: who stores a job, a transfer or a
 * choice of it meanwhile waits, and then does not see it. Throws `conflict` while anybody else's things name it.
 */
export async function refuseWhileShared(tx: Tx, { id, name, hf_repo_id }: BaseModelRow): Promise<void> {
  if (hf_repo_id !== null) await lockHubModels(tx, hf_repo_id);
  await tx.select({ id: baseModels.id }).from(baseModels).where(eq(baseModels.id, id)).for('update');
  const { rows } = await tx.execute<{ used: boolean }>(sql`SELECT lowrank.own_model_used_by_others(${id}::uuid) AS used`);
  if (rows[0]?.used === true) {
    const message = `${name} cannot be narrowed to a project: somebody else’s training, transfer or default names it. Leave it shared, or register it anew with project_id`;
    throw new AppError('conflict', message, [{ path: 'project_id', message, code: 'model_in_use' }]);
  }
  const [chosen] = await tx.select({ value: settings.value }).from(settings).where(eq(settings.key, 'default_base_model_id'));
  if (chosen?.value !== id) return;
  const message = `${name} cannot be narrowed to a project: it is the installation’s default base model. Have an administrator choose another first`;
  throw new AppError('conflict', message, [{ path: 'project_id', message, code: 'model_in_use' }]);
}

/** The refusal to take a model away that is trained on. */
export const modelInUse = (message: string): AppError =>
  new AppError('conflict', message, [{ path: 'id', message, code: 'model_in_use' }]);

/** Throws `not_found` when a model was taken away while a job on it was being stored. Call it once the job is. */
export async function refuseWithoutModel(tx: Tx, id: string): Promise<void> {
  const [there] = await tx
    .select({ id: baseModels.id })
    .from(baseModels)
    .where(and(eq(baseModels.id, id), isNull(baseModels.deleted_at)));
  if (there === undefined) throw noSuchModel();
}
