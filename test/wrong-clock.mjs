// Loaded before a program of ours (NODE_OPTIONS=--import=…): its wall clock is WRONG_CLOCK_MS off, and jumps to as much
// on the other side at SIGUSR2. Timers and performance.now() stay as they are, as a machine's monotonic clock does.
const Real = globalThis.Date;
let offset_ms = Number(process.env.WRONG_CLOCK_MS);
process.on('SIGUSR2', () => {
  offset_ms = -offset_ms;
});
const now = () => Real.now() + offset_ms;
globalThis.Date = new Proxy(Real, {
  construct: (target, args, made) => Reflect.construct(target, args.length === 0 ? [now()] : args, made),
  apply: () => new Real(now()).toString(),
  get: (target, name, receiver) => (name === 'now' ? now : Reflect.get(target, name, receiver)),
});
