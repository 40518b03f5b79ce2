import pg from 'pg';
import { AppError } from '#/domain/app-error.ts';

/** The logins that `migrate` makes, each with a role and narrow policies of its own. */
export const LOGINS = ['web', 'scheduler', 'identity', 'delivery'] as const;
export type Login = (typeof LOGINS)[number];

const pools = new Map<Login, pg.Pool>();
const urls = new Map<Login, string>();

/** Milliseconds after which a stuck server is given up on: the client's own limit also holds when the backend is frozen. */
const QUERY_TIMEOUT_MS = 15_000;

/** Says where each login connects. Called once by an entry point (or a test) before any verb runs. */
export function connectDatabase(logins: Partial<Record<Login, string>>, options: { connections_max?: number } = {}): void {
  for (const [login, url] of Object.entries(logins) as [Login, string][]) {
    urls.set(login, url);
    const pool = new pg.Pool({
      connectionString: url,
      max: options.connections_max ?? 10,
      application_name: `lowrank-${login}`,
      connectionTimeoutMillis: 2_000,
      idleTimeoutMillis: 30_000,
      query_timeout: QUERY_TIMEOUT_MS,
      statement_timeout: QUERY_TIMEOUT_MS - 2_000,
      lock_timeout: 5_000,
      idle_in_transaction_session_timeout: 15_000,
      keepAlive: true,
      // A statement goes out without waiting for the one before it; each still has its own answer.
      pipeline: true,
    });
    // An idle connection that the server drops must not end the process; the next query gets a new one.
    pool.on('error', () => undefined);
    pools.set(login, pool);
  }
}

/** The pool of one login. Only `tenancy.ts` and `notify.ts` ask for it. */
export function poolOf(login: Login): pg.Pool {
  const pool = pools.get(login);
  if (pool === undefined) throw new Error(`This process has no ${login} login; connectDatabase was not told of one`);
  return pool;
}

/** The address that a login's LISTEN connection uses. */
export function urlOf(login: Login): string {
  const url = urls.get(login);
  if (url === undefined) throw new Error(`This process has no ${login} login; connectDatabase was not told of one`);
  return url;
}

/** Closes every pool: at shutdown and between tests. */
export async function disconnectDatabase(): Promise<void> {
  const open = [...pools.values()];
  pools.clear();
  urls.clear();
  await Promise.all(open.map((pool) => pool.end()));
}

const CONNECTION_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
  // A statement that took longer than any may.
  '57014',
  '57P01',
  '57P02',
  '57P03',
  '08000',
  '08001',
  '08003',
  '08006',
  '53300',
]);
const CONNECTION_TEXTS = [
  'Connection terminated',
  'connection timeout',
  'timeout exceeded when trying to connect',
  'Query read timeout',
  'Client has encountered a connection error',
];

/** The database's own code of an error, found below Drizzle's wrapping; undefined when it is not the database's. */
export function databaseErrorCode(error: unknown): string | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string') return at.code;
  }
  return undefined;
}

/** Turns a lost connection into `database_unavailable`; anything else is returned as it is. */
export function asUnavailable(error: unknown): unknown {
  if (error instanceof AppError) return error;
  const code = databaseErrorCode(error);
  const texts: string[] = [];
  for (let at: unknown = error; at instanceof Error; at = at.cause) texts.push(at.message);
  const lost =
    (code !== undefined && CONNECTION_CODES.has(code)) ||
    texts.some((text) => CONNECTION_TEXTS.some((known) => text.includes(known)));
  if (!lost) return error;
  const unavailable = new AppError(
    'database_unavailable',
    'The database does not answer right now; try again in a few seconds',
    [],
    5,
  );
  unavailable.cause = error;
  return unavailable;
}
