/** Names of what the query cache holds. A list's key is the start of all its pages' keys. */
export const LISTS = {
  jobs: ['training-jobs'],
  datasets: ['datasets'],
  models: ['base-models'],
  keys: ['api-keys'],
  members: ['members'],
  invitations: ['invitations'],
} as const;

export const jobKey = (job_id: string) => ['training-job', job_id] as const;
export const datasetKey = (dataset_id: string) => ['dataset', dataset_id] as const;
export const ME = ['me'] as const;
export const GPU_CATALOG = ['gpu-catalog'] as const;
