import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { TrainingJob } from '#/contract/jobs.ts';
import { isTerminal, type JobStatus } from '#/domain/statuses.ts';
import { answer, api, dataOf } from './api.ts';
import { LISTS } from './query-keys.ts';

export interface JobsQuery {
  /** Absent: every status. */
  status?: JobStatus;
  page?: number;
  limit?: number;
}

const LIVE_MS = 5_000;
const SETTLED_MS = 30_000;

/** One page of own jobs, newest first; asked for again every 5 s while one of them still moves. */
export function useTrainingJobs({ status, page = 1, limit = 25 }: JobsQuery = {}) {
  return useQuery({
    queryKey: [...LISTS.jobs, { status, page, limit }],
    queryFn: async ({ signal }) => {
      const query = { page, limit, ...(status === undefined ? {} : { status }) };
      return dataOf(await answer(api.GET('/api/jobs', { params: { query }, signal })));
    },
    placeholderData: keepPreviousData,
    refetchInterval: (query) => (query.state.data?.jobs.some(moves) ? LIVE_MS : SETTLED_MS),
  });
}

const moves = (job: TrainingJob) => !isTerminal(job.status);
