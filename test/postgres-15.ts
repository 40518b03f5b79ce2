/** Where the programs of PostgreSQL 15 lie: Debian 12's own, unless said. */
export const POSTGRES_15_BIN = process.env.POSTGRES_15_BIN ?? '/usr/lib/postgresql/15/bin';
