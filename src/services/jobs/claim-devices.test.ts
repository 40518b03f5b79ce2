import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { quarantineDevice } from '#/services/machine/quarantine-device.ts';
import { registerWorker } from '#/services/machine/register-worker.ts';
import { useDatabase } from '../../../test/database.ts';
import { addBaseModel, addDataset, addJob, addPerson } from '../../../test/factories.ts';
import { brokenInvariants } from '../../../test/invariants.ts';
import { claimJob } from './claim-job.ts';
import { settleRun } from './finish-run.ts';
import type { RunKey } from './hold-run.ts';
import { listQueue } from './list-queue.ts';
import { pauseJob } from './pause-job.ts';

const db = useDatabase();
let base_model_id: string;
let owner: string;
let dataset_id: string;
beforeEach(async () => {
  await db.asOwner('DELETE FROM identity.users');
  await db.asOwner('DELETE FROM lowrank.workers');
  base_model_id = await addBaseModel(db);
  owner = await addPerson(db);
  dataset_id = await addDataset(db, owner);
});

async function addHost(names: string[]): Promise<string> {
  const id = randomUUID();
  const gpus = names.map((name, at) => ({ kind: 'gpu' as const, uuid: `GPU-${at}`, name, memory_mb: 1 }));
  await registerWorker({ id, boot_id: 'b', pid: 1, version: '0', facts: {} }, gpus);
  return id;
}
const ask = (count: number, type = 'Own-GPU', fields: Record<string, unknown> = {}) =>
  addJob(db, owner, { dataset_id, base_model_id, gpu_config: { type, count }, ...fields });
const askOther = async (count = 1) => addJob(db, await addPerson(db), { base_model_id, gpu_config: { type: 'Own-GPU', count } });
/** `kept`: whoever needs several has waited long enough for some to be kept. */
const claim = (host: string, kept = false) => claimJob(host, 'process', 30_000, undefined, kept ? 0 : undefined);
const end = (run: RunKey | null) => run && settleRun(run, { type: 'cancelled' }, null, 0);
const devicesOf = async (job_id: string | undefined) =>
  (
    await db.asOwner<{ uuid: string }>(
      `SELECT d.uuid FROM lowrank.gpu_leases l JOIN lowrank.gpu_devices d ON d.id = l.device_id
       WHERE l.job_id = $1 AND l.released_at IS NULL ORDER BY 1`,
      [job_id],
    )
  ).map(({ uuid }) => uuid);
const reasonOf = async (job_id: string) =>
  (await listQueue({ user_id: owner, role: 'user' }, { limit: 50, offset: 0 })).jobs.find(({ id }) => id === job_id)?.reason;
/** All that a claim writes. */
const rowsOfClaims = () =>
  db.asOwner(`SELECT j.status, j.attempt, j.epoch, j.slot, j.worker_id, q.active, q.queued, q.last_claimed_at,
      (SELECT count(*)::integer FROM lowrank.gpu_leases) AS leases, (SELECT count(*)::integer FROM lowrank.job_runs) AS runs
    FROM lowrank.training_jobs j JOIN lowrank.user_queues q USING (user_id) ORDER BY j.id`);
const kept = () => db.asOwner<{ job_id: string }>('SELECT job_id FROM lowrank.gpu_reservations');

describe('a training on several devices', () => {
  test('gets all of them on one host or none, of its own type alone, and is told what it waits for', async () => {
    const host = await addHost(['NVIDIA L4', 'NVIDIA L4', 'NVIDIA H100 80GB HBM3']);
    const three_l4 = await ask(3, 'L4');
    const a100 = await ask(1, 'A100-80GB');
    const two_l4 = await ask(2, 'L4');
    expect((await claim(host))?.job_id).toBe(two_l4);
    expect(await devicesOf(two_l4)).toEqual(['GPU-0', 'GPU-1']);
    const h100 = await ask(1, 'H100');
    const four = await ask(4);
    expect((await claim(host))?.job_id).toBe(h100);
    expect([await devicesOf(h100), await claim(host)]).toEqual([['GPU-2'], null]);
    expect([await reasonOf(three_l4), await reasonOf(a100), await reasonOf(four)]).toEqual([
      'not_enough_devices',
      'no_such_device',
      'not_enough_devices',
    ]);
    expect(await brokenInvariants(db, [])).toEqual([]);
  });

  test('gets none where the claim dies between two of them, or before its end, and all of them after that', async () => {
    const host = await addHost(Array(3).fill('T'));
    const three = await ask(3);
    const before = await rowsOfClaims();
    onTestFinished(() => db.asOwner('DROP FUNCTION IF EXISTS public.die() CASCADE').then(() => undefined));
    for (const [table, when] of [
      ['gpu_leases', `(SELECT count(*) FROM lowrank.gpu_leases) = 1`],
      ['user_queues', 'NEW.last_claimed_at IS NOT NULL'],
    ] as const) {
      // As if the worker were killed there: nothing but the end of its connection is known to the database.
      await db.asOwner(`CREATE FUNCTION public.die() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
        IF ${when} THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN NEW; END $$;
        CREATE TRIGGER zz_die BEFORE INSERT OR UPDATE ON lowrank.${table} FOR EACH ROW EXECUTE FUNCTION public.die()`);
      await expect(claim(host)).rejects.toMatchObject({ code: 'database_unavailable' });
      await db.asOwner('DROP FUNCTION public.die() CASCADE');
      expect(await rowsOfClaims()).toEqual(before);
    }
    expect((await claim(host))?.job_id).toBe(three);
    expect(await devicesOf(three)).toHaveLength(3);
    expect(await brokenInvariants(db, [])).toEqual([]);
  });

  test('shares hosts with others under many claimers at once: no device twice, and nobody half', async () => {
    const hosts = [await addHost(Array(5).fill('T')), await addHost(Array(3).fill('T'))];
    const wanted = new Map<string, number>();
    for (let at = 0; at < 24; at++) {
      const count = 1 + (at % 3);
      wanted.set(await askOther(count), count);
    }
    const seen = new Map<string, number>();
    const claimer = async (host: string) => {
      for (let round = 0; round < 20; round++) {
        const run = await claim(host, true);
        if (run === null) continue;
        seen.set(run.job_id, (await devicesOf(run.job_id)).length);
        await end(run);
      }
    };
    await Promise.all([...hosts, ...hosts, ...hosts].map(claimer));
    // What two claimers kept from each other's sight is left for the last looks.
    for (const host of hosts) await claimer(host);
    expect(new Map([...seen].sort())).toEqual(new Map([...wanted].sort()));
    expect(await brokenInvariants(db, [])).toEqual([]);
  });
});

describe('what is kept for a training', () => {
  test('goes to nobody else: it starts when those that had its devices end, while others use the rest', async () => {
    const host = await addHost(Array(5).fill('T'));
    for (let at = 0; at < 3; at++) await askOther();
    const runs = [await claim(host), await claim(host), await claim(host)];
    const large = await ask(4);
    const other = await askOther();
    await db.asOwner('UPDATE lowrank.user_queues SET last_claimed_at = now() WHERE user_id <> $1', [owner]);
    // Two are free, and two of those that runs have are kept beside them: nothing is left for anybody else.
    expect([await claim(host, true), await kept(), await reasonOf(large)]).toEqual([
      null,
      [{ job_id: large }],
      'gathering_devices',
    ]);
    const another = await ask(2);
    expect([await claim(host, true), (await kept()).length, await reasonOf(another)]).toEqual([null, 1, 'kept_for_others']);
    const keeps = await db.asOwner<{ uuid: string }>(
      'SELECT d.uuid FROM lowrank.gpu_devices d JOIN lowrank.gpu_reservations r ON d.id = ANY (r.device_ids)',
    );
    const places = await Promise.all(runs.map(async (run) => ({ run, uuid: (await devicesOf(run?.job_id))[0] })));
    const isKept = ({ uuid }: { uuid: string | undefined }) => keeps.some((one) => one.uuid === uuid);
    const waited_for = places.filter(isKept).map(({ run }) => run);
    expect(waited_for).toHaveLength(2);
    await end(places.find((place) => !isKept(place))?.run ?? null);
    expect((await claim(host, true))?.job_id).toBe(other);
    await end(waited_for[0] ?? null);
    expect(await claim(host, true)).toBeNull();
    await end(waited_for[1] ?? null);
    expect((await claim(host, true))?.job_id).toBe(large);
    expect([(await devicesOf(large)).length, await kept()]).toEqual([4, []]);
    expect(await brokenInvariants(db, [])).toEqual([]);
  });

  test('is nothing before it has waited, and ends when it is paused, or one of the devices is lost', async () => {
    const host = await addHost(Array(3).fill('T'));
    await askOther();
    await claim(host);
    const large = await ask(3);
    expect([await claim(host), await kept()]).toEqual([null, []]);
    expect([await claim(host, true), (await kept()).length]).toEqual([null, 1]);
    // A slot stays for it, too: of its owner's two, one is taken by a job on another host, the other by nothing else.
    const elsewhere = await addHost(Array(2).fill('T'));
    const mine = [await ask(1), await ask(1)];
    expect(mine).toContain((await claim(elsewhere))?.job_id);
    expect(await claim(elsewhere)).toBeNull();
    await pauseJob({ user_id: owner, role: 'user' }, large);
    expect(await kept()).toEqual([]);
    expect(mine).toContain((await claim(elsewhere))?.job_id);
    await db.asOwner('UPDATE lowrank.training_jobs SET held_at = NULL, pause_requested_at = NULL WHERE id = $1', [large]);
    await db.asOwner('UPDATE lowrank.user_queues SET active_max = 3 WHERE user_id = $1', [owner]);
    await db.asOwner('INSERT INTO lowrank.job_slots VALUES ($1, 3)', [owner]);
    expect([await claim(host, true), (await kept()).length]).toEqual([null, 1]);
    await quarantineDevice(host, 'GPU-2', 'lost');
    const small = await askOther();
    expect([(await claim(host, true))?.job_id, await kept()]).toEqual([small, []]);
  });
});
