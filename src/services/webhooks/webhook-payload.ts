import { type SQL, sql } from 'drizzle-orm';
import type { WEBHOOK_TEST_EVENT, WebhookEvent } from '#/domain/webhooks.ts';

/**
 * The body of a delivery as Standard Webhooks has it, dated by the database's clock. It is stored, sent and signed to the byte, so
 * it is text and no JSONB, which would order its members anew.
 */
export function webhookPayload(type: WebhookEvent | typeof WEBHOOK_TEST_EVENT, data: Record<string, unknown>): SQL<string> {
  const [before, after] = [`{"type":${JSON.stringify(type)},"timestamp":"`, `","data":${JSON.stringify(data)}}`];
  const now = sql`to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
  return sql<string>`${before}::text || ${now} || ${after}::text`;
}
