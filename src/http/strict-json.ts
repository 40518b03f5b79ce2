import { AppError, type Violation } from '#/domain/app-error.ts';
import { isStorable } from '#/domain/storable-text.ts';
import { pathOf, ROWS_MAX, refusal } from './violations.ts';

const DEPTH_MAX = 32;
const KEYS_MAX = 500;

/** Keys that reach an object's prototype in careless code: nobody's field is called so. */
const NEVER_A_FIELD = new Set(['__proto__']);

interface Level {
  /** Keys seen so far; null in an array. */
  keys: Set<string> | null;
  /** How many they were, with those that came again. */
  count: number;
  /** The key or index that is being read. */
  at: string | number;
  expects_key: boolean;
}

/**
 * Reads JSON as every reader would: UTF-8, one BOM allowed, no key twice, at most 32 levels and 500 keys an object, no text
 * that PostgreSQL cannot hold (NUL, half a surrogate pair). Throws `invalid_json` or, rule by rule, `invalid_request`.
 */
export function parseStrictJson(bytes: Uint8Array): { text: string; value: unknown } {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new AppError('invalid_json', 'The body is not UTF-8: send JSON text in that encoding', [
      { path: 'body', message: 'must be UTF-8', code: 'invalid_utf8' },
    ]);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw notJson(text, error);
  }
  const rows = scan(text);
  if (rows.length > 0) throw refusal(rows);
  return { text, value };
}

function notJson(text: string, error: unknown): AppError {
  if (text.trim() === '') return new AppError('invalid_json', 'The body is empty: send a JSON object');
  const position = error instanceof SyntaxError ? /at position (\d+)/.exec(error.message)?.[1] : undefined;
  if (position === undefined) return new AppError('invalid_json', 'The body is not valid JSON');
  const before = text.slice(0, Number(position)).split('\n');
  const where = `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
  return new AppError('invalid_json', `The body is not valid JSON: see ${where}`);
}

/** Walks text that is known to be JSON and finds what `JSON.parse` swallows. */
function scan(text: string): Violation[] {
  const rows: Violation[] = [];
  const levels: Level[] = [];
  const path = () => pathOf(levels.map((level) => level.at)) || 'body';
  for (let i = 0; i < text.length && rows.length < ROWS_MAX; i++) {
    const level = levels.at(-1);
    switch (text[i]) {
      case '"': {
        const start = i;
        for (i++; text[i] !== '"'; i++) if (text[i] === '\\') i++;
        const string = JSON.parse(text.slice(start, i + 1)) as string;
        if (level?.keys && level.expects_key) {
          level.at = string;
          level.expects_key = false;
          if (level.keys.has(string)) rows.push({ path: path(), message: 'stands there twice', code: 'duplicate_key' });
          if (NEVER_A_FIELD.has(string)) rows.push({ path: path(), message: 'is not a known field', code: 'unknown_field' });
          level.keys.add(string);
          level.count++;
          if (level.count > KEYS_MAX) {
            levels.pop();
            rows.push({ path: path(), message: `must have at most ${KEYS_MAX} fields`, code: 'too_many_keys' });
            return rows;
          }
        }
        if (!isStorable(string)) {
          rows.push({ path: path(), message: 'must not hold NUL or half a surrogate pair', code: 'invalid_characters' });
        }
        break;
      }
      case '{':
        levels.push({ keys: new Set(), count: 0, at: '', expects_key: true });
        break;
      case '[':
        levels.push({ keys: null, count: 0, at: 0, expects_key: false });
        break;
      case '}':
      case ']':
        levels.pop();
        break;
      case ',':
        if (level?.keys) level.expects_key = true;
        else if (level) level.at = Number(level.at) + 1;
        break;
    }
    if (levels.length > DEPTH_MAX) {
      rows.push({ path: 'body', message: `must be nested at most ${DEPTH_MAX} levels deep`, code: 'too_deep' });
      return rows;
    }
  }
  return rows;
}
