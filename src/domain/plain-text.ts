/** What people may write where others read it: nothing that is not seen, and nothing that turns around what is. */
import * as z from 'zod';

/**
 * Characters that nobody sees or that change how others are shown: formats (bidirectional marks, zero widths, tags), private use, line
 * separators, and the letters and marks that are drawn as nothing (fillers, joiners of graphemes, old variation selectors).
 * The two variation selectors of emoji are none of them.
 */
const FORMATS = String.raw`\p{Cf}\p{Co}\p{Cs}\u2028\u2029\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\ufe00-\ufe0d\uffa0\ufff0-\ufff8\u{e0000}-\u{e0fff}`;

const UNSEEN = new RegExp(String.raw`[\p{Cc}${FORMATS}]`, 'gu');
const ONE_LINE = new RegExp(String.raw`^[^\p{Cc}${FORMATS}]*$`, 'u');
// Words of Persian and of India's languages, and many emoji, are written with the two joiners.
const LINES = new RegExp(String.raw`^(?:[^\p{Cc}${FORMATS}]|[\n\r\t\u200c\u200d])*$`, 'u');

/** The rule of one line, for schemas that have others before it. */
export const PLAIN_LINE: [rule: RegExp, message: string] = [
  ONE_LINE,
  'must be one line without control characters or characters that nobody sees',
];
/** One line of plain text: labels. */
export const PlainLine = z.string().regex(...PLAIN_LINE);

/** Plain text of several lines: descriptions, messages. */
export const PlainText = z.string().regex(LINES, 'must not hold control characters or characters that nobody sees');

/** The same without what is not plain, where nobody can be asked for another. */
export const withoutUnseen = (text: string): string => text.replaceAll(UNSEEN, '');
