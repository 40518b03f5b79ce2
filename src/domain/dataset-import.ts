/** What of a Hub dataset is wanted, and how its rows are to be read: as an import stores it until it is done. */
import * as z from 'zod';
import { DatasetFormat, Description, Mapping } from './dataset-options.ts';
import { INVALID_ROWS } from './trainer-config.ts';

const PATTERN_MAX = 300;
const WILDCARDS_MAX = 4;

/** A configuration's or split's name, as the dataset's card has it. */
const CardName = z
  .string()
  .regex(/^[\p{L}\p{N}_][\p{L}\p{N}_.+ -]{0,99}$/u, 'must be a name of the dataset’s card, at most 100 characters');

/** A file of a repository, or a pattern for several: `*` within a folder, `**` across folders. */
const FilePattern = z
  .string()
  .min(1)
  .max(PATTERN_MAX, `must have at most ${PATTERN_MAX} characters`)
  .regex(/^[^\p{Cc}\p{Cf}\p{Cs}\\]*$/u, 'must be a path in the repository')
  .refine(
    (path) => (path.match(/\*\*\/|\*\*|[*?]/g) ?? []).length <= WILDCARDS_MAX,
    `must have at most ${WILDCARDS_MAX} wildcards`,
  )
  .refine(
    (path) => !path.startsWith('/') && !path.split('/').some((part) => part === '..' || part === '.' || part === ''),
    'must be a path in the repository, such as data/train.jsonl or data/*.jsonl',
  );

/** What may be said about an import beside its repository. `config`, `split` and `file` choose; the rest is as for an upload. */
export const IMPORT_FIELDS = {
  config: CardName.optional(),
  split: CardName.optional(),
  file: FilePattern.optional(),
  description: Description.optional(),
  format: DatasetFormat.optional(),
  mapping: Mapping.optional(),
  invalid_rows: z.enum(INVALID_ROWS).optional(),
};

export type ImportOptions = z.infer<z.ZodObject<typeof IMPORT_FIELDS>>;
