/** What every door's submission takes besides what is trained. */
import { z } from '@hono/zod-openapi';
import { RunLimits } from '#/domain/run-limits.ts';
import { Priority } from '#/domain/training-spec.ts';

/** What doors B and C take besides. */
export const ProbeOnly = {
  probe_only: z
    .boolean()
    .default(false)
    .describe('true: the first steps alone are trained, for `measured`; the job completes without an artifact'),
};

export const EverySubmission = {
  priority: Priority.default(0).describe('Within one’s own jobs: a higher one starts first'),
  limits: RunLimits.default({}).describe(
    'What it may take of its host; one that is not kept there is a `skipped` event of the job',
  ),
  training_image_id: z
    .uuid()
    .nullable()
    .default(null)
    .describe('A training image of GET /api/training-images; null: the trainer that comes along'),
  start: z.boolean().default(true).describe('false: stored and held until it is started'),
};
