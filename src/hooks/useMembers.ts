import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { components } from '#/contract/api.gen.ts';
import { answer, api } from './api.ts';
import { tell, tellFault } from './notify.ts';
import { LISTS } from './query-keys.ts';

export type OpenInvitation = components['schemas']['OpenInvitation'];

interface Page {
  limit: number;
  offset: number;
}

/** One page of everybody in this studio; for administrators. */
export function useMembers(page: Page) {
  return useQuery({
    queryKey: [...LISTS.members, page],
    queryFn: ({ signal }) => answer(api.GET('/api/users', { params: { query: page }, signal })),
    placeholderData: keepPreviousData,
  });
}

/** One page of the invitations that nobody has accepted; for administrators. */
export function useInvitations(page: Page) {
  return useQuery({
    queryKey: [...LISTS.invitations, page],
    queryFn: ({ signal }) => answer(api.GET('/api/invitations', { params: { query: page }, signal })),
    placeholderData: keepPreviousData,
  });
}

/** Makes an invitation; its link is in this answer only. */
export function useInvite() {
  const queries = useQueryClient();
  return useMutation({
    // The link is left out of repeated answers alone, and this request names no Idempotency-Key.
    mutationFn: async (email: string) => {
      const made = await answer(api.POST('/api/invitations', { body: { email } }));
      return { ...made, url: made.url ?? '' };
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: LISTS.invitations }),
  });
}

export function useRevokeInvitation({ id, email }: OpenInvitation) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => answer(api.DELETE('/api/invitations/{id}', { params: { path: { id } } })),
    onSuccess: () => tell(`The invitation of ${email} is taken back`),
    onError: (error) => tellFault(error.message),
    // One that was accepted in the meantime leaves the list as well.
    onSettled: () => queries.invalidateQueries({ queryKey: LISTS.invitations }),
  });
}
