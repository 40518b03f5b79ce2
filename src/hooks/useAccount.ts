/** Who is signed in, and the ways in and out. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { components } from '#/contract/api.gen.ts';
import { ApiError, answer, api } from './api.ts';
import { ME } from './query-keys.ts';

export type Person = components['schemas']['Person'];

/** The signed-in person, or null when nobody is. */
export function useMe() {
  return useQuery({
    queryKey: ME,
    staleTime: 300_000,
    queryFn: async (): Promise<Person | null> => {
      try {
        return (await answer(api.GET('/api/me'))).user;
      } catch (error) {
        if (error instanceof ApiError && error.status === 401) return null;
        throw error;
      }
    },
  });
}

/** Whether this installation still waits for its owner. */
export function useFirstRunState() {
  return useQuery({
    queryKey: ['first-run'],
    queryFn: () => answer(api.GET('/api/first-run')),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/**
 * After a change of person nothing that was fetched for the last one may stay. Who it is stays an entry of the same cache: one
 * that was removed and made anew would not be heard of by what is on the page.
 */
function usePersonChange() {
  const queries = useQueryClient();
  return (user: Person | null) => {
    queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== ME[0] });
    queries.getMutationCache().clear();
    queries.setQueryData(ME, user);
  };
}

export function useSignIn() {
  const changed = usePersonChange();
  return useMutation({
    mutationFn: async (body: { email: string; password: string }) => (await answer(api.POST('/api/auth/sign-in', { body }))).user,
    onSuccess: changed,
  });
}

export function useFirstRun() {
  const changed = usePersonChange();
  return useMutation({
    mutationFn: async (body: { setup_token: string; name?: string; email: string; password: string }) =>
      (await answer(api.POST('/api/first-run', { body }))).user,
    onSuccess: changed,
  });
}

export function useSignUp() {
  const changed = usePersonChange();
  return useMutation({
    mutationFn: async (body: { invitation?: string; name?: string; email: string; password: string }) =>
      (await answer(api.POST('/api/sign-up', { body }))).user,
    onSuccess: changed,
  });
}

/** Spends a one-time link; answers the path that the link was made for. */
export function useSignInLink() {
  const changed = usePersonChange();
  return useMutation({
    mutationFn: (token: string) => answer(api.POST('/api/sign-in-link', { body: { token } })),
    onSuccess: ({ user }) => changed(user),
  });
}

export function useSignOut() {
  const changed = usePersonChange();
  return useMutation({ mutationFn: () => answer(api.POST('/api/auth/sign-out')), onSuccess: () => changed(null) });
}

export function useChangePassword() {
  return useMutation({
    mutationFn: (body: { current_password: string; new_password: string }) =>
      answer(api.POST('/api/auth/change-password', { body })),
  });
}
