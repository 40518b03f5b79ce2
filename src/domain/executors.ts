/** Where runs may live: as processes of their worker's host, or each in a container of its Docker engine. */
export const EXECUTORS = ['process', 'docker'] as const;
export type ExecutorName = (typeof EXECUTORS)[number];
