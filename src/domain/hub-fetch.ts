/** The lines that `python -m lora_trainer.fetch` writes, one JSON object each, and what can go wrong there. */
import * as z from 'zod';
import { StorableText } from './storable-text.ts';

/** Why a model or a dataset of the Hub cannot be had. */
export const FETCH_ERROR_CODES = [
  'model_not_found',
  'dataset_not_found',
  'gated_model',
  'gated_dataset',
  'unsafe_model_format',
  'remote_code_not_allowed',
  'weights_missing',
  'data_files_missing',
  'unsupported_format',
  'ambiguous_files',
  'config_required',
  'config_not_found',
  'split_required',
  'split_not_found',
  'invalid_csv',
  'invalid_parquet',
  'invalid_config',
  'invalid_name',
  'too_large',
  'disk_full',
  'address_refused',
  'hub_unreachable',
  'checksum_mismatch',
  'internal',
] as const;

export const FetchLine = z.discriminatedUnion('type', [
  /** The revision is a commit now, and this much is going to be fetched. */
  z.object({
    type: z.literal('listing'),
    commit: z.string().regex(/^[0-9a-f]{40}$/),
    bytes: z.int().min(0),
    files: z.int().min(1),
    /** of a dataset: what was chosen, with the first of its files; the names are bounded where they are told */
    config: StorableText(300).nullish(),
    split: StorableText(300).nullish(),
    paths: z.array(StorableText(300)).max(50).optional(),
  }),
  z.object({ type: z.literal('progress'), bytes: z.int().min(0) }),
  z.object({ type: z.literal('done'), files: z.array(z.string()).min(1) }),
  z.object({ type: z.literal('error'), code: z.enum(FETCH_ERROR_CODES), message: StorableText(1000) }),
]);
export type FetchLine = z.infer<typeof FetchLine>;
export type FetchListing = Extract<FetchLine, { type: 'listing' }>;

/** The line as a fetch's word, or null when it is none. */
export function readFetchLine(line: string): FetchLine | null {
  try {
    return FetchLine.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null;
  }
}
