import { useQuery } from '@tanstack/react-query';
import { isTerminal } from '#/domain/statuses.ts';
import { answer, api, dataOf } from './api.ts';
import { jobKey } from './query-keys.ts';

const POLL_MS = 5_000;

/** One job. It is asked for every 5 s only while it still moves and no stream brings its changes (`streamed`). */
export function useTrainingJob(job_id: string, streamed = false) {
  return useQuery({
    queryKey: jobKey(job_id),
    queryFn: async ({ signal }) => dataOf(await answer(api.GET('/api/jobs/{id}', { params: { path: { id: job_id } }, signal }))),
    refetchInterval: ({ state }) => (streamed || state.data === undefined || isTerminal(state.data.status) ? false : POLL_MS),
    staleTime: streamed ? Number.POSITIVE_INFINITY : POLL_MS,
  });
}
