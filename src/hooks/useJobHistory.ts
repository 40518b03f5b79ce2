import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { answer, api } from './api.ts';

const PAGE = 500;

/** What happened to a job, oldest first. `version` is anything that changes when there may be more. */
export function useJobHistory(job_id: string, version: string) {
  return useQuery({
    queryKey: ['job-events', job_id, version],
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }) => {
      const params = { path: { id: job_id }, query: { limit: PAGE } };
      return (await answer(api.GET('/api/jobs/{id}/events', { params, signal }))).data.events;
    },
  });
}

/** The whole log of one attempt, piece by piece, as one text. */
export async function fetchLog(job_id: string, attempt: number): Promise<string> {
  const pieces: string[] = [];
  for (let after = 0; ; ) {
    const params = { path: { id: job_id }, query: { after, attempt } };
    const { text, next, size } = (await answer(api.GET('/api/jobs/{id}/logs', { params }))).data;
    pieces.push(text);
    if (next <= after || next >= size) return pieces.join('');
    after = next;
  }
}
