import type { core } from 'zod';
import { AppError, type Violation } from '#/domain/app-error.ts';

/** More rows than this help nobody. */
export const ROWS_MAX = 50;
const ROWS_IN_SENTENCE = 3;
/** Names and rules may hold what the caller sent: an answer never grows with it. */
const NAME_LENGTH_MAX = 100;
const PATH_LENGTH_MAX = 400;
const MESSAGE_LENGTH_MAX = 1_000;

type RawIssue = core.$ZodRawIssue;
type Issue = core.$ZodIssue;

const FORMATS: Record<string, string> = {
  uuid: 'must be a UUID such as 3f0c9f52-6b0e-4f53-9a51-0a2d6b1f8a11',
  email: 'must be an e-mail address such as ada@example.org',
  url: 'must be a URL',
  datetime: 'must be an instant in UTC such as 2030-01-31T12:00:00Z',
};

const KINDS: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  nan: 'not a number',
  null: 'null',
};

const kindOf = (value: unknown): string => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number' && !Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : 'infinite';
  return typeof value;
};
const named = (kind: string): string => KINDS[kind] ?? kind;

function bound(issue: { origin: string; inclusive?: boolean }, limit: number | bigint, side: 'most' | 'least'): string {
  const word = issue.inclusive === false ? (side === 'most' ? 'less than' : 'more than') : `at ${side}`;
  if (issue.origin === 'string') {
    if (side === 'least' && limit === 1) return 'must not be empty';
    return `must have ${word} ${limit} character${limit === 1 ? '' : 's'}`;
  }
  if (issue.origin === 'array' || issue.origin === 'set') return `must have ${word} ${limit} item${limit === 1 ? '' : 's'}`;
  return `must be ${word} ${limit}`;
}

/** Zod's words for a broken rule, in ours: a predicate that follows the field's name. Set once as Zod's error map. */
export function predicateOf(issue: RawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type': {
      if (issue.input === undefined) return 'is required';
      if (kindOf(issue.input) === 'number' && issue.expected === 'int') return 'must be a whole number';
      return `must be ${named(issue.expected)}, not ${named(kindOf(issue.input))}`;
    }
    case 'too_big':
      return bound(issue, issue.maximum, 'most');
    case 'too_small':
      return bound(issue, issue.minimum, 'least');
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'invalid_value': {
      if (issue.input === undefined) return 'is required';
      const values = issue.values.map(String);
      return values.length === 1 ? `must be ${values[0]}` : `must be one of ${values.join(', ')}`;
    }
    case 'invalid_format':
      return FORMATS[issue.format] ?? 'does not have the form that it must have';
    case 'unrecognized_keys':
      return 'is not known here';
    case 'invalid_key':
      return `is no name for a field: it ${issue.issues[0]?.message ?? 'breaks a rule'}`;
    default:
      return undefined;
  }
}

const ROOT: Record<string, string> = { json: 'body', query: 'query', param: 'path', header: 'headers' };

function rowsOf(issue: Issue, target: string, before: PropertyKey[] = []): Violation[] {
  const parts = [...before, ...issue.path];
  const path = parts.length === 0 ? (ROOT[target] ?? target) : pathOf(parts);
  if (issue.code === 'unrecognized_keys') {
    const word = target === 'query' ? 'parameter' : 'field';
    return issue.keys.map((key) => ({
      path: pathOf([...parts, key]),
      message: `is not a known ${word}`,
      code: `unknown_${word}`,
    }));
  }
  if (issue.code === 'invalid_union') {
    // The variant that got furthest says best what is wrong.
    const [closest] = [...issue.errors].sort((a, b) => depthOf(b) - depthOf(a) || a.length - b.length);
    if (closest !== undefined && closest.length > 0) return closest.flatMap((inner) => rowsOf(inner, target, parts));
  }
  const code = /^is required\b/.test(issue.message)
    ? 'required'
    : issue.code === 'custom'
      ? (customCode(issue) ?? 'invalid')
      : issue.code;
  return [{ path, message: issue.message, code }];
}

const depthOf = (issues: Issue[]): number => Math.max(0, ...issues.map((issue) => issue.path.length));
const customCode = (issue: Issue): string | undefined => {
  const params = 'params' in issue ? (issue.params as Record<string, unknown> | undefined) : undefined;
  return typeof params?.code === 'string' ? params.code : undefined;
};

/** The refusal of a request that breaks rules: all of them at once, at most 50 rows. `target` is the part of the request. */
export function brokenRules(issues: readonly Issue[], target: string): AppError {
  return refusal(issues.flatMap((issue) => rowsOf(issue, target)));
}

const cut = (text: string, most: number): string => (text.length <= most ? text : `${text.slice(0, most).toWellFormed()}…`);

/** The way to a value, with each name cut to what helps to find it. */
export const pathOf = (parts: readonly PropertyKey[]): string =>
  parts.map((part) => cut(String(part), NAME_LENGTH_MAX)).join('.');

/** A refusal with the given rows, its sentence made from the first few. */
export function refusal(rows: Violation[]): AppError {
  const told = rows.slice(0, ROWS_MAX).map(({ path, message, code }) => ({
    path: cut(path, PATH_LENGTH_MAX),
    message: cut(message, MESSAGE_LENGTH_MAX),
    code,
  }));
  const first = told.slice(0, ROWS_IN_SENTENCE).map(inWords);
  const more = rows.length > first.length ? `; and ${rows.length - first.length} more` : '';
  return new AppError('invalid_request', first.join('; ') + more, told);
}

/** A row as a clause: its path and its rule, the field's name said once. */
export function inWords(row: Violation): string {
  const name = row.path.split('.').at(-1) ?? '';
  return row.message.startsWith(`${name} `) ? `${row.path}${row.message.slice(name.length)}` : `${row.path} ${row.message}`;
}
