import type { ReactNode } from 'react';
import { Wordmark } from './Logo.tsx';
import { PlainHttpWarning } from './PlainHttpWarning.tsx';

/** Frame of the pages before the sign-in: one sheet, one task. */
export function DoorShell({ children }: { children: ReactNode }) {
  return (
    <div className="flex min-h-dvh flex-col">
      <PlainHttpWarning />
      <main className="mx-auto flex w-full max-w-100 flex-1 flex-col px-5 py-10 sm:justify-center sm:pb-32">
        <div className="mb-7">
          <Wordmark />
        </div>
        {children}
      </main>
    </div>
  );
}
