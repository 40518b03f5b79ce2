import { join } from 'node:path';
import { isPortFree } from '#/db/embedded/free-port.ts';
import { connectDatabase, disconnectDatabase } from '#/db/pools.ts';
import { isReadOnTheWay, localOrigin, plainHttpRefusal } from '#/domain/listening.ts';
import { env } from '#/env.ts';
import { createLocalKey, ownerOfApiKey } from '#/services/people/api-keys.ts';
import { ensureLocalOwner, isFirstRun, issueSetupToken } from '#/services/people/first-run.ts';
import { LOCAL_KEY_FILE } from './api-client.ts';
import { type StudioProcess, startProcess } from './child-process.ts';
import { CommandError } from './command-error.ts';
import { claimStudio } from './one-studio.ts';
import { openDatabase } from './open-database.ts';
import { makePrivateFolder, readPrivateFile, writePrivateFile } from './private-file.ts';
import { openProgressLine, type Progress } from './progress-bar.ts';

export interface Studio {
  url: string;
  /** Given while the installation has no owner: makes the first one. */
  setup_token: string | null;
  /** The owner, where it was asked for. */
  owner_id: string | null;
  owner_email: string | null;
  /** Ends web and worker in order and leaves trainings running. */
  stop(): Promise<void>;
}

/** Whom the demo makes where there is nobody yet; a real owner takes their place by the set-up token or a new password. */
export const LOCAL_OWNER = { email: 'owner@localhost.localdomain', name: 'Owner' };

/** How often a fresh installation is asked for its owner, so that the key file of this machine can be made. */
const OWNER_POLL_MS = 2_000;

/**
 * Starts the studio on this data directory: database, web and worker, each a process of its own that is started again
 * when it falls. With `make_owner` an installation without people gets its owner at once. Throws `CommandError` when another
 * studio has the directory, the port is taken or others would read along.
 */
export async function startStudio(
  log: (line: string) => void,
  options: { make_owner: boolean } = { make_owner: false },
): Promise<Studio> {
  if (isReadOnTheWay(env.HOST, env.PUBLIC_URL) && !env.ALLOW_PLAIN_HTTP) throw new CommandError(plainHttpRefusal(env.HOST));
  await makePrivateFolder(env.data_dir);
  await makePrivateFolder(join(env.data_dir, 'logs'));
  const listens = localOrigin(env.HOST, env.PORT);
  const release = await claimStudio(env.PUBLIC_URL ?? listens, listens);
  if (env.PORT !== 0 && !(await isPortFree(env.PORT))) {
    await release();
    throw new CommandError(
      `Port ${env.PORT} is taken by another program. Choose another one (PORT=3001 npm start), or see who has it: npm run lowrank -- doctor`,
    );
  }
  const undo: (() => Promise<void>)[] = [release];
  const line = openProgressLine();
  let shown: Progress | null = null;
  const starting = (done: number, count: string) => {
    shown = { stage: 'starting', done, total: 3, count };
    line.show(shown);
  };
  const say = (text: string) => {
    line.clear();
    log(text);
    if (shown !== null) line.show(shown);
  };
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    starting(0, 'the database');
    const database = await openDatabase(say);
    undo.push(async () => database.server?.stop('fast'));
    connectDatabase({ identity: database.logins.identity }, { connections_max: 2 });
    undo.push(disconnectDatabase);
    const owner = options.make_owner ? (await ensureLocalOwner(LOCAL_OWNER)).user : null;
    const setup_token = await issueSetupToken();
    // Each process has the logins that it works with, and the one that strangers talk to has no secret beside them.
    const for_web = {
      LOWRANK_WEB_URL: database.logins.web,
      LOWRANK_IDENTITY_URL: database.logins.identity,
      LOWRANK_SCHEDULER_URL: undefined,
      LOWRANK_DELIVERY_URL: undefined,
      DATABASE_URL: undefined,
      HF_TOKEN: undefined,
    };
    const for_worker = {
      LOWRANK_WEB_URL: undefined,
      LOWRANK_IDENTITY_URL: undefined,
      LOWRANK_SCHEDULER_URL: database.logins.scheduler,
      LOWRANK_DELIVERY_URL: database.logins.delivery,
    };
    starting(1, 'web and worker');
    const web: StudioProcess = startProcess('server', for_web, say);
    undo.push(() => web.stop());
    const worker: StudioProcess = startProcess('worker', for_worker, say);
    undo.push(() => worker.stop());
    const ready = await web.ready.catch((error: Error) => {
      throw new CommandError(error.message);
    });
    starting(2, 'the worker');
    await worker.ready.catch((error: Error) => {
      throw new CommandError(error.message);
    });
    const keys = keepLocalKey();
    undo.push(async () => keys.stop());
    await keys.looked;
    return {
      url: env.PUBLIC_URL ?? String(ready.url),
      setup_token,
      owner_id: owner?.id ?? null,
      owner_email: owner?.email ?? null,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  } finally {
    shown = null;
    line.clear();
  }
}

/** Once there is an owner, their key for this machine's command line lies in a file that only this account reads. */
function keepLocalKey(): { looked: Promise<void>; stop(): void } {
  let timer: NodeJS.Timeout | undefined;
  let over = false;
  const look = async (): Promise<void> => {
    if (!(await isFirstRun())) {
      const { user } = await ensureLocalOwner(LOCAL_OWNER);
      const kept = (await readPrivateFile(LOCAL_KEY_FILE()))?.trim() ?? null;
      if (kept !== null && (await ownerOfApiKey(kept)) !== null) return;
      await writePrivateFile(LOCAL_KEY_FILE(), `${await createLocalKey(user.id)}\n`);
      return;
    }
    // The database may be away for a moment: the next look finds it.
    if (!over) timer = setTimeout(() => void look().catch(() => undefined), OWNER_POLL_MS);
  };
  return {
    looked: look(),
    stop() {
      over = true;
      clearTimeout(timer);
    },
  };
}
