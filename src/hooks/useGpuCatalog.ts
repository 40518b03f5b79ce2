import { useQuery } from '@tanstack/react-query';
import { answer, api } from './api.ts';
import { GPU_CATALOG } from './query-keys.ts';

/** What trainings are priced and foretold on. */
export function useGpuCatalog() {
  return useQuery({
    queryKey: GPU_CATALOG,
    queryFn: ({ signal }) => answer(api.GET('/api/gpu-catalog', { signal })),
  });
}
