import { createHmac, timingSafeEqual } from 'node:crypto';
import * as z from 'zod';

/** What a signed address gives: one file of one artifact of one user, or all of its files, until an instant. Reading only. */
export const DownloadGrant = z.strictObject({
  user_id: z.uuid(),
  artifact_id: z.uuid(),
  /** null: all files as one zip. */
  file_id: z.uuid().nullable(),
  /** Milliseconds since 1970. */
  expires_at: z.int(),
});
export type DownloadGrant = z.infer<typeof DownloadGrant>;

const MAC_CHARACTERS = 43;
// What is signed says what it is for, so that no other token of this key will ever pass here.
const PURPOSE = 'lowrank download GET\n';

function mac(key: Buffer, payload: string): string {
  return createHmac('sha256', key).update(PURPOSE).update(payload).digest('base64url');
}

/** The grant as one word for a URL: its content, then its signature. */
export function writeDownloadToken(key: Buffer, grant: DownloadGrant): string {
  const payload = Buffer.from(JSON.stringify(grant)).toString('base64url');
  return payload + mac(key, payload);
}

/** The grant of a token that we signed and whose time is not over; else null. */
export function readDownloadToken(key: Buffer, token: string, now_ms: number): DownloadGrant | null {
  if (!/^[A-Za-z0-9_-]{44,2000}$/.test(token)) return null;
  const payload = token.slice(0, -MAC_CHARACTERS);
  if (!timingSafeEqual(Buffer.from(mac(key, payload)), Buffer.from(token.slice(-MAC_CHARACTERS)))) return null;
  const grant = DownloadGrant.parse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')));
  return grant.expires_at > now_ms ? grant : null;
}
