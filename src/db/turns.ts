/** A work that waits for its turn, told when it has it or that it will not get it. */
interface Waiting {
  go(): void;
}

/**
 * Lets at most `max` works of one key go on at the same time; the rest wait in line, `wait_ms` at most, after which they
 * fail with `late()`. So whoever asks much waits behind themselves and behind nobody else.
 */
export function turns(max: number, wait_ms: number, late: () => Error): <T>(key: string, work: () => Promise<T>) => Promise<T> {
  const lines = new Map<string, { active: number; waiting: Set<Waiting> }>();

  return async (key, work) => {
    const line = lines.get(key) ?? { active: 0, waiting: new Set<Waiting>() };
    lines.set(key, line);
    if (line.active < max) line.active++;
    // Whoever ends hands their place on: `active` stays as it is.
    else
      await new Promise<void>((resolve, reject) => {
        const mine = {
          go() {
            clearTimeout(timer);
            resolve();
          },
        };
        const timer = setTimeout(() => {
          line.waiting.delete(mine);
          reject(late());
        }, wait_ms);
        line.waiting.add(mine);
      });
    try {
      return await work();
    } finally {
      const [next] = line.waiting;
      if (next !== undefined) {
        line.waiting.delete(next);
        next.go();
      } else if (--line.active === 0) lines.delete(key);
    }
  };
}
