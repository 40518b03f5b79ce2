import { type SQL, sql } from 'drizzle-orm';
import { asUser, type Tx } from '#/db/tenancy.ts';
import type { CostView } from '#/domain/costs.ts';
import type { JobStatus } from '#/domain/statuses.ts';
import type { Context } from '#/services/context.ts';
import { cutPage, oneMore, type Paged, type PageQuery, skipped, unknownCursor } from '#/services/page-cursor.ts';

export interface CostQuery extends PageQuery {
  by: CostView;
  /** Of the month only, as 2026-03. */
  billing_period?: string | undefined;
  job_id?: string | undefined;
}

/** Costs of one month: of all jobs, or of one of them. Amounts in US dollars. */
export interface Costs {
  /** As 2026-03. */
  billing_period: string;
  /** null where the months' sums are told. */
  job: { id: string; name: string; status: JobStatus } | null;
  jobs: number;
  compute: { hours: number; amount: number };
  storage: { gb: number; amount: number };
  amount: number;
}

interface Found {
  billing_period: string;
  job_id: string | null;
  name: string | null;
  status: JobStatus | null;
  jobs: number;
  hours: string;
  compute: string;
  gb: string;
  storage: string;
  amount: string;
}

/**
 * One page of what the caller's trainings cost, the newest month first: each month's sum, or each job's part in each month.
 * Deleted jobs are in it. `amount` is the sum of all pages, whose rows are counted with it: `total` is always exact. Throws
 * `invalid_request` (cursor).
 */
export function listCosts(ctx: Context, query: CostQuery): Promise<Paged & { costs: Costs[]; amount: number }> {
  const { by, billing_period, job_id } = query;
  const wanted = sql`c.user_id = ${ctx.user_id}
    ${billing_period === undefined ? sql`` : sql`AND c.billing_period = ${`${billing_period}-01`}::date`}
    ${job_id === undefined ? sql`` : sql`AND c.job_id = ${job_id}`}`;
  const keys = by === 'job' ? sql`c.billing_period, c.job_id` : sql`c.billing_period`;
  const newest = by === 'job' ? sql`g.billing_period DESC, j.created_at DESC, j.id DESC` : sql`g.billing_period DESC`;
  const whole = sql`SELECT ${keys}, ${by === 'job' ? sql`` : sql`NULL::uuid AS job_id,`} count(DISTINCT c.job_id)::integer AS jobs,
      coalesce(sum(c.quantity) FILTER (WHERE c.type = 'compute'), 0) AS hours,
      coalesce(sum(c.amount) FILTER (WHERE c.type = 'compute'), 0) AS compute,
      coalesce(sum(c.quantity) FILTER (WHERE c.type = 'storage'), 0) AS gb,
      coalesce(sum(c.amount) FILTER (WHERE c.type = 'storage'), 0) AS storage, sum(c.amount) AS amount
    FROM lowrank.cost_records c WHERE ${wanted} GROUP BY ${keys}`;
  return asUser(ctx.user_id, async (tx) => {
    const page = await tx.execute<Found & Record<string, unknown>>(sql`
      SELECT to_char(g.billing_period, 'YYYY-MM') AS billing_period, g.job_id, j.name, j.status, g.jobs, g.hours, g.compute,
        g.gb, g.storage, g.amount
      FROM (${whole}) g LEFT JOIN lowrank.training_jobs j ON j.id = g.job_id WHERE ${await behindCosts(tx, ctx, query)}
      ORDER BY ${newest} LIMIT ${oneMore(query)} OFFSET ${skipped(query)}`);
    const counted = await tx.execute<{ total: number; amount: string }>(
      sql`SELECT count(*)::integer AS total, coalesce(sum(g.amount), 0) AS amount FROM (${whole}) g`,
    );
    const { rows, next_cursor } = cutPage(page.rows, query.limit, cursorOf);
    const [{ total, amount } = { total: 0, amount: '0' }] = counted.rows;
    return { costs: rows.map(costsOf), total, total_is_estimate: false, amount: Number(amount), next_cursor };
  });
}

/** A month, or a job's part in it: what the cursors of the two views are made of. */
const cursorOf = ({ billing_period, job_id }: Found): string =>
  job_id === null ? billing_period : `${billing_period}_${job_id}`;

async function behindCosts(tx: Tx, ctx: Context, { by, after }: CostQuery): Promise<SQL> {
  if (after === undefined) return sql`true`;
  const [month = '', job_id] = after.split('_');
  const period = sql`${`${month}-01`}::date`;
  if ((by === 'job') !== (job_id !== undefined)) throw unknownCursor();
  if (job_id === undefined) return sql`g.billing_period < ${period}`;
  const known = await tx.execute(
    sql`SELECT 1 FROM lowrank.cost_records WHERE user_id = ${ctx.user_id} AND job_id = ${job_id} AND billing_period = ${period}`,
  );
  if (known.rowCount === 0) throw unknownCursor();
  return sql`(g.billing_period, j.created_at, j.id) <
    (${period}, (SELECT c.created_at FROM lowrank.training_jobs c WHERE c.id = ${job_id}), ${job_id}::uuid)`;
}

function costsOf({ job_id, name, status, ...found }: Found): Costs {
  return {
    billing_period: found.billing_period,
    job: job_id === null || name === null || status === null ? null : { id: job_id, name, status },
    jobs: found.jobs,
    compute: { hours: Number(found.hours), amount: Number(found.compute) },
    storage: { gb: Number(found.gb), amount: Number(found.storage) },
    amount: Number(found.amount),
  };
}
