import { listen } from '#/db/notify.ts';

/** One who waits for the bell, and hears no ring twice and none too few. */
export interface WorkEar {
  /** Resolves when something may have changed, at the latest after `timeout_ms`; at once when it rang since the last wait. */
  wait(timeout_ms: number): Promise<void>;
  /** Rings for this one alone. */
  ring(): void;
}

export interface WorkBell {
  ear(): WorkEar;
  /** Rings from within: ends every wait. */
  ring(): void;
  close(): Promise<void>;
}

/** Hears of new work, wishes and checks. Only a hint: whoever waits also looks by itself after its timeout. */
export function listenForWork(): WorkBell {
  const ears = new Set<() => void>();
  const ring = () => {
    for (const hear of ears) hear();
  };
  const listener = listen('scheduler', ['lowrank_work'], ring);
  return {
    ring,
    close: () => listener.close(),
    ear() {
      let rang = false;
      let wake: (() => void) | undefined;
      const hear = () => {
        rang = true;
        wake?.();
      };
      ears.add(hear);
      return {
        ring: hear,
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
    },
  };
}
