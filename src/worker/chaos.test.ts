/** Kills worker, wrappers and trainers at random, by a seed: CHAOS_KILLS and CHAOS_SEED say how many and which. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { useDatabase } from '../../test/database.ts';
import { seededRandom } from '../../test/seeded-random.ts';
import { addOwner, addTraining, isOver, type JobRow, type WorkerProcess } from '../../test/worker-process.ts';
import { attemptsAlive, pretendGpus, setScene } from '../../test/worker-scene.ts';
import { signalProcess } from './process-identity.ts';

const KILLS = Number(process.env.CHAOS_KILLS ?? 200);
const SEED = Number(process.env.CHAOS_SEED ?? 1);
const AT_ONCE = 4;

const db = useDatabase();
const scene = setScene(db, 'all tests');

test(
  `after ${KILLS} kills at random moments every job has one true end and no point is lost or doubled (seed ${SEED})`,
  async () => {
    const chance = seededRandom(SEED);
    const pick = <T>(from: T[]): T | undefined => from[Math.floor(chance() * from.length)];
    const owners = [scene.owner, await addOwner(db, scene.host)];
    const { PATH } = await pretendGpus(scene.host, AT_ONCE);
    const start = () => scene.host.launch({ PATH, LOG_LEVEL: 'warn' });
    const jobs: string[] = [];
    const doubled: string[] = [];
    let worker: WorkerProcess = start();
    // Its GPUs are listed before the first training asks for one of a kind.
    await worker.ready;
    let watching = true;
    const watch = async () => {
      while (watching) {
        for (const [job_id, attempts] of await attemptsAlive())
          if (jobs.includes(job_id) && attempts.size > 1) doubled.push(`${job_id}: ${[...attempts]}`);
        await pause(100);
      }
    };
    const watched = watch();

    const open = async () => {
      const rows: JobRow[] = [];
      for (const id of jobs) rows.push(await scene.job(id));
      return rows.filter((job) => !isOver(job));
    };
    const refill = async () => {
      for (let at = (await open()).length; at < AT_ONCE; at++) {
        const steps = 10 + Math.floor(chance() * 40);
        jobs.push(await addTraining(db, scene.host, pick(owners)!, [{ steps, step_seconds: 0.02 }]));
      }
    };
    /** Kills the wrapper or the trainer of some run, once there is one. */
    const killOne = async (kind: 'wrapper' | 'child'): Promise<void> => {
      const until = performance.now() + 60_000;
      for (;;) {
        expect(performance.now(), `no ${kind} to kill within a minute`).toBeLessThan(until);
        const victim = pick((await open()).filter((job) => job.status === 'running'));
        if (victim !== undefined) {
          const record = await scene.started(victim.id, victim.attempt);
          if (await signalProcess(record[kind], 'SIGKILL')) return;
        }
        await refill();
        await pause(10);
      }
    };

    const done = { worker: 0, wrapper: 0, child: 0 };
    for (let kill = 0; kill < KILLS; kill++) {
      const kind = pick(['worker', 'wrapper', 'child'] as const) ?? 'worker';
      await refill();
      await pause(chance() * 700);
      if (kind === 'worker') {
        // Mostly one that watches; now and then one that only just begins.
        if (chance() < 0.8) await worker.ready;
        worker.child.kill('SIGKILL');
        await worker.gone;
        worker = start();
      } else {
        await killOne(kind);
      }
      done[kind]++;
    }

    const ends: Record<string, number> = {};
    for (const id of jobs) {
      const { status, error_code } = await scene.until(id);
      const end = error_code ?? status;
      ends[end] = (ends[end] ?? 0) + 1;
    }
    watching = false;
    await watched;
    expect(doubled).toEqual([]);
    // A killed trainer fails its job; a killed wrapper starts it again, a few times; a killed worker changes nothing.
    expect(Object.keys(ends).filter((end) => !['completed', 'killed', 'contact_lost'].includes(end))).toEqual([]);
    expect(ends.completed ?? 0).toBeGreaterThan(0);
    expect(ends.killed ?? 0).toBeLessThanOrEqual(done.child);
    await scene.expectOrder();
    console.log(`chaos seed ${SEED}: kills ${JSON.stringify(done)}, ${jobs.length} jobs ended ${JSON.stringify(ends)}`);
  },
  60_000 + KILLS * 15_000,
);
