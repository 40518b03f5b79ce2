import { expect, test } from 'vitest';
import { useDatabase } from '../../../test/database.ts';
import { readWorkers } from './read-workers.ts';
import { noteWorkerStopped, registerWorker } from './register-worker.ts';

const database = useDatabase();

test('every worker is told with the time since it was last heard, by the clock of the database', async () => {
  const facts = { host: 'gpu-1', executor_fault: { state: 'unfit', reason: 'it has no image' } };
  await registerWorker({ id: 'a', boot_id: 'b', pid: 1, version: '0', facts }, []);
  await registerWorker({ id: 'b', boot_id: 'b', pid: 2, version: '0', facts: {} }, []);
  await noteWorkerStopped('b');
  await database.asOwner("UPDATE lowrank.workers SET heartbeat_at = clock_timestamp() - interval '90 s' WHERE id = 'a'");
  const [a, b] = (await readWorkers()).sort((one, other) => one.id.localeCompare(other.id));
  expect(a).toMatchObject({ id: 'a', host: 'gpu-1', fault: 'it has no image', stopped: false });
  expect(a?.silent_ms).toBeGreaterThanOrEqual(90_000);
  expect(a?.silent_ms).toBeLessThan(120_000);
  expect(b).toMatchObject({ id: 'b', host: null, fault: null, stopped: true });
});
