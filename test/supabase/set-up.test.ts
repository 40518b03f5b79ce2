// `lowrank supabase` on the fixture: what it makes, what it leaves, and who reaches files afterwards.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { projectOf } from '#/cli/supabase-command.ts';
import { BUCKETS } from '#/domain/buckets.ts';
import { env } from '#/env.ts';
import { type FreshProject, makeFreshProject } from './fresh-project.ts';
import { runSql } from './make-project.ts';
import { SHAPE_OF_THEIRS } from './shape-of-theirs.ts';

let project: FreshProject;
// With a letter, so that the upper case is another.
const [A, B] = [`a${randomUUID().slice(1)}`, randomUUID()];

/** The command as a person runs it. */
function lowrank(words: string[], url = project.owner): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [join(env.repo, 'src/cli.ts'), 'supabase', ...words], {
      env: { PATH: process.env.PATH, DATABASE_URL: url, LOWRANK_DATA_DIR: project.data_dir } as unknown as NodeJS.ProcessEnv,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said = { out: '', err: '' };
    child.stdout.on('data', (chunk) => (said.out += chunk));
    child.stderr.on('data', (chunk) => (said.err += chunk));
    child.on('close', (code) => done({ code, ...said }));
  });
}
const theirs = async () => (await runSql<{ line: string }>(project.behind, SHAPE_OF_THEIRS)).map(({ line }) => line);
const buckets = () =>
  runSql(project.behind, 'SELECT id, public, file_size_limit::text AS file_size_limit FROM storage.buckets ORDER BY id');
const MADE = Object.values(BUCKETS).map(({ name, file_bytes_max }) => ({
  id: name,
  public: false,
  file_size_limit: String(file_bytes_max),
}));

beforeAll(async () => {
  project = await makeFreshProject();
  await runSql(project.behind, `INSERT INTO storage.buckets (id, name, public) VALUES ('avatars', 'avatars', true)`);
});
afterAll(() => project.remove());

describe('lowrank supabase', { timeout: 60_000 }, () => {
  test('shows all of its SQL on a dry run and changes nothing', async () => {
    const before = await theirs();
    const { code, out } = await lowrank(['--dry-run']);
    expect(code).toBe(0);
    expect(out).toMatch(/^CREATE SCHEMA "lowrank";$/m);
    expect(out).toMatch(/^INSERT INTO storage.buckets .*'lora-models', false, 5000000000\)/m);
    expect(out.match(/^CREATE POLICY lowrank_\w+ ON storage.objects/gm)).toHaveLength(5);
    expect(await theirs()).toEqual(before);
    expect(await runSql(project.behind, `SELECT nspname FROM pg_namespace WHERE nspname = 'lowrank'`)).toEqual([]);
  });

  test('makes two private buckets and five policies, and leaves everything else of the project as it was', async () => {
    const before = await theirs();
    const { code, out, err } = await lowrank([]);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^migrations {2}\d+ run: 0000_auth to /m);
    expect(out.match(/^storage {5}made /gm)).toHaveLength(7);
    expect(out).toContain('SUPABASE_JWT_ISSUER=');
    const after = await theirs();
    expect(after.filter((line) => !before.includes(line)).map((line) => line.split(' ').slice(0, 4).join(' '))).toEqual(
      ['delete_own', 'insert_own', 'nothing_of_others', 'select_own', 'update_own'].map(
        (name) => `policy storage objects lowrank_${name}`,
      ),
    );
    expect(before.filter((line) => !after.includes(line))).toEqual([]);
    expect(await buckets()).toEqual([{ id: 'avatars', public: true, file_size_limit: null }, ...MADE]);
  });

  test('finds nothing to do the second time', async () => {
    const before = await theirs();
    const { code, out } = await lowrank([]);
    expect(code).toBe(0);
    expect(out).toMatch(/^migrations {2}up to date\nstorage {5}both buckets and their policies are as they must be$/m);
    expect((await lowrank(['--dry-run'])).out).toContain('-- Nothing is missing.');
    expect([await theirs(), (await buckets()).slice(1)]).toEqual([before, MADE]);
  });

  test('mends a bucket that was opened, a limit that was lifted and a policy that was dropped or widened', async () => {
    const right = await theirs();
    await runSql(
      project.behind,
      `UPDATE storage.buckets SET public = true WHERE id = 'lora-models';
       UPDATE storage.buckets SET file_size_limit = NULL WHERE id = 'lora-datasets';
       DROP POLICY lowrank_delete_own ON storage.objects;
       ALTER POLICY lowrank_select_own ON storage.objects USING (bucket_id = 'lora-datasets');
       ALTER POLICY lowrank_nothing_of_others ON storage.objects TO anon`,
    );
    const { out } = await lowrank([]);
    expect(out.match(/^storage {5}made .*$/gm)).toEqual([
      expect.stringContaining('the bucket lora-datasets private'),
      expect.stringContaining('the bucket lora-models private'),
      expect.stringContaining('lowrank_nothing_of_others'),
      expect.stringContaining('lowrank_select_own'),
      expect.stringContaining('lowrank_delete_own'),
    ]);
    expect([await theirs(), (await buckets()).slice(1)]).toEqual([right, MADE]);
  });

  test('says in a sentence what DATABASE_URL lacks', async () => {
    const plain = await makeFreshProject('template0');
    try {
      for (const words of [[], ['--dry-run']]) {
        const { code, err } = await lowrank(words, plain.owner);
        expect([code, err]).toEqual([
          1,
          expect.stringMatching(/^The database in DATABASE_URL is no Supabase project’s.*lowrank -- migrate\n$/),
        ]);
      }
    } finally {
      await plain.remove();
    }
  });

  test('says in a sentence, without a stack, what the network or the database refuses', async () => {
    const elsewhere = new URL(project.owner);
    elsewhere.password = 'a-wrong-secret';
    for (const url of ['postgres://postgres:a-wrong-secret@127.0.0.1:1/postgres', elsewhere.toString()]) {
      const { code, err } = await lowrank([], url);
      expect([code, err]).toEqual([1, expect.stringMatching(/^127\.0\.0\.1:\d+: .+\nSee docs\/supabase\.md.*doctor\n$/)]);
      expect(err).not.toContain('a-wrong-secret');
    }
  });

  test('knows a project by its database’s address', () => {
    expect(projectOf('postgres://postgres:p@db.abcdefghij.supabase.co:5432/postgres')).toBe('abcdefghij');
    expect(projectOf('postgres://postgres.abcdefghij:p@aws-0-eu.pooler.supabase.com:5432/postgres')).toBe('abcdefghij');
    expect(projectOf('postgres://postgres:p@db.internal/postgres')).toBeNull();
  });
});

describe('files in the two buckets', () => {
  let client: pg.Client;
  const file = (owner: string) => `${owner}/${randomUUID()}/rows.jsonl`;
  const of_a = file(A);

  beforeAll(async () => {
    client = new pg.Client({ connectionString: project.behind });
    await client.connect();
    for (const { name } of Object.values(BUCKETS)) {
      await client.query('INSERT INTO storage.objects (bucket_id, name) VALUES ($1, $2)', [name, of_a]);
    }
    await client.query(`INSERT INTO storage.objects (bucket_id, name) VALUES ('avatars', $1)`, [of_a]);
  });
  afterAll(() => client.end());

  type Who = [role: 'anon' | 'authenticated', sub: string | null];
  const OWNER: Who = ['authenticated', A];
  const OTHERS: Who[] = [
    ['authenticated', B],
    ['authenticated', null],
    ['anon', null],
  ];

  /** Rows that a statement reached, as the storage API asks for somebody; -1 where it was refused. Undone. */
  async function reach([role, sub]: Who, text: string, values: unknown[] = []): Promise<number> {
    await client.query('SAVEPOINT asked');
    try {
      await client.query(`SET LOCAL ROLE ${role}; SET LOCAL storage.allow_delete_query = 'true'`);
      const claims = { role, ...(sub !== null && { sub }) };
      await client.query("SELECT set_config('request.jwt.claims', $1, true)", [JSON.stringify(claims)]);
      return (await client.query(text, values)).rowCount ?? 0;
    } catch (error) {
      expect((error as { code?: string }).code).toBe('42501');
      return -1;
    } finally {
      await client.query('ROLLBACK TO SAVEPOINT asked');
    }
  }

  const FOUR = [
    'SELECT FROM storage.objects WHERE bucket_id = $1 AND name LIKE $2',
    'INSERT INTO storage.objects (bucket_id, name) VALUES ($1, replace($2, $2, $2 || $3))',
    "UPDATE storage.objects SET metadata = '{}' WHERE bucket_id = $1 AND name LIKE $2",
    'DELETE FROM storage.objects WHERE bucket_id = $1 AND name LIKE $2',
  ];

  /** Everything that is wrong with who reaches A's files; empty when all is well. */
  async function wrongs(change = 'SELECT 1'): Promise<string[]> {
    const found: string[] = [];
    const note = (told: string, right: boolean) => right || found.push(told);
    await client.query('BEGIN');
    try {
      await client.query(change);
      for (const { name } of Object.values(BUCKETS)) {
        for (const text of FOUR) {
          const values = text.startsWith('INSERT') ? [name, `${A}/x/`, randomUUID()] : [name, of_a];
          note(`owner ${name} ${text}`, (await reach(OWNER, text, values)) === 1);
          for (const who of OTHERS) note(`${who} ${name} ${text}`, (await reach(who, text, values)) < 1);
        }
        const insert = 'INSERT INTO storage.objects (bucket_id, name) VALUES ($1, $2)';
        for (const odd of [
          `${B}/f`,
          `${A}/../${B}/f`,
          A,
          'f',
          `/${A}/f`,
          `${A}x/f`,
          `${A.slice(0, -1)}/f`,
          `shared/f`,
          ` ${A}/f`,
        ]) {
          note(`owner writes ${name} ${odd}`, (await reach(OWNER, insert, [name, odd])) === -1);
        }
        // Moving, copying and renaming are updates and inserts.
        const move = `UPDATE storage.objects SET name = $2 WHERE bucket_id = $1 AND name = '${of_a}'`;
        note(`owner gives away ${name}`, (await reach(OWNER, move, [name, file(B)])) === -1);
        note(`owner renames ${name}`, (await reach(OWNER, move, [name, file(A)])) === 1);
        const out = `UPDATE storage.objects SET bucket_id = 'avatars', name = 'x' WHERE bucket_id = $1 AND name = '${of_a}'`;
        note(`owner takes out of ${name}`, (await reach(OWNER, out, [name])) === -1);
      }
      // A statement that looks at no column needs no right to see the row.
      for (const who of OTHERS) {
        for (const blind of [`UPDATE storage.objects SET metadata = '{}'`, 'DELETE FROM storage.objects'])
          note(`${who} blindly ${blind}`, (await reach(who, blind)) < 1);
      }
      note('a bucket is seen', (await reach(OWNER, `SELECT FROM storage.buckets WHERE public IS NOT TRUE`)) === 0);
      return found;
    } finally {
      await client.query('ROLLBACK');
    }
  }

  test('are reached by whose folder they lie in, and by nobody else', async () => {
    expect(await wrongs()).toEqual([]);
  });

  const LAX = `CREATE POLICY lax ON storage.objects TO anon, authenticated USING (bucket_id <> 'avatars') WITH CHECK (bucket_id <> 'avatars')`;
  test('are opened by no policy that the project has beside ours, and its other buckets stay as they were', async () => {
    expect(await wrongs(LAX)).toEqual([]);
    await client.query('BEGIN');
    await client.query(`CREATE POLICY theirs ON storage.objects TO anon USING (bucket_id = 'avatars')`);
    expect(await reach(['anon', null], `SELECT FROM storage.objects WHERE bucket_id = 'avatars'`)).toBe(1);
    await client.query('ROLLBACK');
  });

  test('and whichever policy is dropped or widened, it is found', async () => {
    const { rows } = await client.query<{ name: string; cmd: string }>(
      `SELECT policyname AS name, cmd FROM pg_policies WHERE schemaname = 'storage' AND policyname LIKE 'lowrank\\_%'`,
    );
    const unnoticed: string[] = [];
    for (const { name, cmd } of rows) {
      const with_lax = name === 'lowrank_nothing_of_others' ? `${LAX};` : '';
      const using = cmd === 'INSERT' ? '' : 'USING (true)';
      const check = ['SELECT', 'DELETE'].includes(cmd) ? '' : 'WITH CHECK (true)';
      const mutations = [`${with_lax} DROP POLICY ${name} ON storage.objects`];
      // Behind the restrictive policy a wide one opens nothing; without it, it does.
      const bare = with_lax === '' ? 'DROP POLICY lowrank_nothing_of_others ON storage.objects;' : with_lax;
      mutations.push(`${bare} ALTER POLICY ${name} ON storage.objects TO anon, authenticated ${using} ${check}`);
      for (const mutation of mutations) if ((await wrongs(mutation)).length === 0) unnoticed.push(mutation);
    }
    expect(rows).toHaveLength(5);
    expect(unnoticed).toEqual([]);
    // Without the restrictive one alone nothing is open yet: it is the second lock.
    expect(await wrongs('DROP POLICY lowrank_nothing_of_others ON storage.objects')).toEqual([]);
  });
});
