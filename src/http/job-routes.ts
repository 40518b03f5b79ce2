import { estimateJobRoute } from '#/contract/estimates.ts';
import { jobEventsRoute, jobLogsRoute, jobMetricsRoute, jobStreamRoute } from '#/contract/job-reads.ts';
import { cancelJobRoute, createJobRoute, deleteJobRoute, getJobRoute, listJobsRoute, retryJobRoute } from '#/contract/jobs.ts';
import { cancelJob } from '#/services/jobs/cancel-job.ts';
import { createJob } from '#/services/jobs/create-job.ts';
import { deleteJob } from '#/services/jobs/delete-job.ts';
import { estimateJob } from '#/services/jobs/estimate-job.ts';
import { getJob } from '#/services/jobs/get-job.ts';
import { listJobs } from '#/services/jobs/list-jobs.ts';
import { readEvents } from '#/services/jobs/read-events.ts';
import { readLogs } from '#/services/jobs/read-logs.ts';
import { readMetrics } from '#/services/jobs/read-metrics.ts';
import { retryJob } from '#/services/jobs/retry-job.ts';
import { submitWizardTraining } from '#/services/jobs/submit-wizard-training.ts';
import type { RouteModule } from './api-env.ts';
import { presentEstimate } from './estimate-presenter.ts';
import { streamJob } from './event-stream.ts';
import { createOnce } from './idempotency.ts';
import { specOfDoorB } from './job-door-b.ts';
import { inDoorsEnvelope, presentWizardJob, statusByDoor, statusesOf, toldByDoor } from './job-door-c.ts';
import { presentJob, presentPoint } from './job-presenter.ts';

/** Jobs, as doors B and C see them. */
export const jobRoutes: RouteModule = (api) => {
  api.openapi(createJobRoute, async (c) => {
    const body = c.req.valid('json');
    return createOnce(c, {
      route: 'POST /api/jobs',
      request: () => body,
      make: (hooks) =>
        'recipe_id' in body
          ? submitWizardTraining(c.var.ctx, body, hooks)
          : createJob(c.var.ctx, specOfDoorB(body, new Date()), { ...hooks, text_only: true }),
      present: (job) => toldByDoor(c, job),
    });
  });
  api.openapi(estimateJobRoute, async (c) => {
    const answer = await estimateJob(c.var.ctx, c.req.valid('json'));
    return c.json({ success: true as const, data: presentEstimate(answer) }, 200);
  });
  api.openapi(listJobsRoute, async (c) => {
    const query = c.req.valid('query');
    const { limit, after, project } = query;
    const offset = query.offset ?? (query.page - 1) * limit;
    const wanted = { statuses: statusesOf(query.status), search: query.search ?? query.q, project };
    const { jobs, total, next_cursor } = await listJobs(c.var.ctx, { limit, offset, after, ...wanted });
    if (c.var.wizard) {
      return c.json({ jobs: jobs.map(presentWizardJob), ...total, limit, offset, next_cursor }, 200);
    }
    const pagination = { page: query.page, limit, ...total, totalPages: Math.ceil(total.total / limit), next_cursor };
    return c.json({ success: true as const, data: { jobs: jobs.map(presentJob), pagination } }, 200);
  });
  api.openapi(getJobRoute, async (c) => {
    const job = await getJob(c.var.ctx, c.req.valid('param').id);
    return c.json(toldByDoor(c, job), 200);
  });
  api.openapi(deleteJobRoute, async (c) => {
    await deleteJob(c.var.ctx, c.req.valid('param').id);
    return c.body(null, 204);
  });
  api.openapi(cancelJobRoute, async (c) => {
    const job = await cancelJob(c.var.ctx, c.req.valid('param').id, c.req.valid('json'));
    return c.json(toldByDoor(c, job), 200);
  });
  api.openapi(retryJobRoute, async (c) => {
    const { id } = c.req.valid('param');
    return createOnce(c, {
      route: 'POST /api/jobs/{id}/retry',
      request: () => ({ id }),
      make: (hooks) => retryJob(c.var.ctx, id, hooks),
      present: (job) => toldByDoor(c, job),
    });
  });
  api.openapi(jobMetricsRoute, async (c) => {
    const { points, total } = await readMetrics(c.var.ctx, c.req.valid('param').id, c.req.valid('query'));
    return c.json(inDoorsEnvelope(c, { points: points.map(presentPoint), total }), 200);
  });
  api.openapi(jobLogsRoute, async (c) => {
    const data = await readLogs(c.var.ctx, c.req.valid('param').id, c.req.valid('query'));
    return c.json(inDoorsEnvelope(c, data), 200);
  });
  api.openapi(jobEventsRoute, async (c) => {
    const { rows, next_after } = await readEvents(c.var.ctx, c.req.valid('param').id, c.req.valid('query'));
    const events = rows.map(({ seq, type, from_status, to_status, attempt, message, data, created_at }) => ({
      seq,
      type,
      from_status: statusByDoor(c, from_status),
      to_status: statusByDoor(c, to_status),
      attempt,
      message,
      data,
      created_at: created_at.toISOString(),
    }));
    return c.json(inDoorsEnvelope(c, { events, next_after }), 200);
  });
  api.openapi(jobStreamRoute, (c) => streamJob(c, c.req.valid('param').id, c.req.valid('header')['last-event-id']));
};
