/** The migrated database that each test file's own is a copy of. */
export const TEMPLATE = 'lowrank_template';

/** The same server's address of another database. */
export function withDatabase(url: string, name: string): string {
  const other = new URL(url);
  other.pathname = `/${name}`;
  return other.toString();
}
