import { sql } from 'drizzle-orm';
import { knownMigrations } from '#/db/known-migrations.ts';
import { databaseErrorCode } from '#/db/pools.ts';
import { asIdentity } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { shareAnswers } from '#/services/jobs/share-answers.ts';

/** How long an answer serves whoever asks: watchers ask often, and anybody may. */
const KEPT_MS = 2_000;
const RETRY_S = 30;
/** No such function, no such schema, no such table: as it is before any migration, or before the one that made the function. */
const NOT_THERE = new Set(['42883', '3F000', '42P01']);

const states = shareAnswers<{ missing: number; is_ahead: boolean }>(KEPT_MS);
let known: Promise<number[]> | undefined;

/**
 * Answers when the database does and has the migrations of this code, all of them and no others. Throws `database_unavailable`,
 * which says what to do.
 */
export async function checkReady(): Promise<void> {
  const { missing, is_ahead } = await states('migrations', compareMigrations);
  if (missing > 0) throw behind(`The database lacks ${missing} of this version’s migrations: run npm run lowrank -- migrate`);
  if (is_ahead) throw behind('The database was brought up to date by a newer Lowrank than this one: run that version');
}

function behind(message: string): AppError {
  return new AppError('database_unavailable', message, [], RETRY_S);
}

async function compareMigrations(): Promise<{ missing: number; is_ahead: boolean }> {
  // Read once: this process's own code does not change.
  known ??= knownMigrations().then((migrations) => migrations.map(({ when }) => when));
  const [applied, whens] = await Promise.all([newestApplied(), known]);
  return { missing: whens.filter((when) => when > applied).length, is_ahead: applied > Math.max(...whens) };
}

/** When the newest migration that the database has was made; 0 before the first. */
async function newestApplied(): Promise<number> {
  try {
    return await asIdentity(async (tx) => {
      const { rows } = await tx.execute<{ at: string | null }>(sql`SELECT lowrank.newest_migration()::text AS at`);
      return Number(rows[0]?.at ?? 0);
    });
  } catch (error) {
    if (NOT_THERE.has(databaseErrorCode(error) ?? '')) return 0;
    throw error;
  }
}
