'use client';
import '#/hooks/zod-without-eval.ts';
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import dynamic from 'next/dynamic';
import { type ReactNode, useState } from 'react';
import { ApiError, isPassing } from '#/hooks/api.ts';
import { ME } from '#/hooks/query-keys.ts';

const Toasts = dynamic(() => import('./Toasts.tsx').then((module) => module.Toasts), { ssr: false });

/** A 401 of any call means that nobody is signed in any more; the shell then leads to the sign-in page. */
function makeClient(): QueryClient {
  const onError = (error: Error) => {
    if (error instanceof ApiError && error.status === 401 && client.getQueryData(ME)) client.setQueryData(ME, null);
  };
  const client = new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: { queries: { staleTime: 2_000, retry: (count, error) => count < 2 && isPassing(error) } },
  });
  return client;
}

export function Providers({ children }: { children: ReactNode }) {
  const [client] = useState(makeClient);
  return (
    <QueryClientProvider client={client}>
      {children}
      <Toasts />
    </QueryClientProvider>
  );
}
