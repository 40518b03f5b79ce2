import { beforeEach, describe, expect, test } from 'vitest';
import { useDatabase } from '../../../test/database.ts';
import { addJob, addPerson } from '../../../test/factories.ts';
import { beginLook, type DeviceLook, noteDevices } from './note-devices.ts';
import { type DeviceFacts, registerWorker } from './register-worker.ts';

const db = useDatabase();
const WORKER = { id: 'w', boot_id: 'b', pid: 1, version: '0', facts: {} };
const gpu = (uuid: string, card_uuid?: string): DeviceFacts => ({
  ...{ kind: 'gpu', uuid, name: 'Test', memory_mb: 8 },
  mig: card_uuid === undefined ? null : { profile: '1g.5gb', card_uuid },
});
const look = (uuid: string, processes: number | null, by_card = false): DeviceLook => ({
  ...{ uuid, processes, by_card },
  memory_used_mb: 7,
  utilization_percent: 50,
});
const foreign = async () => {
  const rows = await db.asOwner<{ uuid: string; n: number }>('SELECT uuid, foreign_processes AS n FROM lowrank.gpu_devices');
  return Object.fromEntries(rows.map(({ uuid, n }) => [uuid, n]));
};
const lease = (uuid: string, released: string) =>
  db.asOwner(
    `INSERT INTO lowrank.gpu_leases (device_id, user_id, job_id, attempt, released_at)
     SELECT d.id, j.user_id, j.id, 1, ${released} FROM lowrank.gpu_devices d, lowrank.training_jobs j WHERE d.uuid = $1`,
    [uuid],
  );

beforeEach(async () => {
  await db.asOwner('DELETE FROM identity.users');
  await db.asOwner('TRUNCATE lowrank.workers CASCADE');
});

describe('what computes on a device', () => {
  test('is foreign where no run has had the device since the look began, and stays as it was where nobody can say', async () => {
    await registerWorker(
      WORKER,
      ['A', 'B', 'C', 'D'].map((uuid) => gpu(uuid)),
    );
    await addJob(db, await addPerson(db));
    await lease('B', 'NULL');
    await lease('D', "clock_timestamp() - interval '1 hour'");
    const since = await beginLook();
    await lease('C', 'clock_timestamp()');
    await noteDevices('w', since, [look('A', 2), look('B', 1), look('C', 1), look('D', 1)]);
    expect(await foreign()).toEqual({ A: 2, B: 0, C: 0, D: 1 });
    const told = await db.asOwner('SELECT memory_used_mb, utilization_percent FROM lowrank.gpu_devices');
    expect(told[0]).toEqual({ memory_used_mb: 7, utilization_percent: 50 });
    await noteDevices('w', await beginLook(), [look('A', null), look('D', 0)]);
    expect(await foreign()).toEqual({ A: 2, B: 0, C: 0, D: 0 });
    // Another host's device may have the same name.
    await noteDevices('x', await beginLook(), [look('A', 0)]);
    expect((await foreign()).A).toBe(2);
  });

  test('of a card in parts is foreign to all of them, unless a run of ours has one', async () => {
    await registerWorker(WORKER, [gpu('M1', 'G'), gpu('M2', 'G'), gpu('N1', 'H')]);
    const looks = [look('M1', 1, true), look('M2', 1, true), look('N1', 1, true)];
    await noteDevices('w', await beginLook(), looks);
    expect(await foreign()).toEqual({ M1: 1, M2: 1, N1: 1 });
    await noteDevices('w', await beginLook(), [look('M1', 0), look('M2', 0), look('N1', 0)]);
    await addJob(db, await addPerson(db));
    await lease('M1', 'NULL');
    await noteDevices('w', await beginLook(), looks);
    expect(await foreign()).toEqual({ M1: 0, M2: 0, N1: 1 });
    // A process that is told of the part itself is no run on another one.
    await noteDevices('w', await beginLook(), [look('M2', 1)]);
    expect(await foreign()).toEqual({ M1: 0, M2: 1, N1: 1 });
  });

  test('is known of a worker that begins, and a run that outlived it is not foreign', async () => {
    await registerWorker(WORKER, [gpu('A'), gpu('B')]);
    await addJob(db, await addPerson(db));
    await lease('A', 'NULL');
    await registerWorker(WORKER, [gpu('A'), gpu('B')], [look('A', 1), look('B', 1)]);
    expect(await foreign()).toEqual({ A: 0, B: 1 });
  });
});
