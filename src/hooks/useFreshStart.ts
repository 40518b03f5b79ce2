import { useQueryClient } from '@tanstack/react-query';

/** Forgets every answer that was kept: a second try asks anew rather than fails on the same one. */
export function useFreshStart(): () => void {
  const queries = useQueryClient();
  return () => void queries.resetQueries();
}
