import { type Listener, listen } from '#/db/notify.ts';

/** One follower's ear: a ring that comes while nobody waits is kept for the next wait, so none is lost in between. */
export interface JobBell {
  /** Resolves when the job's row changed since the last wait, when `timeout_ms` have passed or on the signal; never rejects. */
  wait(timeout_ms: number, signal: AbortSignal): Promise<void>;
  close(): void;
}

// One LISTEN connection a process, however many follow: a notification only says "look now".
const ears = new Map<string, Set<() => void>>();
let listener: Listener | undefined;

function ring(job_id: string): void {
  for (const hear of ears.get(job_id) ?? []) hear();
}

/** Starts to listen for changes of one job's row. */
export function hearJob(job_id: string): JobBell {
  listener ??= listen('web', ['lowrank_job'], (_, payload) => {
    // After a reconnect anything may have been missed: everybody looks.
    if (payload === '') for (const id of ears.keys()) ring(id);
    else ring(payload);
  });
  let rung = false;
  let wake: (() => void) | undefined;
  const hear = () => {
    rung = true;
    wake?.();
  };
  const others = ears.get(job_id) ?? new Set();
  ears.set(job_id, others.add(hear));
  return {
    wait(timeout_ms, signal) {
      return new Promise((resolve) => {
        const done = () => {
          clearTimeout(timer);
          signal.removeEventListener('abort', done);
          wake = undefined;
          rung = false;
          resolve();
        };
        const timer = setTimeout(done, timeout_ms);
        signal.addEventListener('abort', done);
        wake = done;
        if (rung || signal.aborted) done();
      });
    },
    close() {
      others.delete(hear);
      if (others.size === 0 && ears.get(job_id) === others) ears.delete(job_id);
    },
  };
}

/** Ends the process's listening connection: at shutdown and between tests. */
export async function silenceJobBell(): Promise<void> {
  const open = listener;
  listener = undefined;
  await open?.close();
}
