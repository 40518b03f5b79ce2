// A backup comes back whole, wherever it is restored, or not at all.
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import pg from 'pg';
import { pack } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureServer } from '#/db/embedded/ensure-server.ts';
import { makePasswords, migrate } from '#/db/migrate.ts';
import { listTree } from './list-tree.ts';
import { type RestoreOptions, restoreBackup } from './restore-backup.ts';
import { runningTrainings } from './running-trainings.ts';
import { type BackupOptions, writeBackup } from './write-backup.ts';

const quiet = () => undefined;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lowrank-backup-'));
  // As root the server's account must pass through.
  await chmod(folder, 0o711);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const backup = (file: string, data_dir: string, change: Partial<BackupOptions> = {}) =>
  writeBackup({ file, data_dir, account: 'nobody', database_elsewhere: true, lowrank: '0', onBytes: quiet, ...change });
const restore = (file: string, data_dir: string, change: Partial<RestoreOptions> = {}) =>
  restoreBackup({
    file,
    data_dir,
    account: 'nobody',
    database_elsewhere: true,
    onBytes: quiet,
    outside: join(folder, 'outside'),
    ...change,
  });

async function makeFile(path: string, content: string | Buffer, mode = 0o600): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(path, content, { mode });
}

/** A data directory as a studio leaves it, without a database. */
async function makeData(name: string): Promise<string> {
  const data = join(folder, name);
  const id = '0b7f5f3e-7a0e-4c55-9d35-3f1d27a2c001';
  await makeFile(join(data, 'session-secret'), 'a secret');
  await makeFile(join(data, 'storage', id, id, `${'long-name-'.repeat(14)}.jsonl`), '{"prompt":"p","completion":"c"}\n');
  await makeFile(join(data, 'storage', id, id, 'ünïcode ✓ name'), '');
  await makeFile(join(data, 'runs', id, '1', 'outputs', 'adapter', 'adapter.safetensors'), randomBytes(3_000_000));
  await mkdir(join(data, 'runs', id, '1', 'outputs', 'empty'), { mode: 0o750 });
  await makeFile(join(data, 'logs', 'server.log'), 'noise');
  await makeFile(join(data, 'studio.json'), '{}');
  await chmod(data, 0o700);
  return data;
}

/** Path, kind, rights and content of everything below. */
async function picture(root: string): Promise<string[]> {
  const entries = await listTree(root, '.', () => false, quiet);
  const hash = async (path: string) =>
    createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
  return Promise.all(
    entries.map(async ({ name, kind, mode, root: at, relative }) =>
      [name, kind, mode.toString(8), kind === 'file' ? await hash(join(at, relative)) : ''].join(' '),
    ),
  );
}

describe('a backup', { timeout: 90_000 }, () => {
  it.each(['plain.tar', 'packed.tar.gz'])('comes back as it was, rights included (%s)', async (name) => {
    const data = await makeData(`source-of-${name}`);
    const file = join(folder, name);
    const seen: number[] = [];
    const report = await backup(file, data, { onBytes: (done, of) => seen.push(done / of) });
    expect(report).toMatchObject({ files: 4, database: false, left_out: [] });
    expect(seen.at(-1)).toBe(1);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const bytes = await readFile(file);
    expect((name.endsWith('gz') ? gunzipSync(bytes) : bytes).subarray(0, 19).toString()).toBe('lowrank-backup.json');
    const copy = join(folder, `copy-of-${name}`);
    const header = await restore(file, copy);
    expect(header.database).toBeNull();
    const expected = (await picture(data)).filter((line) => !/^\.\/(logs|studio\.json)/.test(line));
    expect(await picture(copy)).toEqual(expected);
    expect((await stat(copy)).mode & 0o777).toBe(0o700);
  });

  it('has the database in it: its rows are there after the restore, on either place that a server lives', async () => {
    const data = join(folder, 'with-database');
    await mkdir(data, { mode: 0o711 });
    await chmod(data, 0o711);
    const open = (data_dir: string) =>
      ensureServer({
        data_dir: join(data_dir, 'postgres'),
        log: quiet,
        durable: false,
        outlives_us: false,
        outside: join(folder, 'outside'),
      });
    const server = await open(data);
    await migrate(server.url, makePasswords());
    const ask = async (url: string, text: string) => {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      return client.query(text).finally(() => client.end());
    };
    await ask(server.superuser_url, `INSERT INTO lowrank.settings (key, value) VALUES ('canary', '"kept"')`);
    await expect(backup(join(folder, 'too-early.tar'), data, { database_elsewhere: false })).rejects.toThrow(
      /database still runs .*npm start, then Ctrl-C/,
    );
    await server.stop('fast');

    const file = join(folder, 'with-database.tar');
    const report = await backup(file, data, { database_elsewhere: false });
    expect(report.database).toBe(true);
    const copy = join(folder, 'restored');
    await restore(file, copy, { database_elsewhere: false });
    // As root the data directory is closed to the server's account, so its files go outside.
    if (process.getuid?.() === 0) expect(await readdir(join(copy, 'postgres'))).toEqual(['server-location.json']);
    const again = await open(copy);
    try {
      expect(again.adopted).toBe(false);
      const { rows } = await ask(again.superuser_url, `SELECT value FROM lowrank.settings WHERE key = 'canary'`);
      expect(rows).toEqual([{ value: 'kept' }]);
    } finally {
      await again.stop('immediate');
    }
    expect((await stat(join(again.home, 'credentials.json'))).mode & 0o777).toBe(0o600);
    await expect(restore(file, join(folder, 'elsewhere'))).rejects.toThrow(/unset DATABASE_URL/);
    await expect(restore(join(folder, 'plain.tar'), join(folder, 'elsewhere'), { database_elsewhere: false })).rejects.toThrow(
      /set DATABASE_URL/,
    );
    expect((await readdir(folder)).filter((name) => name.includes('restoring'))).toEqual([]);
  });

  it('is refused where it would replace a file, hold itself or miss its folder', async () => {
    const data = await makeData('refused');
    await makeFile(join(folder, 'precious'), 'mine');
    await expect(backup(join(folder, 'precious'), data)).rejects.toThrow(/exists already/);
    expect(await readFile(join(folder, 'precious'), 'utf8')).toBe('mine');
    await expect(backup(join(data, 'inside.tar'), data)).rejects.toThrow(/outside/);
    await expect(backup(join(folder, 'no', 'such', 'x.tar'), data)).rejects.toThrow(/no folder/);
    await expect(backup(join(folder, 'x.tar'), join(folder, 'no-data'))).rejects.toThrow(/nothing to back up/);
  });

  it('leaves links out, and says so', async () => {
    const data = await makeData('with-links');
    await symlink('/etc/passwd', join(data, 'storage', 'passwd'));
    const report = await backup(join(folder, 'links.tar'), data);
    expect(report.left_out).toEqual([join(data, 'storage', 'passwd')]);
    expect((await readFile(join(folder, 'links.tar'))).includes('root:')).toBe(false);
  });

  it('is refused while a training runs, and leaves nothing when a file changes meanwhile', async () => {
    const data = await makeData('busy');
    const start = Number((await readFile(`/proc/${process.pid}/stat`, 'utf8')).split(') ').at(-1)?.split(' ')[19]);
    const boot_id = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    const started = (change: object) =>
      makeFile(
        join(data, 'runs', 'a-job', '1', 'started.json'),
        JSON.stringify({ boot_id, wrapper: { pid: process.pid, start }, child: { pid: process.pid, start }, ...change }),
      );
    await started({});
    expect(await runningTrainings(join(data, 'runs'))).toEqual(['a-job']);
    await expect(backup(join(folder, 'busy.tar'), data)).rejects.toThrow(/Trainings still run \(a-job\)/);
    const other = { pid: process.pid, start: start + 1 };
    await started({ wrapper: other, child: other });
    expect(await runningTrainings(join(data, 'runs'))).toEqual([]);
    const last = join(data, 'worker-id');
    await makeFile(last, 'one');
    const changing = backup(join(folder, 'busy.tar'), data, { onBytes: () => void writeFile(last, 'another') });
    await expect(changing).rejects.toThrow(/worker-id changed while it was copied/);
    expect((await readdir(folder)).filter((name) => name.startsWith('busy.tar'))).toEqual([]);
  });
});

describe('a restore', () => {
  type Planted = { name: string; type?: 'file' | 'directory' | 'symlink' | 'link'; text?: string; linkname?: string };

  /** An archive of any entries, with a header and a manifest that agree with them unless told otherwise. */
  async function craft(name: string, planted: Planted[], manifest?: object, header: object = {}): Promise<string> {
    const files = planted.filter(({ type }) => type === undefined || type === 'file');
    const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
    const listed = manifest ?? {
      files: Object.fromEntries(
        files.map(({ name: path, text = '' }) => [path, { sha256: sha256(text), bytes: text.length, mode: 0o600 }]),
      ),
      folders: {},
    };
    const about = {
      format: 'lowrank-backup',
      version: 1,
      made_at: new Date().toISOString(),
      lowrank: '0',
      database: null,
      files: files.length,
      bytes: files.reduce((sum, { text = '' }) => sum + text.length, 0),
      ...header,
    };
    const archive = pack();
    archive.entry({ name: 'lowrank-backup.json' }, JSON.stringify(about));
    for (const { text = '', ...entry } of planted) archive.entry({ ...entry, size: text.length }, text);
    archive.entry({ name: 'manifest.json' }, JSON.stringify(listed));
    archive.finalize();
    const chunks: Buffer[] = [];
    for await (const chunk of archive as unknown as AsyncIterable<Buffer>) chunks.push(chunk);
    const file = join(folder, name);
    await writeFile(file, Buffer.concat(chunks));
    return file;
  }

  /** The refusal of a file, after which nothing is left behind. */
  async function refused(file: string, why: RegExp): Promise<void> {
    const target = join(folder, 'target');
    await expect(restore(file, target)).rejects.toThrow(why);
    expect((await readdir(folder)).filter((name) => name.startsWith('target'))).toEqual([]);
  }

  it('takes what is crafted well, so that the refusals below are for their reasons', async () => {
    const target = join(folder, 'target');
    await restore(await craft('well.tar', [{ name: 'data/a/b', text: 'text' }]), target);
    expect(await readFile(join(target, 'a', 'b'), 'utf8')).toBe('text');
    await rm(target, { recursive: true });
  });

  it.each<[string, Planted[], RegExp]>([
    ['leads upwards', [{ name: 'data/../../escaped', text: 'x' }], /leads out of it/],
    ['is absolute', [{ name: '/tmp/escaped', text: 'x' }], /leads out of it/],
    ['lies elsewhere', [{ name: 'etc/escaped', text: 'x' }], /which no backup does/],
    ['is a link', [{ name: 'data/link', type: 'symlink', linkname: '/etc/passwd' }], /is a symlink/],
    ['is a hard link', [{ name: 'data/link', type: 'link', linkname: 'data/x' }], /is a link/],
    [
      'writes through a link',
      [
        { name: 'data/out', type: 'symlink', linkname: '/tmp' },
        { name: 'data/out/escaped', text: 'x' },
      ],
      /is a symlink/,
    ],
    [
      'comes twice',
      [
        { name: 'data/x', text: 'x' },
        { name: 'data/x', text: 'y' },
      ],
      /more than it says/,
    ],
  ])('refuses an entry that %s', async (_, planted, why) => {
    await refused(await craft('crafted.tar', planted), why);
    expect(await lstat('/tmp/escaped').catch(() => null)).toBeNull();
    expect(await lstat(join(folder, 'escaped')).catch(() => null)).toBeNull();
  });

  it('refuses a file that is not as its manifest has it, is missing there, or is missing itself', async () => {
    const planted = [{ name: 'data/x', text: 'x' }];
    const entry = { sha256: createHash('sha256').update('y').digest('hex'), bytes: 1, mode: 0o600 };
    await refused(await craft('crafted.tar', planted, { files: { 'data/x': entry }, folders: {} }), /data\/x is not as it was/);
    await refused(await craft('crafted.tar', planted, { files: {}, folders: {} }), /does not name/);
    await refused(await craft('crafted.tar', [], { files: { 'data/x': entry }, folders: {} }), /data\/x is missing/);
    await refused(await craft('crafted.tar', planted, undefined, { bytes: 0 }), /more than it says/);
  });

  it('refuses a backup with a flipped bit or cut short, at any place, and whatever is no backup', async () => {
    const data = await makeData('flipped');
    for (const name of ['whole.tar', 'whole.tar.gz']) {
      const whole = join(folder, name);
      await backup(whole, data);
      const bytes = await readFile(whole);
      const middle = Buffer.from(bytes);
      middle[Math.floor(bytes.length / 2)] = (middle[Math.floor(bytes.length / 2)] ?? 0) ^ 1;
      await writeFile(join(folder, 'broken'), middle);
      await refused(join(folder, 'broken'), /damaged or was changed/);
      for (const share of [0.3, 0.9, 0.999]) {
        await writeFile(join(folder, 'broken'), bytes.subarray(0, Math.floor(bytes.length * share)));
        await refused(join(folder, 'broken'), /damaged or was changed/);
      }
    }
    await writeFile(join(folder, 'broken'), 'hello');
    await refused(join(folder, 'broken'), /not a backup of Lowrank/);
    await writeFile(join(folder, 'broken'), '');
    await refused(join(folder, 'broken'), /not a backup of Lowrank/);
    await refused(join(folder, 'not-there'), /no file/);
    await refused(await craft('crafted.tar', [], undefined, { version: 2 }), /not what a backup has/);
    await refused(
      await craft('crafted.tar', [], undefined, { database: { major: 12, arch: process.arch } }),
      /unset DATABASE_URL/,
    );
  });

  it('refuses a database of another major version or processor', async () => {
    const target = join(folder, 'target');
    const of = (database: object) => craft('crafted.tar', [], undefined, { database });
    const here = { database_elsewhere: false };
    await expect(restore(await of({ major: 12, arch: process.arch }), target, here)).rejects.toThrow(/PostgreSQL 12.*brings 18/);
    await expect(restore(await of({ major: 18, arch: 'sparc' }), target, here)).rejects.toThrow(/made on sparc/);
    expect((await readdir(folder)).filter((name) => name.startsWith('target'))).toEqual([]);
  });

  it('never mixes with what is there', async () => {
    const target = join(folder, 'occupied');
    await makeFile(join(target, 'mine'), 'mine');
    const file = await craft('crafted.tar', [{ name: 'data/x', text: 'x' }]);
    await expect(restore(file, target)).rejects.toThrow(/not empty/);
    expect(await readdir(target)).toEqual(['mine']);
    await rm(join(target, 'mine'));
    // Left by a restore that was killed; no process has such a number.
    await makeFile(join(folder, 'occupied.restoring-999999999-ab12', 'data', 'half'), 'half');
    await restore(file, target);
    expect(await readdir(target)).toEqual(['x']);
    expect((await readdir(folder)).filter((name) => name.includes('restoring'))).toEqual([]);
  });
});

describe('npm run lowrank -- backup and restore', { timeout: 90_000 }, () => {
  const root = resolve(import.meta.dirname, '../../..');
  function run(args: string[], data_dir: string): Promise<{ code: number | null; text: string }> {
    return new Promise((done) => {
      const child = spawn(process.execPath, [join(root, 'src/cli.ts'), ...args], {
        cwd: folder,
        env: {
          PATH: '/usr/bin:/bin',
          LOWRANK_DATA_DIR: data_dir,
          DATABASE_URL: 'postgres://me:secret-word@db.example/x',
        } as unknown as NodeJS.ProcessEnv,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let text = '';
      child.stdout.on('data', (chunk) => (text += chunk));
      child.stderr.on('data', (chunk) => (text += chunk));
      child.on('close', (code) => done({ code, text }));
    });
  }

  it('refuse while a studio runs; else copy, and say how a database elsewhere is dumped', async () => {
    const data = await makeData('by-command');
    const start = (await readFile(`/proc/${process.pid}/stat`, 'utf8')).split(') ').at(-1)?.split(' ')[19];
    const studio = join(data, 'studio.json');
    await writeFile(studio, JSON.stringify({ pid: process.pid, start, url: 'http://127.0.0.1:3000' }));
    const early = await run(['backup', 'command.tar'], data);
    expect(early.code).toBe(3);
    expect(early.text).toMatch(/The studio runs .*Ctrl-C/);
    await writeFile(studio, JSON.stringify({ pid: process.pid, start: '1', url: 'http://127.0.0.1:3000' }));
    const done = await run(['backup', 'command.tar'], data);
    expect(done.text).toMatch(/command\.tar: 4 files, 3\.0 MB/);
    expect(done.text).toContain('pg_dump --format=custom');
    expect(done.text).not.toContain('secret-word');
    expect(done.code).toBe(0);
    const back = await run(['restore', 'command.tar'], join(folder, 'by-command-copy'));
    expect(back.text).toMatch(/every file checked\. Start it: npm start/);
    expect(back.code).toBe(0);
    const again = await run(['restore', 'command.tar'], join(folder, 'by-command-copy'));
    expect(again).toMatchObject({ code: 1, text: expect.stringContaining('not empty') });
  });
});

it('`lowrank backup` says that buckets are not in it', async () => {
  const variables = {
    LOWRANK_DATA_DIR: await makeData('with-buckets'),
    DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
    LOWRANK_S3_ENDPOINT: 'http://127.0.0.1:1',
    LOWRANK_S3_ACCESS_KEY_ID: 'k',
    LOWRANK_S3_SECRET_ACCESS_KEY: 'hidden-word',
  };
  const child = spawn(process.execPath, [resolve(import.meta.dirname, '../../cli.ts'), 'backup', join(folder, 'buckets.tar')], {
    env: { PATH: process.env.PATH, ...variables } as unknown as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
  const code = await new Promise((done) => child.once('close', done));
  expect([code, said]).toEqual([0, expect.stringContaining('the buckets lora-datasets and lora-models is not in it')]);
  expect(said).not.toContain('hidden-word');
});
