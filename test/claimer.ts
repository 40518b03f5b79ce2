/** A worker that only claims and says that the trainer has started: for tests of what waits for that. */
import { randomUUID } from 'node:crypto';
import { claimJob } from '#/services/jobs/claim-job.ts';
import type { RunKey } from '#/services/jobs/hold-run.ts';
import { noteStarted } from '#/services/jobs/launch-run.ts';
import { listenForWork } from '#/services/jobs/wait-for-work.ts';
import { registerWorker } from '#/services/machine/register-worker.ts';

export interface Claimer {
  /** The runs that it claimed so far. */
  claimed: RunKey[];
  stop(): Promise<void>;
}

/** Claims whatever may start, and does with it what the test says: by default its trainer starts at once. */
export async function startClaimer(
  launch: (run: RunKey) => Promise<unknown> = (run) => noteStarted(run, { executor: 'test' }),
  devices = 32,
): Promise<Claimer> {
  const id = randomUUID();
  const gpus = Array.from({ length: devices }, (_, at) => ({
    kind: 'gpu' as const,
    uuid: `GPU-${at}`,
    name: 'Test',
    memory_mb: 1,
  }));
  await registerWorker({ id, boot_id: 'boot', pid: 1, version: '0', facts: {} }, gpus);
  const bell = listenForWork();
  const ear = bell.ear();
  const claimed: RunKey[] = [];
  let stopped = false;
  const over = (async () => {
    while (!stopped) {
      for (let run = await claimJob(id, 'test', 30_000); run !== null; run = await claimJob(id, 'test', 30_000)) {
        claimed.push(run);
        await launch(run);
      }
      await ear.wait(200);
    }
  })();
  return {
    claimed,
    async stop() {
      stopped = true;
      bell.ring();
      await over;
      await bell.close();
    },
  };
}
