import { AppError } from '#/domain/app-error.ts';

/** scrypt takes a thread and 16 MB each time, and Node has four threads for this, files and names together. */
const AT_ONCE = 2;
const WAITING_MAX = 20;
const RETRY_AFTER_S = 5;

let running = 0;
const waiting: (() => void)[] = [];

/**
 * Does work that hashes a password: two at once, twenty wait in the order in which they came, and the rest is sent away
 * unworked, so that who floods the door stops nothing else. Throws `rate_limited` and what `work` throws.
 */
export async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (running < AT_ONCE) running++;
  else if (waiting.length < WAITING_MAX) await new Promise<void>((resolve) => waiting.push(resolve));
  else throw new AppError('rate_limited', `Too many sign in at this moment: wait ${RETRY_AFTER_S} s`, [], RETRY_AFTER_S);
  try {
    return await work();
  } finally {
    // Whoever is next takes this place over.
    const next = waiting.shift();
    if (next === undefined) running--;
    else next();
  }
}
