import { createHmac } from 'node:crypto';

/**
 * The headers of one try, as Standard Webhooks 1.0 has them: HMAC-SHA256 over `id.timestamp.body`, one signature a secret, the
 * newest first. `secrets` are `whsec_` and base64.
 */
export function signDelivery(id: string, body: string, secrets: string[], at: Date): Record<string, string> {
  const timestamp = String(Math.floor(at.getTime() / 1000));
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  });
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}
