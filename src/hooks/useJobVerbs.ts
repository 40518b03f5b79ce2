/** What a person can do to a job. Each refreshes what shows it. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { components } from '#/contract/api.gen.ts';
import type { TrainingJob } from '#/contract/jobs.ts';
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

/** Has a verb change the job: what comes back is shown at once, and `told` of it is said. */
function useJobVerb(job_id: string, verb: () => Promise<TrainingJob>, told?: (job: TrainingJob) => string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: verb,
    onSuccess: (job) => {
      queries.setQueryData(jobKey(job_id), job);
      void queries.invalidateQueries({ queryKey: LISTS.jobs });
      if (told !== undefined) tell(told(job));
    },
    onError: (error) => tellFault(error.message),
  });
}

export function useCancelJob(job_id: string) {
  const params = { path: { id: job_id } };
  return useJobVerb(job_id, async () => dataOf(await answer(api.POST('/api/jobs/{id}/cancel', { params }))));
}

/** Holds a job that waits at once; one that runs stops at its next checkpoint. */
export function usePauseJob(job_id: string) {
  const params = { path: { id: job_id } };
  return useJobVerb(
    job_id,
    async () => dataOf(await answer(api.POST('/api/jobs/{id}/pause', { params }))),
    (job) => (job.status === 'queued' ? `${job.name} is paused` : `${job.name} pauses at its next checkpoint`),
  );
}

/** Lets a paused job go on, or takes a wish to pause back. */
export function useResumeJob(job_id: string) {
  const params = { path: { id: job_id } };
  return useJobVerb(
    job_id,
    async () => dataOf(await answer(api.POST('/api/jobs/{id}/resume', { params }))),
    (job) => (job.status === 'queued' ? `${job.name} is queued again` : `${job.name} goes on`),
  );
}

/** Lets a job begin that was submitted to be held. */
export function useStartJob(job_id: string) {
  const params = { path: { id: job_id } };
  return useJobVerb(
    job_id,
    async () => dataOf(await answer(api.POST('/api/jobs/{id}/start', { params }))),
    (job) => `${job.name} is queued`,
  );
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
