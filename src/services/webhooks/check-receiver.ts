import { AppError } from '#/domain/app-error.ts';
import { env } from '#/env.ts';
import { checkedAddresses, outboundMeans } from '#/storage/outbound/checked-addresses.ts';
import { OutboundError } from '#/storage/outbound/outbound-error.ts';
import { outboundUrl } from '#/storage/outbound/outbound-url.ts';

/** A name server that takes longer says nothing against the address: each delivery asks again. */
const LOOKED_UP_WITHIN_MS = 3_000;

/**
 * Refuses an address that no delivery could go to, while its owner still looks at the form. What it says is judged again at
 * every delivery. Not for inside of a transaction: it asks DNS. Throws `invalid_request`.
 */
export async function checkReceiver(text: string): Promise<void> {
  const means = outboundMeans(env.OUTBOUND_TRUSTED_HOSTS);
  const patience = new AbortController();
  try {
    const url = outboundUrl(text, means.trusted);
    const looked = checkedAddresses(url, means);
    const late = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, LOOKED_UP_WITHIN_MS);
      patience.signal.addEventListener('abort', () => clearTimeout(timer));
    });
    await Promise.race([looked, late]);
    looked.catch(() => undefined);
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    if (error.code === 'dns_failed') return;
    throw new AppError('invalid_request', `url ${error.message}`, [{ path: 'url', message: error.message, code: error.code }]);
  } finally {
    patience.abort();
  }
}
