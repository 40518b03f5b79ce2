import { useQuery } from '@tanstack/react-query';
import { answer, api, dataOf } from './api.ts';

/** What a completed job left that is worth keeping. */
export function useJobArtifacts(job_id: string) {
  return useQuery({
    queryKey: ['artifacts', job_id],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }) =>
      dataOf(await answer(api.GET('/api/jobs/{id}/artifacts', { params: { path: { id: job_id } }, signal }))).artifacts,
  });
}
