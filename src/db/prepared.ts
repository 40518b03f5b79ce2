import type { Tx } from './tenancy.ts';

/** A query that can be prepared: what Drizzle's builders give. */
interface Preparable<P> {
  prepare(name: string): P;
}

/**
 * A query that is built once a connection and planned once by the server, for what is asked all day: building the text of
 * a wide select costs more than its answer. `name` is the statement's on the server, so no other query may have it.
 */
export function prepared<P>(name: string, build: (tx: Tx) => Preparable<P>): (tx: Tx) => P {
  const known = new WeakMap<Tx, P>();
  return (tx) => {
    const old = known.get(tx);
    if (old !== undefined) return old;
    const made = build(tx).prepare(name);
    known.set(tx, made);
    return made;
  };
}
