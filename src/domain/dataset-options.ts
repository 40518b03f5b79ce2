/** What may be said about a dataset file: its label, its columns, what to do with broken rows. */
import * as z from 'zod';
import { PlainLine, PlainText } from './plain-text.ts';
import { CANONICAL_FIELDS, type ColumnMapping, DATASET_SHAPES, INVALID_ROWS } from './trainer-config.ts';
import { ResourceName } from './training-spec.ts';

const FILE_NAME_BYTES_MAX = 255;

/** A file's name as its owner has it. A label only: no path is ever made of it. */
export const FileLabel = PlainLine.refine((name) => !['', '.', '..'].includes(name.trim()), 'must name a file').refine(
  (name) => new TextEncoder().encode(name).length <= FILE_NAME_BYTES_MAX,
  `must have at most ${FILE_NAME_BYTES_MAX} bytes`,
);

export const Description = PlainText.max(2000, 'must have at most 2000 characters');

/** `auto` recognises the shape by its columns. */
export const DatasetFormat = z.enum(['auto', ...DATASET_SHAPES]);
export type DatasetFormat = z.infer<typeof DatasetFormat>;

function mappingPairs(text: string): unknown {
  if (text.trim() === '') return {};
  if (text.trimStart().startsWith('{')) {
    try {
      return JSON.parse(text);
    } catch {
      return undefined;
    }
  }
  const pairs: [string, string][] = [];
  for (const part of text.split(',')) {
    const at = part.indexOf('=');
    if (at < 1) return undefined;
    pairs.push([part.slice(0, at).trim(), part.slice(at + 1).trim()]);
  }
  if (new Set(pairs.map(([field]) => field)).size !== pairs.length) return undefined;
  return Object.fromEntries(pairs);
}

const MAPPING_FORM =
  'must be field=column pairs with commas between them, each field once, e.g. prompt=question,completion=answer';

/** Characters of a column's name. */
export const COLUMN_MAX = 400;

/** Which column holds which field. A name that no recipe reads is refused, with those that are. */
export const Mapping = z.unknown().transform((value, context): ColumnMapping => {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    context.addIssue({ code: 'custom', message: MAPPING_FORM });
    return z.NEVER;
  }
  for (const [field, column] of Object.entries(value)) {
    if (!(CANONICAL_FIELDS as readonly string[]).includes(field)) {
      const message = `${JSON.stringify(field.slice(0, 60))} is no field that we read: ${CANONICAL_FIELDS.join(', ')}`;
      context.addIssue({ code: 'custom', path: [field.slice(0, 60)], message });
    } else if (typeof column !== 'string' || column === '' || column.length > COLUMN_MAX) {
      context.addIssue({ code: 'custom', path: [field], message: `must name a column with 1 to ${COLUMN_MAX} characters` });
    }
  }
  return context.issues.length > 0 ? z.NEVER : { ...value };
});

/** Which column holds which field, as text: `prompt=question,completion=answer`, or the same as a JSON object. */
export const MappingText = z
  .string()
  .max(8000, 'must have at most 8000 characters')
  .transform((text, context) => {
    const pairs = mappingPairs(text);
    if (pairs === undefined) {
      context.addIssue({ code: 'custom', message: MAPPING_FORM });
      return z.NEVER;
    }
    const parsed = Mapping.safeParse(pairs);
    if (parsed.success) return parsed.data;
    for (const issue of parsed.error.issues) context.addIssue({ code: 'custom', path: issue.path, message: issue.message });
    return z.NEVER;
  });

/** What an upload says about its file. Texts, for they come as form fields or query parameters. */
export const UploadOptions = z.strictObject({
  name: ResourceName.optional(),
  description: Description.default(''),
  file_name: FileLabel.default('dataset.jsonl'),
  format: DatasetFormat.default('auto'),
  mapping: MappingText.default({}),
  invalid_rows: z.enum(INVALID_ROWS).default('refuse'),
});
export type UploadOptions = z.infer<typeof UploadOptions>;

/** A name for a dataset that was given none: its file's, without folder and ending. */
export function nameFromFile(file_name: string): string {
  const base = file_name.split(/[/\\]/).pop() ?? '';
  const stem = base.replace(/\.[A-Za-z0-9]{1,10}$/, '').trim();
  return [...(stem === '' ? 'dataset' : stem)].slice(0, 120).join('').trim();
}
