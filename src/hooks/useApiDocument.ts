import { useQuery } from '@tanstack/react-query';
import type { ApiDocument } from '#/contract/api-document.ts';
import { answer, api } from './api.ts';

/** The studio's own OpenAPI document: it does not change while the studio runs. */
export function useApiDocument() {
  return useQuery({
    queryKey: ['api-document'],
    queryFn: async ({ signal }) => (await answer(api.GET('/openapi.json', { signal }))) as unknown as ApiDocument,
    staleTime: Number.POSITIVE_INFINITY,
  });
}
