// PostgreSQL refuses to run as root; as root we lend the server an existing unprivileged account.
import { execFile } from 'node:child_process';
import { dirname, resolve } from 'node:path';
import { promisify } from 'node:util';
import { ServerError } from './server-error.ts';

const run = promisify(execFile);

export interface Account {
  name: string;
  uid: number;
  gid: number;
}

/** What every program of the server gets: nothing of ours, for its environment is readable by other programs of its account. */
export const SERVER_ENV: NodeJS.ProcessEnv = {
  PATH: '/usr/local/bin:/usr/bin:/bin',
  LC_ALL: 'C.UTF-8',
  TZ: 'UTC',
  // PostgreSQL knows no such variable; the type that Next.js gives to environments demands it.
  NODE_ENV: 'production',
};

/** The account that the server runs as, or null where we are not root and it runs as ourselves. */
export async function serverAccount(name: string): Promise<Account | null> {
  if (process.getuid?.() !== 0) return null;
  const ids = await Promise.all(
    ['-u', '-g'].map(async (flag) => Number((await run('id', [flag, '--', name]).catch(() => ({ stdout: 'NaN' }))).stdout)),
  );
  const [uid, gid] = ids;
  if (uid === undefined || gid === undefined || !Number.isInteger(uid) || !Number.isInteger(gid)) {
    throw new ServerError(
      'account_missing',
      `PostgreSQL cannot run as root, and there is no account "${name}" to lend it.`,
      'Name an existing unprivileged account, for example "nobody".',
    );
  }
  if (uid === 0) {
    throw new ServerError(
      'account_missing',
      `PostgreSQL cannot run as root, and the account "${name}" is root.`,
      'Name an unprivileged account, for example "nobody".',
    );
  }
  return { name, uid, gid };
}

/** Spawn options that make a program run as `account`; nothing for ourselves. */
export function runAs(account: Account | null): { uid?: number; gid?: number } {
  return account === null ? {} : { uid: account.uid, gid: account.gid };
}

/** Whether `account` may enter `folder`; asked of the system itself, so access lists and mounts count too. */
export async function canEnter(account: Account | null, folder: string): Promise<boolean> {
  const options = { ...runAs(account), cwd: '/', env: SERVER_ENV };
  return run('test', ['-d', folder, '-a', '-x', folder], options).then(
    () => true,
    () => false,
  );
}

/** The topmost folder on the way to `folder` that `account` may not enter, or null. */
export async function firstBarrier(account: Account | null, folder: string): Promise<string | null> {
  const steps: string[] = [];
  for (let step = resolve(folder); ; step = dirname(step)) {
    steps.unshift(step);
    if (step === dirname(step)) break;
  }
  for (const step of steps) if (!(await canEnter(account, step))) return step;
  return null;
}
