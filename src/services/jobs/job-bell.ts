import { type Listener, listen } from '#/db/notify.ts';

// One LISTEN connection a process, however many follow: a notification only says "look now".
const waiting = new Map<string, Set<() => void>>();
let listener: Listener | undefined;

function ring(job_id: string): void {
  for (const wake of waiting.get(job_id) ?? []) wake();
}

/** Resolves when the job's row changed, when `timeout_ms` have passed or when the signal says stop; never rejects. */
export function waitForJob(job_id: string, timeout_ms: number, signal: AbortSignal): Promise<void> {
  listener ??= listen('web', ['lowrank_job'], (_, payload) => {
    // After a reconnect anything may have been missed: everybody looks.
    if (payload === '') for (const id of waiting.keys()) ring(id);
    else ring(payload);
  });
  return new Promise((resolve) => {
    const wakes = waiting.get(job_id) ?? new Set();
    waiting.set(job_id, wakes);
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      wakes.delete(done);
      if (wakes.size === 0 && waiting.get(job_id) === wakes) waiting.delete(job_id);
      resolve();
    };
    const timer = setTimeout(done, timeout_ms);
    signal.addEventListener('abort', done);
    wakes.add(done);
    if (signal.aborted) done();
  });
}

/** Ends the process's listening connection: at shutdown and between tests. */
export async function silenceJobBell(): Promise<void> {
  const open = listener;
  listener = undefined;
  await open?.close();
}
