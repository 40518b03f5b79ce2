import { join } from 'node:path';
import { env } from '#/env.ts';
import { type Check, runCheck } from './check.ts';
import { dataChecks } from './data-folder.ts';
import { databaseCheck, findDatabaseHome } from './database.ts';
import { dockerCheck } from './docker.ts';
import type { Finding } from './finding.ts';
import { gpuCheck } from './gpu.ts';
import { nodeCheck, platformCheck, pythonCheck } from './machine.ts';
import { secretsCheck } from './secret-files.ts';
import { storageCheck } from './storage.ts';
import { studioChecks } from './studio.ts';
import { findEnvironment, judgeEnvironment, programsCheck, readTrainerFacts, trainerCheck, trainerPins } from './trainer.ts';
import { workerCheck } from './worker.ts';

/** Looks at everything, each on its own and side by side, and answers in a fixed order. Starts nothing, and leaves nothing changed. */
export async function examine(): Promise<Finding[]> {
  const logs = join(env.data_dir, 'logs');
  const database_home = async () => (await findDatabaseHome())?.path ?? null;
  let asked: ReturnType<typeof readTrainerFacts> | undefined;
  const trainerFacts = async () => {
    if (judgeEnvironment(findEnvironment()) !== null) return null;
    asked ??= trainerPins().then(readTrainerFacts);
    return asked;
  };
  const checks: Check[] = [
    platformCheck,
    nodeCheck,
    pythonCheck,
    trainerCheck(trainerFacts),
    programsCheck,
    gpuCheck(trainerFacts),
    dockerCheck,
    ...dataChecks(env.data_dir, database_home),
    secretsCheck(env.data_dir, database_home),
    databaseCheck,
    storageCheck(),
    ...studioChecks(logs),
    workerCheck(logs),
  ];
  return (await Promise.all(checks.map(runCheck))).flat();
}
