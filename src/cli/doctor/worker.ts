// The worker of this data directory: when it was last heard.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectDatabase, databaseErrorCode, disconnectDatabase } from '#/db/pools.ts';
import { AppError } from '#/domain/app-error.ts';
import { PROMISE_TIMES } from '#/domain/constants.ts';
import { env } from '#/env.ts';
import { readWorkers, type WorkerSigns } from '#/services/machine/read-workers.ts';
import { runningStudio } from '../one-studio.ts';
import type { Check } from './check.ts';
import { schedulerUrl } from './database.ts';
import { type Finding, ok, problem, warning } from './finding.ts';

const WAITING = 'Mend that on its host; the jobs that wait start by themselves then, and docs/executors.md says more';

/** `own_id`: the name of this host; null before its first worker. `studio`: if one runs here. */
export function judgeWorkers(workers: WorkerSigns[], own_id: string | null, studio: boolean, logs: string): Finding[] {
  const late = (worker: WorkerSigns) => worker.silent_ms > PROMISE_TIMES.contact_lost_ms;
  const seconds = (worker: WorkerSigns) => `${Math.round(worker.silent_ms / 1000)} s`;
  const own = workers.find(({ id }) => id === own_id);
  const found: Finding[] = [];
  if (!studio) found.push(ok('worker', 'not running, as no studio does'));
  else if (own === undefined || own.stopped) {
    found.push(
      problem(
        'worker',
        'the studio runs without its worker: no training starts',
        `See why: tail -n 50 ${logs}/worker.log; then restart the studio: Ctrl-C there, npm start`,
      ),
    );
  } else if (late(own)) {
    found.push(
      problem(
        'worker',
        `was last heard ${seconds(own)} ago`,
        `See why: tail -n 50 ${logs}/worker.log; then restart the studio: Ctrl-C there, npm start`,
      ),
    );
  } else if (own.fault !== null) found.push(problem('worker', `cannot start trainings: ${own.fault}`, WAITING));
  else found.push(ok('worker', `heard ${seconds(own)} ago`));
  for (const other of workers) {
    if (other.id === own_id || other.stopped) continue;
    const name = other.host ?? other.id;
    if (other.fault !== null && !late(other))
      found.push(warning('worker', `another host's (${name}) cannot start trainings: ${other.fault}`, WAITING));
    if (!late(other)) continue;
    found.push(
      warning(
        'worker',
        `another host's (${name}) was last heard ${seconds(other)} ago`,
        'Start the studio there again: npm start; or ignore this if that host is gone for good',
      ),
    );
  }
  return found;
}

export function workerCheck(logs: string): Check {
  return {
    topic: 'worker',
    within_ms: 30_000,
    look: async () => {
      const studio = runningStudio() !== null;
      const url = await schedulerUrl();
      const untold = warning(
        'worker',
        'nobody can tell while the database does not answer',
        'Cure the database, then ask again: npm run lowrank -- doctor',
      );
      if (url === null) return studio ? [untold] : judgeWorkers([], null, false, logs);
      connectDatabase({ scheduler: url }, { connections_max: 1 });
      try {
        const own_id = (await readFile(join(env.data_dir, 'worker-id'), 'utf8').catch(() => '')).trim() || null;
        return judgeWorkers(await readWorkers(), own_id, studio, logs);
      } catch (error) {
        // The database check says why.
        if (error instanceof AppError || databaseErrorCode(error) !== undefined) return [untold];
        throw error;
      } finally {
        await disconnectDatabase();
      }
    },
  };
}
