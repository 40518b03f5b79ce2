import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import type pg from 'pg';
import { AppError } from '#/domain/app-error.ts';
import { asUnavailable, databaseErrorCode, type Login, poolOf } from './pools.ts';
import * as activities from './schema/activities.ts';
import * as baseModels from './schema/base-models.ts';
import * as costs from './schema/costs.ts';
import * as datasets from './schema/datasets.ts';
import * as experiments from './schema/experiments.ts';
import * as foresight from './schema/foresight.ts';
import * as gpuCatalog from './schema/gpu-catalog.ts';
import * as identity from './schema/identity.ts';
import * as jobs from './schema/jobs.ts';
import * as machine from './schema/machine.ts';
import * as projects from './schema/projects.ts';
import * as recipes from './schema/recipes.ts';
import * as samples from './schema/samples.ts';
import * as trainingImages from './schema/training-images.ts';
import * as transfers from './schema/transfers.ts';
import * as webhooks from './schema/webhooks.ts';
import { turns } from './turns.ts';

const schema = {
  ...identity,
  ...datasets,
  ...baseModels,
  ...costs,
  ...foresight,
  ...gpuCatalog,
  ...jobs,
  ...machine,
  ...projects,
  ...recipes,
  ...samples,
  ...experiments,
  ...activities,
  ...trainingImages,
  ...transfers,
  ...webhooks,
};

/** An open transaction in somebody's name: the only thing through which rows are reached. */
export type Tx = NodePgDatabase<typeof schema>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const RETRIED = new Set(['40P01', '40001']);
const TRIES_MAX = 3;

const databases = new WeakMap<pg.PoolClient, Tx>();

function databaseOf(client: pg.PoolClient): Tx {
  let database = databases.get(client);
  if (database === undefined) {
    database = drizzle(client, { schema });
    databases.set(client, database);
  }
  return database;
}

async function inTransaction<T>(login: Login, opening: string, work: (tx: Tx) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    let client: pg.PoolClient;
    try {
      client = await poolOf(login).connect();
    } catch (error) {
      throw asUnavailable(error);
    }
    let broken: Error | undefined;
    // A connection that breaks between two queries says so by an event, and one that nobody hears ends the process.
    const onError = (error: Error) => {
      broken = error;
    };
    client.on('error', onError);
    try {
      const result = await openAndWork(client, login, opening, work);
      await client.query('COMMIT');
      return result;
    } catch (error) {
      await client.query('ROLLBACK').catch((failed: Error) => {
        broken = failed;
      });
      const code = databaseErrorCode(error);
      if (code !== undefined && RETRIED.has(code) && attempt < TRIES_MAX) continue;
      throw asUnavailable(error);
    } finally {
      client.off('error', onError);
      client.release(broken);
    }
  }
}

/**
 * Opens a transaction and works in it. The web login's first statement goes out with the opening (see `pipeline` in pools.ts):
 * a round trip less, a third of a read's. Should the opening fail, that statement runs without claims, and row-level security
 * gives it nothing; the other logins have rights without claims, so theirs waits.
 */
async function openAndWork<T>(client: pg.PoolClient, login: Login, opening: string, work: (tx: Tx) => Promise<T>): Promise<T> {
  const opened = client.query(opening);
  if (login !== 'web') await opened;
  // Both are waited for: nothing of `work` may run on a connection that was given back.
  const [open, worked] = await Promise.allSettled([opened, work(databaseOf(client))]);
  if (open.status === 'rejected') throw open.reason;
  if (worked.status === 'rejected') throw worked.reason;
  return worked.value;
}

/** Of a pool's ten connections: one person's slow reads leave others theirs. */
const AT_ONCE_A_PERSON = 4;
const TURN_WAIT_MS = 10_000;
const inTurn = turns(
  AT_ONCE_A_PERSON,
  TURN_WAIT_MS,
  () => new AppError('rate_limited', 'Too much of yours is being answered at once: wait for it, then try again', [], 5),
);

/**
 * Runs `work` in one transaction that sees and changes one user's rows and nobody else's.
 * `work` may run again after a deadlock, so it must do nothing but database work; four of one user's run at once. Throws
 * `database_unavailable` and, of what waited for its turn too long, `rate_limited`.
 */
export function asUser<T>(user_id: string, work: (tx: Tx) => Promise<T>): Promise<T> {
  // The id goes into the statement's text (one round trip for BEGIN and claims), so it must be a UUID and nothing else.
  if (!UUID.test(user_id)) throw new Error('asUser needs a canonical UUID');
  return inTurn(user_id, () =>
    inTransaction('web', `BEGIN; SELECT set_config('request.jwt.claims', '{"sub":"${user_id}"}', true)`, work),
  );
}

/** Runs `work` in one transaction of the scheduler, who works for every user within its own grants. */
export function asScheduler<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
  return inTransaction('scheduler', 'BEGIN', work);
}

/** Runs `work` in one transaction of the identity login: people, sessions, keys and the installation's settings. */
export function asIdentity<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
  return inTransaction('identity', 'BEGIN', work);
}

/** Runs `work` in one transaction of the sender of webhooks: receivers, their secrets and the outbox, and nothing else. */
export function asDelivery<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
  return inTransaction('delivery', 'BEGIN', work);
}

/** The identity login's pool, for the sign-in library, which brings its own queries. */
export function identityPool(): pg.Pool {
  return poolOf('identity');
}
