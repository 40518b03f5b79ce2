/** What a person can do to a job. Each refreshes what shows it. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { components } from '#/contract/api.gen.ts';
import { answer, api, dataOf, isPassing } from './api.ts';
import { tell, tellFault } from './notify.ts';
import { jobKey, LISTS } from './query-keys.ts';

export type CreateJob = components['schemas']['CreateJob'];

/** Queues a training. The same `key` and body make one job, however often a lost answer is asked for again. */
export function useCreateTrainingJob() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ body, key }: { body: CreateJob; key: string }) =>
      dataOf(await answer(api.POST('/api/jobs', { body, headers: { 'Idempotency-Key': key } }))),
    retry: (count, error) => count < 2 && isPassing(error),
    onSuccess: (job) => {
      queries.setQueryData(jobKey(job.id), job);
      void queries.invalidateQueries({ queryKey: LISTS.jobs });
      tell(`${job.name} is queued`);
    },
  });
}

export function useCancelJob(job_id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async () => dataOf(await answer(api.POST('/api/jobs/{id}/cancel', { params: { path: { id: job_id } } }))),
    onSuccess: (job) => {
      queries.setQueryData(jobKey(job_id), job);
      void queries.invalidateQueries({ queryKey: LISTS.jobs });
    },
    onError: (error) => tellFault(error.message),
  });
}

/** The same again as a new job. */
export function useRetryJob(job_id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async () => dataOf(await answer(api.POST('/api/jobs/{id}/retry', { params: { path: { id: job_id } } }))),
    onSuccess: (job) => {
      queries.setQueryData(jobKey(job.id), job);
      void queries.invalidateQueries({ queryKey: LISTS.jobs });
      tell(`${job.name} is queued again`);
    },
    onError: (error) => tellFault(error.message),
  });
}
