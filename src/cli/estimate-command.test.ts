import { spawn } from 'node:child_process';
import { lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lowrank-estimate-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs the command as a process of its own, with nothing of an installation around it. */
async function estimate(options: string[], input = '') {
  const child = spawn(process.execPath, ['src/cli.ts', 'estimate', ...options], {
    env: { ...process.env, LOWRANK_DATA_DIR: join(folder, 'no-data'), DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' },
  });
  child.stdin.end(input);
  const [out, err, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.once('close', resolve)),
  ]);
  return { out, err, code };
}
const rowsOf = (lines: string) =>
  lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const request = (id: string | number, fields: object = {}) => `${JSON.stringify({ id, model: 'Llama-3.2-1B', ...fields })}\n`;

describe('lowrank estimate', () => {
  test('answers each line in its place, a bad one with its error, and needs no database', async () => {
    const input = join(folder, 'requests.jsonl');
    const output = join(folder, 'answers.jsonl');
    await writeFile(input, `${request('a')}not json\n\n${request('b', { nonsense: 1 })}${request(3, { gpu: 'T4' })}`);
    const ended = await estimate(['--input', input, '--output', output]);
    expect(ended).toEqual({ code: 0, out: '', err: '2 lines answered, 2 lines refused: each says in its error what to mend\n' });
    const rows = rowsOf(await readFile(output, 'utf8'));
    expect(rows).toEqual([
      expect.objectContaining({ id: 'a', verdict: 'fits' }),
      { id: null, error: { field: '', message: expect.stringMatching(/^Line 2 is not JSON/) } },
      { id: 'b', error: { field: 'nonsense', message: expect.stringMatching(/no field nonsense/) } },
      expect.objectContaining({ id: 3, memory_gb: expect.objectContaining({ allocator: expect.any(Number) }) }),
    ]);
    expect(Object.keys(rows[0] ?? {})).toEqual([
      'id',
      'memory_gb',
      'seconds_per_step',
      'tokens_per_second',
      'verdict',
      'assumptions',
    ]);
    expect((await readdir(folder)).sort()).toEqual(['answers.jsonl', 'requests.jsonl']);
  });

  test('reads standard input and writes standard output where nothing or - is named', async () => {
    const [bare, dashed] = await Promise.all([
      estimate([], request('x')),
      estimate(['--input', '-', '--output', '-'], request('x')),
    ]);
    expect(bare).toEqual(dashed);
    expect(rowsOf(bare.out)).toEqual([expect.objectContaining({ id: 'x' })]);
    expect(bare.err).toBe('1 line answered\n');
  });

  test.each([
    ['a folder', () => folder, /is a folder/],
    ['below a file', () => join(folder, 'plain.jsonl', 'x'), /in what is a file/],
    ['a name too long for any disk', () => join(folder, 'x'.repeat(300)), /longer than this disk takes/],
    ['no name at all', () => '', /without a name/],
  ])('is told in a sentence that answers cannot go to %s', async (_, output, sentence) => {
    await writeFile(join(folder, 'plain.jsonl'), 'kept');
    const ended = await estimate(['--output', output()], request('x'));
    expect([ended.code, ended.err]).toEqual([1, expect.stringMatching(sentence)]);
    expect(ended.err).not.toMatch(/node:|errno/);
  });

  test('opens answers to nobody who might not read what they replace, and fills a link that leads nowhere yet', async () => {
    const [secret, link, target] = ['secret', 'leads', 'ahead'].map((name) => join(folder, `${name}.jsonl`)) as [
      string,
      string,
      string,
    ];
    await writeFile(secret, 'old', { mode: 0o600 });
    await symlink('ahead.jsonl', link);
    for (const output of [secret, link]) expect((await estimate(['--output', output], request('x'))).code).toBe(0);
    expect([(await stat(secret)).mode & 0o777, (await lstat(link)).isSymbolicLink()]).toEqual([0o600, true]);
    for (const path of [secret, target])
      expect(rowsOf(await readFile(path, 'utf8'))).toEqual([expect.objectContaining({ id: 'x' })]);
  });

  test('leaves what stood there where it cannot go on, and says why', async () => {
    const output = join(folder, 'kept.jsonl');
    await writeFile(output, 'kept');
    const absent = await estimate(['--input', join(folder, 'none.jsonl'), '--output', output]);
    expect([absent.code, absent.err]).toEqual([1, expect.stringMatching(/There is no .*none\.jsonl/)]);
    const is_folder = await estimate(['--input', folder, '--output', output]);
    expect([is_folder.code, is_folder.err]).toEqual([1, expect.stringMatching(/is a folder/)]);
    const nowhere = await estimate(['--output', join(folder, 'no', 'where.jsonl')], request('x'));
    expect([nowhere.code, nowhere.err]).toEqual([1, expect.stringMatching(/There is no .*where\.jsonl/)]);
    expect(await readFile(output, 'utf8')).toBe('kept');
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('writes through a link and into a device, and replaces neither', async () => {
    const [real, link] = [join(folder, 'real.jsonl'), join(folder, 'link.jsonl')];
    await writeFile(real, 'before');
    await symlink(real, link);
    expect((await estimate(['--output', link], request('x'))).code).toBe(0);
    expect(rowsOf(await readFile(real, 'utf8'))).toHaveLength(1);
    expect((await estimate(['--output', '/dev/null'], request('x'))).code).toBe(0);
  });
});
