import { useMutation } from '@tanstack/react-query';
import { answer, api } from './api.ts';

/** Makes an invitation; its link is in this answer only. */
export function useInvite() {
  return useMutation({
    // The link is left out of repeated answers alone, and this request names no Idempotency-Key.
    mutationFn: async (email: string) => {
      const made = await answer(api.POST('/api/invitations', { body: { email } }));
      return { ...made, url: made.url ?? '' };
    },
  });
}
