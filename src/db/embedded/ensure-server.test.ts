import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DatabaseServer, ensureServer, type ServerOptions } from './ensure-server.ts';
import { keepServer } from './keep-server.ts';
import { isAlive, readPostmaster } from './postmaster.ts';
import { boundLog } from './server-log.ts';

const as_root = process.getuid?.() === 0;
let scratch = '';
let outside = '';
/** One folder that most tests use one after the other; each leaves it startable. */
let data_dir = '';
const said: string[] = [];

function options(more: Partial<ServerOptions> = {}): ServerOptions {
  return { data_dir, outside, log: (line) => void said.push(line), ...more };
}

async function ask<Row extends pg.QueryResultRow>(url: string, text: string): Promise<Row> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<Row>(text);
    return rows[0]!;
  } finally {
    await client.end();
  }
}

/** Another process of ours that asks for the server, and stays. */
function starter(): { child: ChildProcess; told: Promise<{ pid: number; adopted: boolean }> } {
  const module = new URL('./ensure-server.ts', import.meta.url).href;
  const program = `
    const { ensureServer } = await import(${JSON.stringify(module)});
    const { pid, adopted } = await ensureServer({ data_dir: ${JSON.stringify(data_dir)}, outside: ${JSON.stringify(outside)}, log: () => undefined });
    console.log(JSON.stringify({ pid, adopted }));
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const told = new Promise<{ pid: number; adopted: boolean }>((done, failed) => {
    child.stdout.once('data', (line: Buffer) => done(JSON.parse(line.toString())));
    child.once('exit', (code) => failed(new Error(`the starter ended with ${code}`)));
  });
  return { child, told };
}

async function end(child: ChildProcess): Promise<void> {
  const gone = new Promise((done) => child.once('exit', done));
  child.kill('SIGKILL');
  await gone;
}

async function untilGone(pid: number): Promise<void> {
  while (await isAlive(pid)) await new Promise((done) => setImmediate(done));
}

async function refusal(work: Promise<unknown>): Promise<{ code: string; message: string }> {
  return work.then(
    () => expect.fail('it should have been refused'),
    (error: { code: string; message: string }) => error,
  );
}

async function stopAny(): Promise<void> {
  const server = await ensureServer(options());
  await server.stop('immediate');
}

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'lowrank-embedded-'));
  await chmod(scratch, 0o755);
  outside = join(scratch, 'outside');
  data_dir = join(scratch, 'data');
});

afterAll(async () => {
  await rm(scratch, { recursive: true, force: true });
});

describe('a first start', () => {
  let server: DatabaseServer;
  beforeAll(async () => {
    await mkdir(data_dir, { mode: 0o755 });
    // What a start that was killed in the middle of initdb leaves.
    await mkdir(join(data_dir, 'server-staged-999999999-00/pgdata'), { recursive: true });
    const three = [starter(), starter()];
    const [mine, ...others] = await Promise.all([ensureServer(options()), ...three.map(({ told }) => told)]);
    server = mine;
    for (const { child } of three) await end(child);
    expect(new Set([mine.pid, ...others.map(({ pid }) => pid)]).size).toBe(1);
    expect([mine, ...others].filter(({ adopted }) => !adopted).length).toBeLessThanOrEqual(1);
  });
  afterAll(() => server.stop());

  it('by three processes at once leaves one server and nothing half-made', async () => {
    expect((await readdir(data_dir)).filter((name) => name.startsWith('server'))).toEqual(['server']);
    expect(await isAlive(server.pid)).toBe(true);
  });

  it('gives an owner who is no superuser and obeys policies', async () => {
    const owner = await ask(
      server.url,
      'select rolname, rolsuper, rolbypassrls, rolcreaterole from pg_roles where rolname = current_user',
    );
    expect(owner).toEqual({ rolname: 'lowrank_owner', rolsuper: false, rolbypassrls: false, rolcreaterole: true });
  });

  it('is durable, checksummed, UTF-8, and listens on the loopback address alone', async () => {
    const settings = await ask(
      server.superuser_url,
      `select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit, current_setting('data_checksums') as checksums,
       current_setting('listen_addresses') as address, current_setting('unix_socket_directories') as sockets, current_setting('server_encoding') as encoding,
       current_setting('password_encryption') as passwords, (select datcollate from pg_database where datname = current_database()) as locale`,
    );
    expect(settings).toEqual({
      fsync: 'on',
      commit: 'on',
      checksums: 'on',
      address: '127.0.0.1',
      sockets: '',
      encoding: 'UTF8',
      passwords: 'scram-sha-256',
      locale: 'C.UTF-8',
    });
  });

  it('keeps its folder and its passwords from other accounts', async () => {
    expect((await lstat(server.home)).mode & 0o777).toBe(0o700);
    const credentials = join(server.home, 'credentials.json');
    expect((await lstat(credentials)).mode & 0o777).toBe(0o600);
    expect((await lstat(join(server.home, 'server.log'))).mode & 0o777).toBe(0o600);
    const { superuser, owner } = JSON.parse(await readFile(credentials, 'utf8'));
    expect(new Set([superuser, owner]).size).toBe(2);
    const command_line = await readFile(`/proc/${server.pid}/cmdline`, 'utf8').catch(() => '');
    expect(command_line).not.toContain(superuser);
  });

  it('lets nobody in without the password', async () => {
    const wrong = new URL(server.url);
    wrong.password = 'guess';
    expect((await refusal(ask(wrong.href, 'select 1'))).code).toBe('28P01');
  });

  it('writes neither statements nor values of refused rows to its log', async () => {
    await refusal(ask(server.url, `create table t (secret text unique); insert into t values ('canary-7'), ('canary-7')`));
    const log = await readFile(join(server.home, 'server.log'), 'utf8');
    expect(log).toContain('duplicate key');
    expect(log).not.toContain('canary-7');
  });

  it('cuts a log that has outgrown its bound, and the server goes on writing', async () => {
    const home = { path: server.home, pgdata: join(server.home, 'pgdata') };
    await boundLog(home, 10);
    expect((await stat(join(server.home, 'server.log'))).size).toBe(0);
    expect((await stat(join(server.home, 'server.log.1'))).size).toBeGreaterThan(10);
    await refusal(ask(server.url, 'select nothing'));
    expect(await readFile(join(server.home, 'server.log'), 'utf8')).toMatch(/^\d{4}-/);
  });
});

describe('a server whose starter is gone', { timeout: 120_000 }, () => {
  it('lives on after kill -9 of its starter, and the next start adopts it', async () => {
    const first = starter();
    const { pid, adopted } = await first.told;
    expect(adopted).toBe(false);
    await end(first.child);
    const server = await ensureServer(options());
    expect(server).toMatchObject({ pid, adopted: true });
    await server.stop();
    expect(await isAlive(pid)).toBe(false);
  });

  it('keeps every acknowledged row through kill -9 under load, time after time', async () => {
    const first = await ensureServer(options());
    await ask(first.url, 'create table if not exists acked (n bigint primary key)');
    let next = 0;
    const acked: number[] = [];
    for (let round = 1; round <= 3; round++) {
      const server = await ensureServer(options());
      const writers = Array.from({ length: 4 }, async () => {
        const client = new pg.Client({ connectionString: server.url });
        client.on('error', () => undefined);
        await client.connect();
        for (;;) {
          const n = next++;
          await client.query('insert into acked values ($1)', [n]);
          acked.push(n);
        }
      });
      const enough = acked.length + 100;
      while (acked.length < enough) await new Promise((done) => setImmediate(done));
      process.kill(server.pid, 'SIGKILL');
      await Promise.allSettled(writers);
      const again = await ensureServer(options());
      expect(again.adopted).toBe(false);
      expect(again.port).toBe(server.port);
      const { lost } = await ask<{ lost: string }>(
        again.url,
        `select count(*) as lost from unnest('{${acked.join(',')}}'::bigint[]) n where n not in (select n from acked)`,
      );
      expect(Number(lost)).toBe(0);
    }
    await stopAny();
  });

  it('is started again at its address by whoever keeps it, unless it was stopped on purpose', async () => {
    const kept = await keepServer(options());
    const before = kept.pid;
    process.kill(before, 'SIGKILL');
    await untilGone(before);
    await expect.poll(() => kept.pid, { timeout: 60_000 }).not.toBe(before);
    expect(await ask(kept.url, 'select 1 as one')).toEqual({ one: 1 });
    const other = await ensureServer(options());
    expect(other.adopted).toBe(true);
    await other.stop();
    await expect.poll(() => said.at(-1), { timeout: 60_000 }).toContain('stopped on purpose');
    expect(await readPostmaster(join(kept.home, 'pgdata'))).toBeNull();
    kept.release();
  });
});

describe('a start that meets an obstacle', { timeout: 60_000 }, () => {
  it('takes another port when a stranger sits on the one of last time', async () => {
    const home = join(data_dir, 'server');
    const remembered = Number(await readFile(join(home, 'port'), 'utf8'));
    const stranger = createServer().listen(remembered, '127.0.0.1');
    const server = await ensureServer(options());
    expect(server.port).not.toBe(remembered);
    expect(said.at(-1)).toContain(`port ${remembered}`);
    await server.stop('immediate');
    const insisting = await refusal(ensureServer(options({ port: remembered })));
    expect(insisting).toMatchObject({ code: 'port_taken', message: expect.stringContaining(String(remembered)) });
    stranger.close();
  });

  it('is not kept out by a process number that was given out again', async () => {
    const pid_file = join(data_dir, 'server/pgdata/postmaster.pid');
    const server = await ensureServer(options());
    const text = await readFile(pid_file, 'utf8');
    await server.stop('immediate');
    await writeFile(pid_file, text.replace(/^\d+/, String(process.pid)));
    const again = await ensureServer(options());
    expect(again.adopted).toBe(false);
    await again.stop('immediate');
  });

  it('refuses the files of another major version, naming both', async () => {
    const version = join(data_dir, 'server/pgdata/PG_VERSION');
    const made_by = await readFile(version, 'utf8');
    await writeFile(version, '15\n');
    const error = await refusal(ensureServer(options()));
    await writeFile(version, made_by);
    expect(error.code).toBe('wrong_major');
    expect(error.message).toMatch(/PostgreSQL 15.*PostgreSQL 18/);
  });

  it('refuses a folder that other accounts can enter', async () => {
    await chmod(join(data_dir, 'server'), 0o755);
    const error = await refusal(ensureServer(options()));
    await chmod(join(data_dir, 'server'), 0o700);
    expect(error).toMatchObject({ code: 'wrong_owner', message: expect.stringContaining('chmod 700') });
  });

  it('says so when the database folder lost its cluster', async () => {
    const pgdata = join(data_dir, 'server/pgdata');
    await rename(pgdata, `${pgdata}-away`);
    const error = await refusal(ensureServer(options()));
    await rename(`${pgdata}-away`, pgdata);
    expect(error.code).toBe('not_a_server_folder');
  });

  it('names what is missing when the binaries are not there', async () => {
    const error = await refusal(ensureServer(options({ bin_dir: join(scratch, 'nowhere') })));
    expect(error).toMatchObject({ code: 'binaries_missing', message: expect.stringContaining('nowhere') });
  });

  it('names a file in the place of the data folder', async () => {
    await writeFile(join(scratch, 'file'), '');
    expect((await refusal(ensureServer(options({ data_dir: join(scratch, 'file') })))).code).toBe('not_a_server_folder');
  });
});

describe('below a folder of mode 700', { timeout: 60_000 }, () => {
  it('a server starts, is found again after a move, and a copy of its folder is refused', async () => {
    const closed = join(scratch, 'closed');
    await mkdir(closed, { mode: 0o700 });
    const here = { durable: false, data_dir: join(closed, 'data') };
    const server = await ensureServer(options(here));
    expect(await ask(server.url, 'select 1 as one')).toEqual({ one: 1 });
    expect(dirname(server.home)).toBe(as_root ? outside : here.data_dir);
    expect((await lstat(server.home)).mode & 0o777).toBe(0o700);
    await server.stop('immediate');

    const moved = { ...here, data_dir: join(closed, 'moved') };
    await rename(here.data_dir, moved.data_dir);
    const again = await ensureServer(options(moved));
    expect(dirname(again.home)).toBe(as_root ? outside : moved.data_dir);
    await again.stop('immediate');

    if (!as_root) return;
    await mkdir(here.data_dir);
    await writeFile(join(here.data_dir, 'server-location.json'), await readFile(join(moved.data_dir, 'server-location.json')));
    expect((await refusal(ensureServer(options(here)))).code).toBe('shared_folder');
  });

  it('the place outside is refused when a stranger could write to it', async () => {
    const closed = join(scratch, 'closed-too');
    await mkdir(closed, { mode: 0o700 });
    const strange = join(scratch, 'strange');
    await mkdir(strange);
    await chmod(strange, 0o777);
    const started = ensureServer(options({ data_dir: join(closed, 'data'), outside: strange, durable: false }));
    if (as_root) expect((await refusal(started)).code).toBe('unreachable_folder');
    else await (await started).stop('immediate');
  });
});
