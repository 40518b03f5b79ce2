/** What a backup file is: a tar archive of `lowrank-backup.json`, then `database/…` and `data/…`, then `manifest.json`. */
import * as z from 'zod';

export const HEADER_NAME = 'lowrank-backup.json';
export const MANIFEST_NAME = 'manifest.json';
/** More than a manifest of a million files takes. */
export const JSON_BYTES_MAX = 512 * 1024 * 1024;

/** The first entry: what is inside, so that a restore can say early that it does not fit. */
export const BackupHeader = z.object({
  format: z.literal('lowrank-backup'),
  version: z.literal(1),
  made_at: z.iso.datetime(),
  lowrank: z.string(),
  /** Null when the database is one of DATABASE_URL and not in here. Its files suit one major version and processor type only. */
  database: z.object({ major: z.int(), arch: z.string() }).nullable(),
  files: z.int().min(0),
  bytes: z.int().min(0),
});
export type BackupHeader = z.infer<typeof BackupHeader>;

/** The last entry: every file and folder. A file that is cut short has none and is refused. */
export const BackupManifest = z.object({
  files: z.record(z.string(), z.object({ sha256: z.string(), bytes: z.int().min(0), mode: z.int() })),
  folders: z.record(z.string(), z.object({ mode: z.int() })),
});
export type BackupManifest = z.infer<typeof BackupManifest>;
