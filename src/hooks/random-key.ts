/** 128 random bits as hex. `crypto.randomUUID` is missing where a page came over plain HTTP from another address. */
export function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
