import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { useDatabase } from '../../test/database.ts';
import { addOwner, addTraining, isOver, makeHost, type Owner, untilJob, type WorkerHost } from '../../test/worker-process.ts';

const db = useDatabase();
let host: WorkerHost;
let owner: Owner;
beforeEach(async () => {
  host = await makeHost(db);
  owner = await addOwner(db, host);
});
afterEach(() => host.end());

describe('a worker', () => {
  test('a queued job becomes an adapter', async () => {
    const worker = await host.start();
    const job = await addTraining(db, host, owner, [{ steps: 12 }]);
    const end = await untilJob(db, job, isOver).catch((error) => {
      throw new Error(`${error.message}\n${worker.words()}`);
    });
    expect(end, worker.words()).toMatchObject({ status: 'completed', progress: 100, current_step: 12, attempt: 1 });
  });
});
