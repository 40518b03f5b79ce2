/** Parses `contracts.md`, and says of a field's rule what it takes and what it refuses. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const TEXT = readFileSync(join(import.meta.dirname, 'contracts.md'), 'utf8');

/** The rows of the table below a heading, by column. */
export function tableOf(heading: string): Record<string, string>[] {
  const section = TEXT.split(/^## /m).find((part) => part.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`contracts.md has no table ${heading}`);
  const [head = [], , ...rows] = section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  return rows.map((cells) => Object.fromEntries(head.map((name, at) => [name, cells[at] ?? ''])));
}

export interface Field {
  door: string;
  field: string;
  rule: string;
  required: boolean;
  /** As it comes back; undefined: not told, or not one value. */
  otherwise: string | undefined;
}

export const FIELDS: Field[] = tableOf('Fields').map(({ door = '', field = '', rule = '', presence, default: value = '' }) => ({
  door,
  field,
  rule,
  required: presence === 'required',
  otherwise: value === '' ? undefined : value,
}));

/** A value as JSON text, for not all of them can be written as a value of JavaScript. */
export interface Case {
  text: string;
  /** What of the refusal's rows is known beforehand: their codes; the path may lie deeper than the field. */
  codes?: RegExp;
}

const SCALARS = ['true', 'null', '"4"', '[4]', '{}'];
const NO_NUMBERS: Case[] = ['true', 'false', 'null', '"4"', '"1e-4"', '"NaN"', '[4]', '{}', '1e309', '-1e309'].map((text) => ({
  text,
  codes: /^invalid_type$/,
}));
/** No JSON at all. */
export const NOT_JSON = ['NaN', 'Infinity', '-Infinity', 'undefined', '0x10', '1_000', '01', '+1', '.5', "'4'"];

const bad = (codes: RegExp, ...texts: string[]): Case[] => texts.map((text) => ({ text, codes }));

function ofNumber(bounds: string, whole: boolean): { takes: string[]; refuses: Case[] } {
  const [low = '', high = ''] = bounds === '' ? [] : bounds.split('…');
  const step = whole ? 1 : 1e-9;
  const least = low === '' ? [] : [Number(low)];
  const most = high === '' ? [] : [Number(high)];
  return {
    takes: [...least, ...most].map(String).concat(bounds === '' ? ['0', '12.5'] : []),
    refuses: [
      ...NO_NUMBERS,
      ...least.flatMap((value) => bad(/^too_small$/, String(value - step), String(-1e6))),
      ...most.flatMap((value) => bad(/^too_big$/, String(value + step), '1e15')),
      ...(whole ? bad(/^(invalid_type|not_multiple_of)$/, `${low || 1}.5`) : []),
    ],
  };
}

/** What a rule takes and what it refuses. Throws for a rule that it does not know. */
export function casesOf(rule: string): { takes: string[]; refuses: Case[] } {
  const [kind = '', ...rest] = rule.split(' ');
  const more = rest.join(' ');
  switch (kind) {
    case 'integer':
      return ofNumber(more, true);
    case 'number':
      return ofNumber(more, false);
    case 'uuid':
      return {
        takes: [`"${more}"`],
        refuses: [
          ...bad(/^invalid_format$/, '"123"', '""', `"{${more}}"`, `"urn:uuid:${more}"`),
          ...bad(/^invalid_type$/, '7', 'null', 'true', `["${more}"]`),
        ],
      };
    case 'one': {
      const values = more.replace('of ', '').split(', ');
      return {
        takes: values.map((value) => JSON.stringify(value)),
        refuses: bad(/^invalid_value$/, `"${values[0]?.toUpperCase()}"`, '""', '"x"', ...SCALARS),
      };
    }
    case 'text': {
      const [low = 0, high] = more.split('…');
      return {
        takes: ['"a"', ...(high ? [`"${'a'.repeat(Number(high))}"`] : [])],
        refuses: [
          ...bad(/^invalid_type$/, '7', 'true', '["a"]', '{}'),
          ...(Number(low) > 0 ? bad(/^too_small$/, '""') : []),
          ...(high ? bad(/^too_big$/, `"${'a'.repeat(Number(high) + 1)}"`) : []),
        ],
      };
    }
    case 'boolean':
      return { takes: ['true', 'false'], refuses: bad(/^invalid_type$/, '"true"', '1', 'null', '[]', '{}') };
    case 'object':
      return { takes: [], refuses: bad(/^(invalid_type|required)$/, '[]', '"{}"', '1', 'true', 'null') };
    case 'list':
      return { takes: ['[]'], refuses: bad(/^(invalid_type|too_small)$/, '"a"', '1', 'true', 'null', '{}', '[1]', '[null]') };
    case 'hub':
      return {
        takes: ['"acme/tiny"', '"acme/tiny@main"'],
        refuses: [
          ...bad(/^invalid$/, '"tiny"', '""', '"a/b/c"', '"../x"', '"/models/x"', '"https://huggingface.co/a/b"', '"-a/b"'),
          ...bad(/^invalid$/, '"a--b/c"', '"a/b..c"', '"file:///etc/passwd"', '"a/b@"', '"stаbilityai/sdxl"'),
          ...bad(/^invalid_type$/, '7', 'null', 'true', '["acme/tiny"]'),
        ],
      };
    case 'gpu':
      return {
        takes: ['"H100"', '"h100"', '"a100"', '"A100-80GB"'],
        refuses: [
          ...bad(/^unknown_gpu$/, '"Voodoo2"', '"__proto__"', '"all"'),
          ...bad(/^(invalid_type|too_small)$/, '""', '7', 'null', '["H100"]'),
        ],
      };
    case 'recipe':
      return {
        takes: ['"lora"', '"dora"'],
        refuses: [...bad(/^invalid_format$/, '"LORA"', '""', '"x"'), ...bad(/^invalid_type$/, '7', 'null', '["lora"]')],
      };
    default:
      throw new Error(`contracts.md has a rule that read-tables.ts does not know: ${rule}`);
  }
}
