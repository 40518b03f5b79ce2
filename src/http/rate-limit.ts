import type { Context as HonoContext } from 'hono';
import { AppError } from '#/domain/app-error.ts';
import { leasedAllowances } from '#/services/rate-limits/leased-allowances.ts';
import { type Allowance, takeAllowance } from '#/services/rate-limits/take-allowance.ts';
import type { ApiEnv } from './api-env.ts';
import type { KnownRoute } from './route-table.ts';

interface Limit {
  bucket: string;
  max: number;
  refusal: string;
  take: typeof takeAllowance;
}

const leases = leasedAllowances();

const SUBMIT: Limit = { bucket: 'submit', max: 10, refusal: 'Too many submissions', take: takeAllowance };
/** Estimates and preflights are one bucket: both are what a form asks while its fields move. */
const ESTIMATE: Limit = { bucket: 'estimate', max: 60, refusal: 'Too many estimates', take: takeAllowance };
const UPLOAD: Limit = { bucket: 'upload', max: 20, refusal: 'Too many uploads', take: takeAllowance };
const MODEL: Limit = { bucket: 'model', max: 20, refusal: 'Too many models registered', take: takeAllowance };
const DELIVERY: Limit = {
  bucket: 'delivery',
  max: 20,
  refusal: 'Too many test deliveries and redeliveries',
  take: takeAllowance,
};
const READ: Limit = { bucket: 'read', max: 600, refusal: 'Too many reads', take: leases.take };
/** A stream is no read but lasts: a thousand viewers who lost their server may come back, and once more. */
const STREAM: Limit = { bucket: 'stream', max: 3000, refusal: 'Too many live streams opened', take: leases.take };

/** Requests a user and minute, by route. Sign-in counts by account, in its verb. */
const LIMITS: Record<string, Limit> = {
  'POST /api/training/submit': SUBMIT,
  'POST /api/jobs': SUBMIT,
  'POST /api/jobs/{id}/retry': SUBMIT,
  'POST /api/jobs/{id}/clone': SUBMIT,
  'POST /api/jobs/{id}/start': SUBMIT,
  'POST /api/jobs/{id}/resume': SUBMIT,
  'POST /api/jobs/estimate': ESTIMATE,
  'POST /api/experiments/preflight': ESTIMATE,
  'POST /api/base-models': MODEL,
  'POST /api/datasets/upload': UPLOAD,
  'POST /api/transfers': UPLOAD,
  'POST /api/artifacts/{id}/push': UPLOAD,
  'POST /api/webhooks/{id}/test': DELIVERY,
  'POST /api/webhooks/{id}/deliveries/{delivery_id}/redeliver': DELIVERY,
};

/** What a request counts as. Public routes never come here, nor do pages: they are not the API's. */
function limitOf(route: KnownRoute): Limit | undefined {
  if (route.is_event_stream) return STREAM;
  return LIMITS[`${route.method} ${route.template}`] ?? (route.method === 'GET' ? READ : undefined);
}

/** Takes this request out of its user's minute and notes what is left, for the answer's headers. Throws `rate_limited`. */
export async function limitRate(c: HonoContext<ApiEnv>, route: KnownRoute): Promise<void> {
  const limit = limitOf(route);
  if (limit === undefined) return;
  try {
    c.set('allowance', await limit.take(`${limit.bucket}:${c.var.ctx.user_id}`, limit.max, limit.refusal));
  } catch (error) {
    if (error instanceof AppError && error.code === 'rate_limited')
      c.set('allowance', { max: limit.max, remaining: 0, reset_s: error.retry_after_s ?? 60 });
    throw error;
  }
}

/** Forgets what this process holds of everybody's minute: for tests, who begin new ones. */
export const forgetAllowances = leases.forget;

/** What is left, as headers of whatever the answer becomes. */
export function allowanceHeaders({ max, remaining, reset_s }: Allowance): [name: string, value: string][] {
  return [
    ['RateLimit-Limit', String(max)],
    ['RateLimit-Remaining', String(remaining)],
    ['RateLimit-Reset', String(reset_s)],
  ];
}
