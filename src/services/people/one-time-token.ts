import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** 256 random bits, in letters that a URL and a terminal carry unharmed. */
export const makeToken = (): string => randomBytes(32).toString('base64url');

/** SHA-256, hex: what is stored of a token, and how an e-mail is named where it need not be read. */
export const secretHash = (secret: string): string => createHash('sha256').update(secret).digest('hex');

/** Compares without telling by its time how much was right. Both are hex digests of one length. */
export function sameHash(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
