import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { Dataset } from '#/contract/datasets.ts';
import type { DatasetFormat } from '#/domain/dataset-options.ts';
import type { ColumnMapping } from '#/domain/trainer-config.ts';
import { answer, api } from './api.ts';
import { tell, tellFault } from './notify.ts';
import { datasetKey, LISTS } from './query-keys.ts';

const moves = ({ status }: Pick<Dataset, 'status'>) => status === 'uploading' || status === 'validating';
const CHECKING_MS = 1_500;
const SETTLED_MS = 30_000;

export interface DatasetsQuery {
  search?: string;
  limit?: number;
  offset?: number;
}

/** One page of own datasets, newest first; asked for often while one of them is being checked. */
export function useDatasets({ search = '', limit = 25, offset = 0 }: DatasetsQuery = {}) {
  return useQuery({
    queryKey: [...LISTS.datasets, { search, limit, offset }],
    queryFn: ({ signal }) => {
      const query = { limit, offset, ...(search === '' ? {} : { search }) };
      return answer(api.GET('/api/datasets', { params: { query }, signal }));
    },
    placeholderData: keepPreviousData,
    refetchInterval: (query) => (query.state.data?.datasets.some(moves) ? CHECKING_MS : SETTLED_MS),
  });
}

/** One dataset with its report. */
export function useDataset(dataset_id: string) {
  return useQuery({
    queryKey: datasetKey(dataset_id),
    queryFn: ({ signal }) => answer(api.GET('/api/datasets/{id}', { params: { path: { id: dataset_id } }, signal })),
    refetchInterval: ({ state }) => (state.data && moves(state.data) ? CHECKING_MS : false),
  });
}

export interface DatasetChanges {
  name?: string;
  format?: DatasetFormat;
  mapping?: ColumnMapping;
  invalid_rows?: 'refuse' | 'skip';
}

/** Changes what is said about a dataset; another format, mapping or rule has it checked again. */
export function useChangeDataset(dataset_id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: DatasetChanges) => answer(api.PATCH('/api/datasets/{id}', { params: { path: { id: dataset_id } }, body })),
    onSuccess: (dataset) => {
      queries.setQueryData(datasetKey(dataset_id), dataset);
      return queries.invalidateQueries({ queryKey: LISTS.datasets });
    },
    onError: (error) => tellFault(error.message),
  });
}

export function useDeleteDataset(dataset_id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => answer(api.DELETE('/api/datasets/{id}', { params: { path: { id: dataset_id } } })),
    onSuccess: () => {
      tell('The dataset is deleted');
      return queries.invalidateQueries({ queryKey: LISTS.datasets });
    },
    onError: (error) => tellFault(error.message),
  });
}
