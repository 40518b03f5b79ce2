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

/** After a change of person nothing that was fetched for the last one may stay. */
function useEntered() {
  const queries = useQueryClient();
  return (user: Person) => {
    queries.clear();
    queries.setQueryData(ME, user);
  };
}

export function useSignIn() {
  const entered = useEntered();
  return useMutation({
    mutationFn: async (body: { email: string; password: string }) => (await answer(api.POST('/api/auth/sign-in', { body }))).user,
    onSuccess: entered,
  });
}

export function useFirstRun() {
  const entered = useEntered();
  return useMutation({
    mutationFn: async (body: { setup_token: string; name?: string; email: string; password: string }) =>
      (await answer(api.POST('/api/first-run', { body }))).user,
    onSuccess: entered,
  });
}

export function useSignUp() {
  const entered = useEntered();
  return useMutation({
    mutationFn: async (body: { invitation?: string; name?: string; email: string; password: string }) =>
      (await answer(api.POST('/api/sign-up', { body }))).user,
    onSuccess: entered,
  });
}

/** Spends a one-time link; answers the path that the link was made for. */
export function useSignInLink() {
  const entered = useEntered();
  return useMutation({
    mutationFn: (token: string) => answer(api.POST('/api/sign-in-link', { body: { token } })),
    onSuccess: ({ user }) => entered(user),
  });
}

export function useSignOut() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => answer(api.POST('/api/auth/sign-out')),
    onSuccess: () => {
      queries.clear();
      queries.setQueryData(ME, null);
    },
  });
}

export function useChangePassword() {
  return useMutation({
    mutationFn: (body: { current_password: string; new_password: string }) =>
      answer(api.POST('/api/auth/change-password', { body })),
  });
}
