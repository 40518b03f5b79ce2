import type { Context as HonoContext } from 'hono';
import { takeAllowance } from '#/services/rate-limits/take-allowance.ts';
import type { ApiEnv } from './api-env.ts';
import type { KnownRoute } from './route-table.ts';

interface Limit {
  bucket: string;
  max: number;
  refusal: string;
}

const SUBMIT: Limit = { bucket: 'submit', max: 10, refusal: 'Too many submissions' };
const UPLOAD: Limit = { bucket: 'upload', max: 20, refusal: 'Too many uploads' };

/** Requests a user and minute, by route. Sign-in counts by account, in its verb. */
const LIMITS: Record<string, Limit> = {
  'POST /api/jobs': SUBMIT,
  'POST /api/jobs/{id}/retry': SUBMIT,
  'POST /api/datasets/upload': UPLOAD,
};

/** Takes this request out of its user's minute and says in headers what is left. Throws `rate_limited`. */
export async function limitRate(c: HonoContext<ApiEnv>, route: KnownRoute): Promise<void> {
  const limit = LIMITS[`${route.method} ${route.template}`];
  if (limit === undefined) return;
  const left = await takeAllowance(`${limit.bucket}:${c.var.ctx.user_id}`, limit.max, limit.refusal);
  c.header('RateLimit-Limit', String(left.max));
  c.header('RateLimit-Remaining', String(left.remaining));
  c.header('RateLimit-Reset', String(left.reset_s));
}
