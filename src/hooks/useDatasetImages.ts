import { useInfiniteQuery } from '@tanstack/react-query';
import type { Dataset } from '#/contract/datasets.ts';
import type { ImageReport } from '#/domain/image-report.ts';
import { answer, api } from './api.ts';
import { datasetKey } from './query-keys.ts';

const LIMIT = 120;

/** The report on a dataset of pictures; null of one of text, and while there is none. */
export function imageReportOf({ modality, statistics }: Pick<Dataset, 'modality' | 'statistics'>): ImageReport | null {
  return modality === 'image' && 'images' in statistics ? (statistics as unknown as ImageReport) : null;
}

/** The pictures of a dataset, page by page. */
export function useDatasetImages({ id, version }: Pick<Dataset, 'id' | 'version'>) {
  return useInfiniteQuery({
    queryKey: [...datasetKey(id), 'images', version],
    queryFn: ({ pageParam, signal }) => {
      const params = { path: { id }, query: { limit: LIMIT, after: pageParam } };
      return answer(api.GET('/api/datasets/{id}/images', { params, signal }));
    },
    initialPageParam: 0,
    getNextPageParam: ({ next_after }) => next_after,
  });
}
