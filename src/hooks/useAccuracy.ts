import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { RunFeatures } from '#/domain/foresight/learning/observed-run.ts';
import { answer, api } from './api.ts';

export interface AccuracyQuery {
  gpu?: string;
  method?: RunFeatures['method'];
  page: number;
}

/** Runs of one page: as many as a drawing still shows apart. */
export const ACCURACY_LIMIT = 50;
const REFRESHED_MS = 30_000;

/** Own runs as foretold and as measured, and what all of the installation say. */
export function useAccuracy({ gpu, method, page }: AccuracyQuery) {
  return useQuery({
    queryKey: ['accuracy', { gpu, method, page }],
    queryFn: ({ signal }) => {
      const query = {
        limit: ACCURACY_LIMIT,
        offset: (page - 1) * ACCURACY_LIMIT,
        ...(gpu === undefined ? {} : { gpu }),
        ...(method === undefined ? {} : { method }),
      };
      return answer(api.GET('/api/accuracy', { params: { query }, signal }));
    },
    placeholderData: keepPreviousData,
    refetchInterval: REFRESHED_MS,
  });
}
