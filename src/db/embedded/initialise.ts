// The first minute of a server's life: an empty cluster, an owner who is no superuser, and a database.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Account, runAs, SERVER_ENV } from './account.ts';
import type { Binaries } from './binaries.ts';
import { explainFailure } from './failure.ts';
import type { Home } from './home.ts';

/** The two logins of a new server: the superuser, for its keeper alone, and the owner of our database. */
export interface Credentials {
  superuser: string;
  owner: string;
}

export const SUPERUSER = 'postgres';
export const OWNER = 'lowrank_owner';
export const DATABASE = 'lowrank';

export async function readCredentials(home: Home): Promise<Credentials> {
  return JSON.parse(await readFile(join(home.path, 'credentials.json'), 'utf8')) as Credentials;
}

/** Runs one program of PostgreSQL to its end; its words, or the reason why it failed. */
function finish(program: string, args: string[], account: Account | null, input: string): Promise<string> {
  return new Promise((done, failed) => {
    const child = spawn(program, args, { ...runAs(account), cwd: '/', env: SERVER_ENV, stdio: ['pipe', 'pipe', 'pipe'] });
    let words = '';
    child.stdout.on('data', (chunk: Buffer) => (words += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (words += chunk.toString()));
    child.stdin.on('error', () => (words += '\nits input was closed early'));
    child.on('error', failed);
    child.on('close', (code) => {
      // Single-user mode reports a refused statement only in words.
      if (code === 0 && !/(ERROR|FATAL|PANIC):/.test(words)) done(words);
      else failed(explainFailure(`${program} ended with ${code}`, words));
    });
    child.stdin.end(input);
  });
}

/**
 * Fills `home`: cluster, credentials (0600), the owner and its database. `durable: false` skips fsync, for tests.
 * Throws `disk_full` or `start_failed`.
 */
export async function initialise(home: Home, binaries: Binaries, account: Account | null, durable: boolean): Promise<void> {
  const credentials: Credentials = {
    superuser: randomBytes(24).toString('base64url'),
    owner: randomBytes(24).toString('base64url'),
  };
  const handed_over = join(home.path, 'first-password');
  await writeFile(handed_over, credentials.superuser, { mode: 0o600, flag: 'wx' });
  if (account !== null) await chown(handed_over, account.uid, account.gid);
  const args = [
    '-D',
    home.pgdata,
    '-U',
    SUPERUSER,
    '-A',
    'scram-sha-256',
    '--pwfile',
    handed_over,
    '--locale=C.UTF-8',
    '-E',
    'UTF8',
    '--data-checksums',
  ];
  if (!durable) args.push('--no-sync');
  await finish(binaries.initdb, args, account, '');
  await rm(handed_over);
  const statements = [
    `create role ${OWNER} login createrole createdb nosuperuser nobypassrls password '${credentials.owner}'`,
    `create database ${DATABASE} owner ${OWNER}`,
  ];
  const single = ['--single', '-D', home.pgdata, ...(durable ? [] : ['-F']), '-c', 'log_min_error_statement=panic', 'postgres'];
  await finish(binaries.postgres, single, account, `${statements.join('\n')}\n`);
  await writeFile(join(home.path, 'credentials.json'), JSON.stringify(credentials), { mode: 0o600, flag: 'wx' });
}
