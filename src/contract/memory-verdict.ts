/** What a preflight and an estimate alike say of a training's memory. */
import { z } from '@hono/zod-openapi';

export const memoryVerdict = {
  verdict: z.enum(['fits', 'tight', 'will_not_fit']).nullable().describe('null: not known'),
  interval_mb: z.object({ low: z.number(), high: z.number() }).nullable().describe('Between which it lies; null: not known'),
  advice: z.array(z.string()),
  evidence: z.object({ runs: z.int() }).describe('Finished runs that this stands on'),
};
