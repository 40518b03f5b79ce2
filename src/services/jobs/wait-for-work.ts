import { listen } from '#/db/notify.ts';

export interface WorkBell {
  /** Resolves when something may have changed, at the latest after `timeout_ms`, at once when it rang meanwhile. */
  wait(timeout_ms: number): Promise<void>;
  /** Ends a wait from within. */
  ring(): void;
  close(): Promise<void>;
}

/** Hears of new work, wishes and checks. Only a hint: whoever waits also looks by itself after its timeout. */
export function listenForWork(): WorkBell {
  let rang = false;
  let wake: (() => void) | undefined;
  const ring = () => {
    rang = true;
    wake?.();
  };
  const listener = listen('scheduler', ['lowrank_work'], ring);
  return {
    ring,
    close: () => listener.close(),
    async wait(timeout_ms) {
      if (!rang) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, timeout_ms);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
        wake = undefined;
      }
      rang = false;
    },
  };
}
