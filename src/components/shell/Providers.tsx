'use client';
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { Toaster } from 'sonner';
import { ApiError, isPassing } from '#/hooks/api.ts';
import { ME } from '#/hooks/query-keys.ts';

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
      <Toaster position="bottom-right" closeButton toastOptions={{ className: 'toast' }} />
    </QueryClientProvider>
  );
}
