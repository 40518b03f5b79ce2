/** What may be said of a push to the Hub, the lines that `python -m lora_trainer.push` writes, and what can go wrong there. */
import * as z from 'zod';
import { HUB_TOKEN, HUB_TOKEN_FORM, HubRevision } from './model-hub-id.ts';
import { PlainLine } from './plain-text.ts';
import { StorableText } from './storable-text.ts';

/** Why an artifact cannot be brought to the Hub. */
export const PUSH_ERROR_CODES = [
  'hub_forbidden',
  'hub_refused',
  'hub_repo_public',
  'too_large',
  'artifact_gone',
  'checksum_mismatch',
  'disk_full',
  'address_refused',
  'hub_unreachable',
  'internal',
] as const;

/** A branch that takes commits; one that is not there is made. */
export const HubBranch = HubRevision.refine(
  (branch) => !/^[0-9a-f]{40}$/.test(branch),
  'must be a branch: nothing can be added to a commit',
);

/** The title of the commit. */
export const CommitMessage = PlainLine.min(1, 'must not be empty').max(200, 'must have at most 200 characters');

/** A push is made with its owner's token alone: the installation's would write into its administrator's account. */
export const HubWriteToken = z
  .string({
    error: ({ input }) =>
      input === undefined
        ? 'is required: a token of your own Hub account that may write to the repository (huggingface.co/settings/tokens)'
        : undefined,
  })
  .regex(HUB_TOKEN, HUB_TOKEN_FORM);

/** What a push keeps of what was asked, beside its repository. */
export interface PushOptions {
  /** Of a repository that the push makes. */
  private?: boolean | undefined;
  message?: string | undefined;
}

export const PushLine = z.discriminatedUnion('type', [
  /** The files are sound, the repository takes them, and this much is going to be sent. */
  z.object({ type: z.literal('listing'), bytes: z.int().min(0), files: z.int().min(1) }),
  z.object({ type: z.literal('progress'), bytes: z.int().min(0) }),
  /** The commit at which the repository has them. */
  z.object({ type: z.literal('done'), commit: z.string().regex(/^[0-9a-f]{40}$/) }),
  z.object({ type: z.literal('error'), code: z.enum(PUSH_ERROR_CODES), message: StorableText(1000) }),
]);
export type PushLine = z.infer<typeof PushLine>;
export type PushListing = Extract<PushLine, { type: 'listing' }>;

/** The line as a push's word, or null when it is none. */
export function readPushLine(line: string): PushLine | null {
  try {
    return PushLine.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null;
  }
}
