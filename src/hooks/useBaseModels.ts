import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { components } from '#/contract/api.gen.ts';
import { answer, api } from './api.ts';
import { tell, tellFault } from './notify.ts';
import { LISTS } from './query-keys.ts';

export interface ModelsQuery {
  search?: string;
  /** Only those that can be trained. */
  trainable?: boolean;
  limit?: number;
  offset?: number;
}

const FETCHING_MS = 2_000;
const SETTLED_MS = 30_000;

/** One page of the registry; asked for often while one of them is being fetched. */
export function useBaseModels({ search = '', trainable, limit = 25, offset = 0 }: ModelsQuery = {}) {
  return useQuery({
    queryKey: [...LISTS.models, { search, trainable, limit, offset }],
    queryFn: ({ signal }) => {
      const query = {
        limit,
        offset,
        ...(search === '' ? {} : { search }),
        ...(trainable ? { trainable: 'true' as const } : {}),
      };
      return answer(api.GET('/api/base-models', { params: { query }, signal }));
    },
    placeholderData: keepPreviousData,
    refetchInterval: (query) => (query.state.data?.models.some(({ status }) => status === 'fetching') ? FETCHING_MS : SETTLED_MS),
  });
}

export type ModelSource = components['schemas']['RegisterModel'];

/** Registers a folder of the studio's machine, or a model of the Hub, which is then fetched. */
export function useRegisterModel() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: ModelSource) => answer(api.POST('/api/base-models', { body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: LISTS.models }),
  });
}

export function useDeleteModel(model_id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => answer(api.DELETE('/api/base-models/{id}', { params: { path: { id: model_id } } })),
    onSuccess: () => {
      tell('The model is taken out of the list');
      return queries.invalidateQueries({ queryKey: LISTS.models });
    },
    onError: (error) => tellFault(error.message),
  });
}
