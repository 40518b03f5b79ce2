import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { env } from '#/env.ts';
import { runSpec } from '../../../test/run-spec.ts';
import { hostFolders } from '../host-folders.ts';
import { processExecutor } from './process-executor.ts';

const WRAPPER = join(import.meta.dirname, 'run_wrapper');
const FOLDERS = { '/srv/lowrank/data': '<data>', '/srv/lowrank': '<lowrank>', '/home/ada': '<home>' };

let folder: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'lowrank-folders-')));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** What the wrapper's own code makes of a text, cut in two at every byte: all different outcomes. */
async function named(text: string): Promise<string[]> {
  const program = `
import json, sys
sys.path.insert(0, sys.argv[1])
from host_folders import HostFolders
folders, data = json.loads(sys.argv[2]), sys.argv[3].encode()
def through(*parts):
    stream = HostFolders(folders)
    return (b"".join(stream.take(part) for part in parts) + stream.rest()).decode()
said = {through(data[:at], data[at:]) for at in range(len(data) + 1)} | {through(*(bytes([one]) for one in data))}
print(json.dumps(sorted(said)))`;
  const { stdout } = await promisify(execFile)(env.python, ['-c', program, WRAPPER, JSON.stringify(FOLDERS), text]);
  return JSON.parse(stdout);
}

describe('a folder of the host in what a run prints', () => {
  test.each([
    ['File "/srv/lowrank/data/runs/1/x.py", line 3\n', 'File "<data>/runs/1/x.py", line 3\n'],
    ['/srv/lowrank/src and /srv/lowrank', '<lowrank>/src and <lowrank>'],
    ['in /srv/lowrank/data. And /srv/lowrank.', 'in <data>. And <lowrank>.'],
    ['file:///home/ada/.cache/x:/home/ada/y', 'file://<home>/.cache/x:<home>/y'],
    ['//srv/lowrank//home/ada//', '/<lowrank>/<home>//'],
    ['/srv/lowrank/srv/lowrank/data/home/ada', '<lowrank>/srv/lowrank/data/home/ada'],
    ["['/home/ada', '/srv/lowrank/data']", "['<home>', '<data>']"],
  ])('%j is told by its name wherever the output is cut', async (text, told) => {
    expect(await named(text)).toEqual([told]);
  });

  test.each(['/srv/lowrank2/x /srv/lowrank-old /srv/lowrank.bak', '/mnt/srv/lowrank/x', 'é/home/ada', '/srv /home', 'a/b'])(
    '%j is another one and stays',
    async (text) => {
      expect(await named(text)).toEqual([text]);
    },
  );
});

describe('the log of a run', () => {
  const run = async (code: string, more: { log_bytes_max?: number; log_tail_bytes?: number } = {}) => {
    const job_id = randomUUID();
    const trainer = join(folder, `${job_id}.py`);
    await writeFile(trainer, code);
    const folderOf = (id: string, attempt: number) => join(folder, id, String(attempt));
    const executor = processExecutor({
      folderOf,
      contact_path: join(folder, 'contact.json'),
      python: env.python,
      trainer,
      cwd: folder,
      search_path: env.PATH,
      heartbeat_ms: 50,
      grace_ms: 1_000,
      self_fence_ms: 60_000,
      log_bytes_max: 1_000_000,
      log_tail_bytes: 100_000,
      host_folders: { [folder]: '<data>' },
      ...more,
    });
    const handle = await executor.launch(runSpec(job_id));
    const log = () => readFile(join(folderOf(job_id, 1), 'train.log'), 'utf8').catch(() => '');
    const over = async () => {
      while (!['exited', 'lost'].includes((await executor.observe(handle)).phase)) await pause(10);
      return log();
    };
    return { log, over };
  };

  test('names the data folder, also where its path comes in two pieces, and keeps every offset that was read', async () => {
    const half = Math.floor(folder.length / 2);
    const { log, over } = await run(
      `import os, sys, time
os.write(1, b"first ${folder}/a.py\\nthen ${folder.slice(0, half)}")
while not os.path.exists("${folder}/go"): time.sleep(0.02)
os.write(2, b"${folder.slice(half)}/b.py\\n")
os.write(1, ("config " + sys.argv[2] + "\\n").encode())`,
    );
    while (!(await log()).includes('then')) await pause(10);
    const early = await log();
    expect(early).toBe('first <data>/a.py\nthen ');
    await writeFile(join(folder, 'go'), '');
    const whole = await over();
    expect(whole.startsWith(`${early}<data>/b.py\nconfig <data>/`)).toBe(true);
    expect(whole).not.toContain(folder);
  });

  test('names it in the end of a flood, and where the log is full in the midst of its path', async () => {
    // Ten lines of one digit, the eleventh's number, and half of its path.
    const head = 10 * (folder.length + 5) + 3 + Math.floor(folder.length / 2);
    const { over } = await run(`import sys\nfor at in range(3000): sys.stdout.write(f"{at} ${folder}/x\\n")`, {
      log_bytes_max: head + 1_000,
      log_tail_bytes: 1_000,
    });
    const whole = await over();
    expect(whole).toMatch(/^0 <data>\/x\n.*\n10 \n\[lowrank\] The log is full.*were left out here.*2999 <data>\/x\n$/s);
    expect(whole).not.toContain(folder.slice(0, 10));
  });
});

test('the folders of a worker are its data, models, installation and home, as they are written and without links', async () => {
  const before = { data_dir: env.data_dir, home_dir: env.home_dir, LOWRANK_MODEL_FOLDERS: env.LOWRANK_MODEL_FOLDERS };
  const link = join(folder, 'link');
  await symlink(folder, link);
  Object.assign(env, { data_dir: link, home_dir: '/', LOWRANK_MODEL_FOLDERS: ['/nowhere/models/'] });
  try {
    expect(await hostFolders()).toEqual({
      [env.repo]: '<lowrank>',
      [await realpath(env.repo)]: '<lowrank>',
      '/nowhere/models': '<models>',
      [link]: '<data>',
      [folder]: '<data>',
    });
  } finally {
    Object.assign(env, before);
  }
});
