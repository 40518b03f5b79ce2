import * as z from 'zod';

const FORM = 'must be a Hub id like owner/name';
const PART = '[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?';
const IS_PART = new RegExp(`^${PART}$`);
/** The form of an id and of a name as JSON Schema can say it; what stands in a row or at an end is looked at beside it. */
export const HUB_REPO_ID_PATTERN = `^${PART}/${PART}$`;
export const HUB_MODEL_NAME_PATTERN = `^${PART}/${PART}(?:@[A-Za-z0-9_](?:[A-Za-z0-9._/-]*[A-Za-z0-9_-])?)?$`;

/** A model's id on the Hub, by the Hub's own rules for names. Its revision is a field of its own. */
export const HubRepoId = z
  .string()
  .max(96, 'must have at most 96 characters')
  .superRefine((id, context) => {
    const refuse = (message: string) => context.addIssue({ code: 'custom', message });
    if (/^[a-z]+:\/\//i.test(id)) return refuse(`${FORM}, without the address before it`);
    if (/[@:?#]/.test(id)) return refuse(`${FORM}; give a branch, tag or commit as "revision"`);
    const parts = id.split('/');
    if (parts.length !== 2) return refuse(parts.length === 1 ? `${FORM}: the owner is missing` : FORM);
    for (const part of parts) {
      if (!IS_PART.test(part) || /--|\.\./.test(part) || part.endsWith('.git'))
        return refuse(`${FORM}: ASCII letters, digits, "_", "." and "-", not at an end and not twice in a row`);
    }
  });

/** A branch, a tag or a commit. */
export const HubRevision = z
  .string()
  .max(255, 'must have at most 255 characters')
  .regex(/^[A-Za-z0-9_](?:[A-Za-z0-9._/-]*[A-Za-z0-9_-])?$/, 'must be a branch, a tag or a commit')
  .refine((revision) => !/\.\.|\/\/|\/\./.test(revision), 'must be a branch, a tag or a commit');

/** A token of the Hub. What is no token at all is refused before it is stored. */
export const HUB_TOKEN = /^[\x21-\x7e]{1,500}$/;
export const HUB_TOKEN_FORM = 'must be a token of the Hub: no spaces, at most 500 characters';
export const HubToken = z.string().regex(HUB_TOKEN, HUB_TOKEN_FORM);

/** A model as `owner/name`, or `owner/name@revision` for a branch, tag or commit other than `main`. */
export const HubModelName = z.string().superRefine((text, context) => {
  const { hf_repo_id, revision } = splitHubModelName(text);
  for (const check of [HubRepoId.safeParse(hf_repo_id), HubRevision.safeParse(revision)]) {
    if (check.success) continue;
    const [issue] = check.error.issues;
    return context.addIssue({ code: 'custom', message: issue?.message ?? FORM });
  }
});

/** The two halves of a `HubModelName`. */
export function splitHubModelName(text: string): { hf_repo_id: string; revision: string } {
  const at = text.indexOf('@');
  return at === -1 ? { hf_repo_id: text, revision: 'main' } : { hf_repo_id: text.slice(0, at), revision: text.slice(at + 1) };
}
