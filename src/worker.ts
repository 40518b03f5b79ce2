/** The worker process: starts trainings and cares for them. It needs only its environment; an orderly end leaves trainings running. */
import { runWorker } from './worker/run-worker.ts';

const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort());
// Whoever started us is gone: end in order. Nobody reads what we print from then on.
process.on('disconnect', () => stop.abort());
process.stdout.on('error', () => undefined);
process.exitCode = await runWorker(stop.signal);
if (process.connected) process.disconnect();
