/** Texts that come from outside and go into rows. */
import * as z from 'zod';
import { mapStrings } from './map-strings.ts';

/** Whether PostgreSQL can store it: well-formed UTF-16 without NUL. */
export const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\u0000');

/** A text that can be stored, of at most `max` units of UTF-16. */
export const StorableText = (max: number) => z.string().max(max).refine(isStorable, 'holds a NUL or a lone surrogate');

/** The text with what cannot be stored replaced by U+FFFD, where nobody can be asked for another. As long as it was. */
export const storable = (text: string): string => text.replaceAll('\u0000', '\ufffd').toWellFormed();

/** The JSON value of a text, with every text in it made storable, keys included. Throws SyntaxError. */
export const parseStorable = (text: string): unknown => mapStrings(JSON.parse(text), storable);
