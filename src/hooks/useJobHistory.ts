import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { components } from '#/contract/api.gen.ts';
import type { TrainingJob } from '#/contract/jobs.ts';
import { answer, api, dataOf } from './api.ts';

const PAGE = 500;

type JobEvent = components['schemas']['JobEvent'];

/** What happened to a job, oldest first; asked for anew when the job moves. Nothing is asked while it is not `wanted`. */
export function useJobHistory(job: TrainingJob, wanted = true) {
  const { id: job_id, status, current_stage, attempt, cancel_requested_at } = job;
  return useQuery({
    queryKey: ['job-events', job_id, `${status} ${current_stage} ${attempt} ${cancel_requested_at}`],
    enabled: wanted,
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }) => {
      const told: JobEvent[] = [];
      for (let after: number | null = 0; after !== null; ) {
        const params = { path: { id: job_id }, query: { limit: PAGE, after } };
        const page: { events: JobEvent[]; next_after: number | null } = dataOf(
          await answer(api.GET('/api/jobs/{id}/events', { params, signal })),
        );
        told.push(...page.events);
        after = page.next_after;
      }
      return told;
    },
  });
}

/** The whole log of one attempt, piece by piece, as one text. */
export async function fetchLog(job_id: string, attempt: number): Promise<string> {
  const pieces: string[] = [];
  for (let after = 0; ; ) {
    const params = { path: { id: job_id }, query: { after, attempt } };
    const { text, next, size } = dataOf(await answer(api.GET('/api/jobs/{id}/logs', { params })));
    pieces.push(text);
    if (next <= after || next >= size) return pieces.join('');
    after = next;
  }
}
