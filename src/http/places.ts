/** Places for what goes on for long: so many a person, so many for all together, in this process. */
import { AppError } from '#/domain/app-error.ts';
import { DOWNLOADS_A_PERSON_MAX, DOWNLOADS_MAX } from '#/domain/constants.ts';

const RETRY_AFTER_S = 60;

interface Bounds {
  a_person_max: number;
  in_all_max: number;
  /** What who holds all of theirs is told. */
  mine_taken: string;
  /** What is told when others hold all that there are. */
  all_taken: string;
}

export interface Places extends Bounds {
  /** Takes a place and answers what gives it back, once. Throws `rate_limited`. */
  hold(user_id: string): () => void;
}

function places(bounds: Bounds): Places {
  /** How many each person holds. */
  const held = new Map<string, number>();
  let held_in_all = 0;
  return {
    ...bounds,
    hold(user_id) {
      const mine = held.get(user_id) ?? 0;
      if (mine >= bounds.a_person_max) throw new AppError('rate_limited', bounds.mine_taken, [], RETRY_AFTER_S);
      if (held_in_all >= bounds.in_all_max) throw new AppError('rate_limited', bounds.all_taken, [], RETRY_AFTER_S);
      held.set(user_id, mine + 1);
      held_in_all++;
      let is_held = true;
      return () => {
        if (!is_held) return;
        is_held = false;
        held_in_all--;
        const left = (held.get(user_id) ?? 1) - 1;
        if (left === 0) held.delete(user_id);
        else held.set(user_id, left);
      };
    },
  };
}

/** A thousand viewers of a shared screen's job, and some more, are one person. */
const STREAMS_A_PERSON_MAX = 1_500;

/** Each holds a socket and some 50 kB. */
export const LIVE_STREAMS = places({
  a_person_max: STREAMS_A_PERSON_MAX,
  in_all_max: 10_000,
  mine_taken: `You hold ${STREAMS_A_PERSON_MAX.toLocaleString('en')} live streams: close some, then connect again`,
  all_taken: 'This studio holds as many live streams as it can: try again in a minute',
});

/** Whoever has a signed address downloads on behalf of who signed it. */
export const DOWNLOADS = places({
  a_person_max: DOWNLOADS_A_PERSON_MAX,
  in_all_max: DOWNLOADS_MAX,
  mine_taken: `${DOWNLOADS_A_PERSON_MAX} downloads of yours are under way: let one end or break it off, then start this one again`,
  all_taken: 'This studio sends as many files at once as it can: start the download again in a minute',
});

const UPLOADS_A_PERSON_MAX = 8;

/** Files on their way in: on an S3 server each holds some 16 MB. */
export const UPLOADS = places({
  a_person_max: UPLOADS_A_PERSON_MAX,
  in_all_max: 64,
  mine_taken: `${UPLOADS_A_PERSON_MAX} uploads of yours are under way: let one end, then send this file again`,
  all_taken: 'This studio takes in as many files at once as it can: send this one again in a minute',
});

/** A page of samples asks for as many pictures at once as its browser has streams (100 on one connection of HTTP/2); each is a few MB. */
export const PICTURES = places({
  a_person_max: 200,
  in_all_max: 2_000,
  mine_taken: 'You are sent 200 pictures already: let some arrive, then ask again',
  all_taken: 'This studio sends as many pictures at once as it can: ask again in a minute',
});
