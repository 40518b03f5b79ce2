/** Texts that come from outside and go into rows. */
import * as z from 'zod';

/** Whether PostgreSQL can store it: well-formed UTF-16 without NUL. */
export const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\u0000');

/** A text that can be stored, of at most `max` units of UTF-16. */
export const StorableText = (max: number) => z.string().max(max).refine(isStorable, 'holds a NUL or a lone surrogate');
