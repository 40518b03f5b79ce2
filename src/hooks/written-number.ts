/** A number as a person would write it: 0.00005 → `5e-5`, 0.1 → `0.1`. */
export function written(value: number): string {
  return value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential().replace('e+', 'e') : String(value);
}

/** NaN for everything that is no plain decimal number; a comma is read as the decimal point that was meant. */
export function readNumber(text: string): number {
  const plain = text.trim().replace(',', '.');
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) ? Number(plain) : Number.NaN;
}
