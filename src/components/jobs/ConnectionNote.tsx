'use client';
import { classNames } from '#/components/class-names.ts';
import type { Connection } from '#/hooks/shared-stream.ts';
import { useNow } from '#/hooks/useNow.ts';

/** Whether what is shown is live, and if not, when it will be. */
export function ConnectionNote({ connection }: { connection: Connection }) {
  const now = useNow(1_000);
  const { dot, words } = inWords(connection, now);
  return (
    <span
      role="status"
      className="inline-flex items-center gap-1.5 text-soft text-xs"
      title={connection.state === 'waiting' ? connection.reason : undefined}
    >
      <span aria-hidden className={classNames('size-1.5 rounded-full', dot)} />
      {words}
    </span>
  );
}

function inWords(connection: Connection, now: number): { dot: string; words: string } {
  switch (connection.state) {
    case 'live':
      // It does not move: an animation that runs for hours takes a few percent of the processor that trains.
      return { dot: 'bg-good', words: 'Live' };
    case 'connecting':
      return { dot: 'bg-soft animate-breathe', words: 'Connecting' };
    case 'waiting': {
      const seconds = Math.ceil((connection.retry_at - now) / 1000);
      return { dot: 'bg-warn', words: seconds > 0 ? `Connection lost, again in ${seconds} s` : 'Connection lost, trying again' };
    }
    case 'paused':
      return { dot: 'bg-soft', words: 'Paused while hidden' };
    case 'ended':
      return { dot: 'bg-soft', words: 'Up to date' };
    case 'refused':
      return { dot: 'bg-bad', words: `Not live: ${connection.reason}` };
  }
}
