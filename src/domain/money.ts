/** More than this is nobody's bill: what a NUMERIC(12, 2) holds. */
const USD_MAX = 9_999_999_999.99;

/** US dollars to the cent, halves upwards: what a price, an estimate or a bill says. */
export function toCents(usd: number): number {
  // A product such as 1.005 × 100 lies a hair below its half: twelve digits are what a sum of money means.
  return Math.min(USD_MAX, Math.round(Number((usd * 100).toPrecision(12))) / 100);
}
