import { AppError } from '#/domain/app-error.ts';
import { env } from '#/env.ts';
import { refuseBearer } from '#/services/models/fetch-claim.ts';
import type { BaseModelRow } from '#/services/models/model-row.ts';
import { nextTokenBearer, openHubToken } from '#/services/transfers/hub-token.ts';
import type { RefusedBearer } from '#/services/transfers/model-transfers.ts';
import { FetchFailure } from './hub-fetch.ts';

/** How the Hub says no to whoever asks; of a private repository it says that there is none. */
const REFUSALS = new Set(['gated_model', 'model_not_found']);

const isRefusal = (error: unknown): error is FetchFailure => error instanceof FetchFailure && REFUSALS.has(error.code);

/** What the owner of a token is told of it; null when the token is not to blame. */
function reasonOf(error: unknown): RefusedBearer['reason'] | null {
  if (isRefusal(error)) return { code: error.code, message: `with the token of this transfer: ${error.message}` };
  if (error instanceof AppError && error.code === 'not_ready') return { code: 'internal', message: error.message };
  return null;
}

/**
 * Fetches a model with the token of each who waits for it, the longest first, then with the installation's, then with none,
 * until the Hub lets one of them, and answers what it brought. Each transfer whose token is refused fails by itself; who cannot be told before the fetch is settled, since
 * nobody else waits, is put into `refused`. Throws what `fetch` throws: the refusal once all of them are refused.
 */
export async function withEachToken<T>(
  model: BaseModelRow,
  refused: RefusedBearer[],
  fetch: (token: string | undefined) => Promise<T>,
): Promise<T> {
  const tried: string[] = [];
  const own = env.HF_TOKEN === undefined ? [undefined] : [env.HF_TOKEN, undefined];
  let last: FetchFailure | null = null;
  for (;;) {
    // Asked anew each time: whoever comes with a token meanwhile is asked, too.
    const bearer = await nextTokenBearer(model.id, tried);
    if (bearer === null) {
      if (last !== null && own.length === 0) throw last;
      try {
        return await fetch(own.shift());
      } catch (error) {
        if (!isRefusal(error)) throw error;
        // That it is gated says more than that there is none.
        if (last?.code !== 'gated_model') last = error;
      }
      continue;
    }
    tried.push(bearer.token);
    try {
      return await fetch(await openHubToken(bearer));
    } catch (error) {
      const reason = reasonOf(error);
      if (reason === null) throw error;
      const one = { bearer, reason };
      if (!(await refuseBearer(model, one))) refused.push(one);
    }
  }
}
