import { useQuery } from '@tanstack/react-query';
import type { TrainingSample } from '#/contract/job-outputs.ts';
import type { TrainingJob } from '#/contract/jobs.ts';
import { answer, api, dataOf } from './api.ts';

const PAGE = 500;
/** A page holds no more than so many, the first ones. */
export const SAMPLES_SHOWN_MAX = 2_000;

/** What a training made of its sample prompts, oldest first; asked for anew when there is more to see. */
export function useJobSamples({ id, samples }: Pick<TrainingJob, 'id' | 'samples'>) {
  return useQuery({
    queryKey: ['job-samples', id, samples],
    enabled: samples > 0,
    // What there was stays until there is more, of the same job.
    placeholderData: (before: TrainingSample[] | undefined, query) => (query?.queryKey[1] === id ? before : undefined),
    queryFn: async ({ signal }) => {
      const found: TrainingSample[] = [];
      for (let after: number | null = 0; after !== null && found.length < SAMPLES_SHOWN_MAX; ) {
        const params = { path: { id }, query: { limit: PAGE, after } };
        const page: { samples: TrainingSample[]; next_after: number | null } = dataOf(
          await answer(api.GET('/api/jobs/{id}/samples', { params, signal })),
        );
        found.push(...page.samples);
        after = page.next_after;
      }
      return found;
    },
  });
}
