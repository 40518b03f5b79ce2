/** How many of its small things one person may have: what has a size counts in bytes, see the quota. */
import { WEBHOOKS_PER_USER_MAX } from './webhooks.ts';

export const ROW_CAPS = {
  projects: { max: 200, way_out: 'delete one that you do not need' },
  templates: { max: 200, way_out: 'delete one that you do not need' },
  webhooks: { max: WEBHOOKS_PER_USER_MAX, way_out: 'change or delete one of yours' },
  'API keys': { max: 50, way_out: 'revoke one that you do not need' },
} as const;
export type CappedThing = keyof typeof ROW_CAPS;

/** Keys that are over and are still told; older ones go when another is made. */
export const ENDED_KEYS_KEPT = 50;
/** Of a person's feed; what is older falls away. */
export const ACTIVITIES_KEPT = 10_000;
