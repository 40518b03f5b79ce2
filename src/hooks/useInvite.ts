import { useMutation } from '@tanstack/react-query';
import { answer, api } from './api.ts';

/** Makes an invitation; its link is in this answer only. */
export function useInvite() {
  return useMutation({ mutationFn: (email: string) => answer(api.POST('/api/invitations', { body: { email } })) });
}
