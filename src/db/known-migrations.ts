import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

interface Migration {
  /** When it was made: the number by which the database remembers it. */
  when: number;
  /** Its file's name without the ending. */
  tag: string;
}

/** The migrations of this code, in their order. */
export async function knownMigrations(): Promise<Migration[]> {
  const text = await readFile(join(import.meta.dirname, 'migrations/meta/_journal.json'), 'utf8');
  return (JSON.parse(text) as { entries: Migration[] }).entries;
}
