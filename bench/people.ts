import { hashApiKey, makeApiKey, prefixOfApiKey } from '#/services/people/api-key-format.ts';
import { type BenchDatabase, benchId } from './database.ts';

/** One API key each for the people 1…`people`, in their order. */
export async function addKeys(database: BenchDatabase, people: number): Promise<string[]> {
  const keys = Array.from({ length: people }, () => makeApiKey());
  for (const [at, key] of keys.entries()) {
    await database.run(
      `INSERT INTO identity.api_keys (user_id, name, prefix, hash, scopes) VALUES ($1, 'bench', $2, $3, '{read,write}')`,
      [benchId(1, at + 1), prefixOfApiKey(key), hashApiKey(key)],
    );
  }
  return keys;
}

export const bearer = (key: string | undefined): Record<string, string> => ({ Authorization: `Bearer ${key}` });
