/** What is paid for: hours of devices, and GB that a training left. */
export const COST_TYPES = ['compute', 'storage'] as const;

/** How costs are told: summed over a month, or each job's in each month. */
export const COST_VIEWS = ['month', 'job'] as const;
export type CostView = (typeof COST_VIEWS)[number];
