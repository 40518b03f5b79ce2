import { sql } from 'drizzle-orm';
import { asIdentity } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';

/** Answers when the database does and has its tables. Throws `database_unavailable`. */
export async function checkReady(): Promise<void> {
  const migrated = await asIdentity(async (tx) => {
    const { rows } = await tx.execute<{ migrated: boolean }>(
      sql`SELECT to_regclass('lowrank.idempotency_keys') IS NOT NULL AS migrated`,
    );
    return rows[0]?.migrated === true;
  });
  if (!migrated)
    throw new AppError('database_unavailable', 'The database has not been migrated: run npm run lowrank -- migrate', [], 30);
}
