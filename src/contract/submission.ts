/** What every door's submission takes besides what is trained. */
import { z } from '@hono/zod-openapi';
import { Priority } from '#/domain/training-spec.ts';

export const EverySubmission = {
  priority: Priority.default(0).describe('Within one’s own jobs: a higher one starts first'),
  start: z.boolean().default(true).describe('false: stored and held until it is started'),
};
