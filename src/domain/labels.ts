/** What people say about a thing of theirs besides its name: tags, and free facts. */
import * as z from 'zod';
import { ResourceName } from './training-spec.ts';

const METADATA_CHARACTERS_MAX = 16_000;

export const Tags = z.array(ResourceName.max(60, 'must have at most 60 characters')).max(50, 'must have at most 50 tags');

/** Free facts as JSON: nobody here reads them, and no field is unknown. */
export const Metadata = z
  .record(z.string().min(1).max(100), z.unknown())
  .refine(
    (value) => JSON.stringify(value).length <= METADATA_CHARACTERS_MAX,
    `must have at most ${METADATA_CHARACTERS_MAX} characters as JSON`,
  );
export type Metadata = z.infer<typeof Metadata>;

/** Facts that the system keeps beside a thing's own; nobody sets them. */
export const SYSTEM_METADATA = [
  'weights',
  'fetch',
  'requested_format',
  'source',
  'hf_repo_id',
  'hf_revision',
  'hf_requested_revision',
] as const;

/** What a PATCH sets of them: a field with null is taken away, one that is not named stays, the system's are refused. */
export const MetadataChanges = Metadata.superRefine((value, context) => {
  for (const field of Object.keys(value)) {
    if ((SYSTEM_METADATA as readonly string[]).includes(field))
      context.addIssue({ code: 'custom', path: [field], message: 'is kept by the system: choose another name' });
  }
});

/** The facts after such a change. */
export function mergeMetadata(old: Metadata, changes: Metadata): Metadata {
  return Object.fromEntries(Object.entries({ ...old, ...changes }).filter(([, value]) => value !== null));
}
