import { createHash, randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const SECRET_LENGTH = 43;
const CHECKSUM_LENGTH = 6;
const START = 'lowrank_';
const FORM = new RegExp(`^${START}([0-9A-Za-z]{${SECRET_LENGTH}})([0-9A-Za-z]{${CHECKSUM_LENGTH}})$`);
/** `lowrank_` and this much of the secret is shown so that a person tells keys apart. */
const SHOWN = 6;

function checksum(secret: string): string {
  let rest = crc32(secret);
  let text = '';
  for (let i = 0; i < CHECKSUM_LENGTH; i++) {
    text = ALPHABET[rest % ALPHABET.length] + text;
    rest = Math.floor(rest / ALPHABET.length);
  }
  return text;
}

/** A new key: 256 random bits and a checksum, by which scanners and typing errors are told without asking anybody. */
export function makeApiKey(): string {
  const secret = Array.from({ length: SECRET_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  return `${START}${secret}${checksum(secret)}`;
}

/** Says if the text is a key that we can have made: form and checksum. */
export function isWellFormedApiKey(key: string): boolean {
  const [, secret, sum] = FORM.exec(key) ?? [];
  return secret !== undefined && sum === checksum(secret);
}

/** What is stored of a key: it has 256 random bits, so a fast hash keeps it. */
export function hashApiKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

export function prefixOfApiKey(key: string): string {
  return key.slice(0, START.length + SHOWN);
}
