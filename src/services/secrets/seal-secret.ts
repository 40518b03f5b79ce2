/**
 * Secrets at rest: what must be told again (a webhook's signing secret, a token for another service) is encrypted with
 * AES-256-GCM before it reaches the database. Passwords and keys of ours are not: those are hashed.
 *
 *   const place = { kind: 'webhook', user_id, id };
 *   await tx.insert(webhooks).values({ id, user_id, secret: await sealSecret(place, 'whsec_…') });
 *   const secret = await openSecret(place, row.secret);
 *
 * The place is bound into the ciphertext: make the row's id first, and open with the ids of the row that was read, so that a
 * secret which was copied to another row, person or table does not open. Store the answer of `sealSecret` as text, never
 * answer or log what `openSecret` answers, and open it where it is used, not before.
 */
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { env } from '#/env.ts';
import { installationSecret } from '#/services/settings/installation-secret.ts';

/** The row that a secret belongs to. */
export interface SecretPlace {
  /** What is sealed, e.g. `webhook`: secrets of two kinds have nothing in common. */
  kind: string;
  user_id: string;
  /** Of the row. */
  id: string;
}

/** A secret that this installation cannot open: sealed with another key, for another place, or damaged. */
export class UnreadableSecret extends Error {}

const KEY_FILE = 'secrets-key';
const VERSION = 'v1';
const CIPHER = 'aes-256-gcm';
const SALT_BYTES = 16;
const IV_BYTES = 12;
const TAG_BYTES = 16;

interface MasterKey {
  bytes: Buffer;
  /** Eight hexadecimal digits that tell keys apart and say nothing of them. */
  id: string;
}

let known: Promise<MasterKey> | undefined;

function masterKey(): Promise<MasterKey> {
  known ??= readMasterKey(env.data_dir).catch((error: unknown) => {
    known = undefined;
    throw error;
  });
  return known;
}

/** The key of a data folder. Throws when others may read its file: then it protects nothing. */
export async function readMasterKey(data_dir: string): Promise<MasterKey> {
  const way_out = 'bring it back from a backup; without it every sealed secret must be made again';
  const bytes = Buffer.from(await installationSecret(data_dir, KEY_FILE, way_out), 'base64url');
  const file = join(data_dir, KEY_FILE);
  const { mode } = await stat(file);
  if ((mode & 0o077) !== 0) throw new Error(`${file} may be read by others: chmod 600 it`);
  return { bytes, id: createHash('sha256').update('lowrank secrets key id').update(bytes).digest('hex').slice(0, 8) };
}

/** One key a secret (HKDF, RFC 5869): so many secrets under one master key wear out no nonce. */
function keyOf(master: MasterKey, kind: string, salt: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', master.bytes, salt, `lowrank ${VERSION} ${kind}`, 32));
}

const bound = (place: SecretPlace): Buffer => Buffer.from(JSON.stringify([VERSION, place.kind, place.user_id, place.id]));

/** Encrypts a secret for the row it belongs to: `v1.KEY_ID.` and salt, nonce, ciphertext and tag in base64url. */
export async function sealSecret(place: SecretPlace, secret: string): Promise<string> {
  return sealWith(await masterKey(), place, secret);
}

/** The secret that was sealed for this row. Throws `UnreadableSecret`. */
export async function openSecret(place: SecretPlace, sealed: string): Promise<string> {
  return openWith(await masterKey(), place, sealed);
}

export function sealWith(master: MasterKey, place: SecretPlace, secret: string): string {
  const salt = randomBytes(SALT_BYTES);
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, keyOf(master, place.kind, salt), iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(bound(place));
  const text = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
  return `${VERSION}.${master.id}.${Buffer.concat([salt, iv, text, cipher.getAuthTag()]).toString('base64url')}`;
}

export function openWith(master: MasterKey, place: SecretPlace, sealed: string): string {
  const [version, key_id, data = ''] = sealed.split('.');
  const bytes = Buffer.from(data, 'base64url');
  if (version !== VERSION || bytes.length < SALT_BYTES + IV_BYTES + TAG_BYTES)
    throw new UnreadableSecret('This is no sealed secret');
  if (key_id !== master.id)
    throw new UnreadableSecret(`This secret was sealed with key ${key_id}, and ${KEY_FILE} of the data folder is ${master.id}`);
  const salt = bytes.subarray(0, SALT_BYTES);
  const iv = bytes.subarray(SALT_BYTES, SALT_BYTES + IV_BYTES);
  const decipher = createDecipheriv(CIPHER, keyOf(master, place.kind, salt), iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(bound(place));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    return decipher.update(bytes.subarray(SALT_BYTES + IV_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
  } catch (cause) {
    throw new UnreadableSecret('This secret is damaged, or belongs to another row', { cause });
  }
}
