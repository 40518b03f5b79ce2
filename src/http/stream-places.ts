import { AppError } from '#/domain/app-error.ts';

/** Live streams that one person may hold here: a thousand viewers of a shared screen's job, and some more. */
export const OPEN_A_PERSON_MAX = 1_500;
/** And all people together: each stream holds a socket and some 50 kB. */
export const OPEN_MAX = 10_000;

/** How many live streams each person holds in this process. */
const held = new Map<string, number>();
let held_in_all = 0;

/** Takes a place among the live streams and answers what gives it back. Throws `rate_limited`. */
export function holdPlace(user_id: string): () => void {
  const mine = held.get(user_id) ?? 0;
  if (mine >= OPEN_A_PERSON_MAX || held_in_all >= OPEN_MAX)
    throw new AppError(
      'rate_limited',
      mine >= OPEN_A_PERSON_MAX
        ? `You hold ${OPEN_A_PERSON_MAX.toLocaleString('en')} live streams: close some, then connect again`
        : 'This studio holds as many live streams as it can: try again in a minute',
      [],
      60,
    );
  held.set(user_id, mine + 1);
  held_in_all++;
  return () => {
    held_in_all--;
    const left = (held.get(user_id) ?? 1) - 1;
    if (left === 0) held.delete(user_id);
    else held.set(user_id, left);
  };
}
