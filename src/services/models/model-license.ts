import { parse, YAMLError } from 'yaml';
import * as z from 'zod';

const NAMES_MAX = 5;
const CHARACTERS_MAX = 100;

const Name = z.string().transform((text) =>
  text
    .slice(0, 1000)
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim(),
);
const Front = z.looseObject({
  license: z.union([Name.transform((one) => [one]), z.array(Name)]).catch([]),
  license_name: Name.catch(''),
});

/**
 * The licence that a model card names in its front matter (`license`, and `license_name` where that is "other"), as one line of
 * text; null where it names none, or is no card. The card is somebody's text: it is data, never more.
 */
export function licenseOfCard(card: string): string | null {
  const [, front] = /^\uFEFF?---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|$)/s.exec(card) ?? [];
  if (front === undefined) return null;
  const told = Front.safeParse(readYaml(front)).data;
  const names = (told?.license ?? []).filter((name) => name !== '' && name.toLowerCase() !== 'unknown');
  const own = told?.license_name ?? '';
  const said = names.slice(0, NAMES_MAX).map((name) => (name === 'other' && own !== '' ? `other (${own})` : name));
  return said.join(', ').slice(0, CHARACTERS_MAX).toWellFormed() || null;
}

/** Texts, lists and maps alone: no tags, no aliases that grow. What is no such YAML is nothing. */
function readYaml(text: string): unknown {
  try {
    return parse(text, { schema: 'failsafe', maxAliasCount: 0, logLevel: 'error' });
  } catch (error) {
    // Aliases are refused as a ReferenceError; brackets without end nest deeper than a stack is.
    if (error instanceof YAMLError || error instanceof ReferenceError || error instanceof RangeError) return null;
    throw error;
  }
}
