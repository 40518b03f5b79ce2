/** What executors leave in an attempt's folder, so that any later worker reads how it stands. */
import * as z from 'zod';
import { readJsonFile } from '../json-file.ts';

/** The file that an attempt's folder has where the attempt lives in a container. */
export const CONTAINER_RECORD = 'container.json';

/** What of it says what the container was made of. */
export const MadeOf = z.object({ image: z.string(), image_id: z.string() });

export const ExitRecord = z.object({
  code: z.int().nullable(),
  signal: z.string().nullable(),
  stop_requested: z.string().nullable(),
  fenced: z.boolean(),
  orphans_killed: z.int(),
  oom_kills: z.int(),
  log_bytes_dropped: z.int(),
  ran_ms: z.int().nullable().default(null),
});
export type ExitRecord = z.infer<typeof ExitRecord>;

/** A record; null when it is not there. Throws when it is there and no such record. */
export async function readRecord<T extends z.ZodType>(schema: T, path: string): Promise<z.infer<T> | null> {
  const value = await readJsonFile(path);
  return value === null ? null : schema.parse(value);
}
