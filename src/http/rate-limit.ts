import type { Context as HonoContext } from 'hono';
import type { Allowance } from '#/domain/app-error.ts';
import { leasedAllowances } from '#/services/rate-limits/leased-allowances.ts';
import { takeAllowance } from '#/services/rate-limits/take-allowance.ts';
import type { ApiEnv } from './api-env.ts';
import type { KnownRoute } from './route-table.ts';

interface Limit {
  bucket: string;
  max: number;
  refusal: string;
  take: typeof takeAllowance;
}

/** Of a smaller bucket fewer are taken at once: what a process leaves unused is lost with the minute. */
const WRITES_LEASED_AT_ONCE = 10;
const leases = leasedAllowances();
const write_leases = leasedAllowances(WRITES_LEASED_AT_ONCE);

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
/** A page of a dataset of images, or of what a training drew, shows hundreds, which cost a look at two rows each. */
const THUMBNAIL: Limit = { bucket: 'thumbnail', max: 6000, refusal: 'Too many thumbnails', take: leases.take };
/** A stream is no read but lasts: a thousand viewers who lost their server may come back, and once more. */
const STREAM: Limit = { bucket: 'stream', max: 3000, refusal: 'Too many live streams opened', take: leases.take };
/** Every change that has no limit of its own. */
const WRITE: Limit = { bucket: 'write', max: 120, refusal: 'Too many changes', take: write_leases.take };
/** What only a person who signed in may do is counted apart: a stolen key cannot use up what revokes it. */
const ACCOUNT: Limit = { bucket: 'account', max: 60, refusal: 'Too many changes of the account', take: write_leases.take };

/** Counted by their verbs, which judge a password: stricter, and together. */
const COUNTED_BY_VERB = new Set(['POST /api/auth/change-password', 'DELETE /api/me']);

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
  'GET /api/datasets/{id}/images/{n}/thumbnail': THUMBNAIL,
  'GET /api/jobs/{id}/samples/{n}/image': THUMBNAIL,
  'POST /api/transfers': UPLOAD,
  'POST /api/artifacts/{id}/push': UPLOAD,
  'POST /api/webhooks/{id}/test': DELIVERY,
  'POST /api/webhooks/{id}/deliveries/{delivery_id}/redeliver': DELIVERY,
};

/** What a request counts as. Public routes never come here, nor do pages: they are not the API's. */
function limitOf(route: KnownRoute): Limit | undefined {
  if (route.is_event_stream) return STREAM;
  const name = `${route.method} ${route.template}`;
  if (route.method === 'GET') return LIMITS[name] ?? READ;
  if (COUNTED_BY_VERB.has(name)) return undefined;
  return LIMITS[name] ?? (route.session_only ? ACCOUNT : WRITE);
}

/** Takes this request out of its user's minute and notes what is left, for the answer's headers. Throws `rate_limited`. */
export async function limitRate(c: HonoContext<ApiEnv>, route: KnownRoute): Promise<void> {
  const limit = limitOf(route);
  if (limit === undefined) return;
  c.set('allowance', await limit.take(`${limit.bucket}:${c.var.ctx.user_id}`, limit.max, limit.refusal));
}

/** Forgets what this process holds of everybody's minute: for tests, who begin new ones. */
export function forgetAllowances(): void {
  leases.forget();
  write_leases.forget();
}

/** What is left, as headers of whatever the answer becomes. */
export function allowanceHeaders({ max, remaining, reset_s }: Allowance): [name: string, value: string][] {
  return [
    ['RateLimit-Limit', String(max)],
    ['RateLimit-Remaining', String(remaining)],
    ['RateLimit-Reset', String(reset_s)],
  ];
}
