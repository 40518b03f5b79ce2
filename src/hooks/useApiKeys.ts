import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { components } from '#/contract/api.gen.ts';
import { answer, api } from './api.ts';
import { tell, tellFault } from './notify.ts';
import { LISTS } from './query-keys.ts';

export type ApiKey = components['schemas']['ApiKey'];

export interface NewKey {
  name: string;
  scopes: ('read' | 'write')[];
  expires_at?: string;
}

/** One page of own API keys, newest first; their secrets are never in it. */
export function useApiKeys(page: { limit: number; offset: number }) {
  return useQuery({
    queryKey: [...LISTS.keys, page],
    queryFn: ({ signal }) => answer(api.GET('/api/keys', { params: { query: page }, signal })),
    placeholderData: keepPreviousData,
  });
}

/** Makes a key; the answer alone holds its secret. */
export function useCreateApiKey() {
  const queries = useQueryClient();
  return useMutation({
    // The key is left out of repeated answers alone, and this request names no Idempotency-Key.
    mutationFn: async (body: NewKey) => {
      const made = await answer(api.POST('/api/keys', { body }));
      return { ...made, key: made.key ?? '' };
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: LISTS.keys }),
  });
}

export function useRevokeApiKey() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => answer(api.DELETE('/api/keys/{id}', { params: { path: { id } } })),
    onSuccess: (key) => {
      tell(`${key.name} is revoked`);
      return queries.invalidateQueries({ queryKey: LISTS.keys });
    },
    onError: (error) => tellFault(error.message),
  });
}
