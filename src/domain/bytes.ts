/** Sizes in the one way that the product says them: decimal, 1 MB is a million bytes. */
export const MB = 1_000_000;
export const GB = 1_000_000_000;

const SIZES = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Bytes with three digits, and without a fraction where there is none: `3.42 MB`, `500 MB`, `5 GB`. */
export function formatBytes(bytes: number): string {
  let size = 0;
  let value = bytes;
  while (value >= 999.5 && size < SIZES.length - 1) {
    value /= 1000;
    size += 1;
  }
  const digits = Number.isInteger(value) || value >= 100 ? 0 : value < 10 ? 2 : 1;
  return `${value.toFixed(digits)} ${SIZES[size]}`;
}
