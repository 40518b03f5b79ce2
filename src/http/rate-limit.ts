import type { Context as HonoContext } from 'hono';
import { AppError } from '#/domain/app-error.ts';
import { type Allowance, takeAllowance } from '#/services/rate-limits/take-allowance.ts';
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
  'POST /api/training/submit': SUBMIT,
  'POST /api/jobs': SUBMIT,
  'POST /api/jobs/{id}/retry': SUBMIT,
  'POST /api/datasets/upload': UPLOAD,
  'POST /api/transfers': UPLOAD,
};

/** Takes this request out of its user's minute and notes what is left, for the answer's headers. Throws `rate_limited`. */
export async function limitRate(c: HonoContext<ApiEnv>, route: KnownRoute): Promise<void> {
  const limit = LIMITS[`${route.method} ${route.template}`];
  if (limit === undefined) return;
  try {
    c.set('allowance', await takeAllowance(`${limit.bucket}:${c.var.ctx.user_id}`, limit.max, limit.refusal));
  } catch (error) {
    if (error instanceof AppError) c.set('allowance', { max: limit.max, remaining: 0, reset_s: error.retry_after_s ?? 60 });
    throw error;
  }
}

/** What is left, as headers of whatever the answer becomes. */
export function allowanceHeaders({ max, remaining, reset_s }: Allowance): [name: string, value: string][] {
  return [
    ['RateLimit-Limit', String(max)],
    ['RateLimit-Remaining', String(remaining)],
    ['RateLimit-Reset', String(reset_s)],
  ];
}
