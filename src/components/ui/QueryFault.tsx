'use client';
import { RotateCw } from 'lucide-react';
import { ApiError } from '#/hooks/api.ts';
import { Alert } from './Alert.tsx';
import { Button } from './Button.tsx';

/** What could not be fetched, why, and a way to try again. */
export function QueryFault({ what, error, retry }: { what: string; error: Error; retry(): unknown }) {
  const id = error instanceof ApiError ? error.request_id : null;
  return (
    <Alert
      tone="bad"
      title={`${what} could not be loaded.`}
      actions={
        <Button size="sm" onClick={() => retry()}>
          <RotateCw aria-hidden />
          Try again
        </Button>
      }
    >
      {error.message}
      {id !== null && <span className="block text-xs">Request {id}: the log of the studio says more.</span>}
    </Alert>
  );
}
