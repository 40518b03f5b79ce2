import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { identify, lives } from './process-identity.mjs';

const root = mkdtempSync(join(tmpdir(), 'lowrank-setup-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Runs a piece of set-up in a process of its own; `words` grows with what it says. */
function run(program: string): {
  child: ChildProcess;
  words: () => string;
  said: (what: string) => Promise<void>;
  ended: Promise<number | null>;
} {
  const here = JSON.stringify(new URL('./', import.meta.url).href);
  const text = `const here = ${here}; const root = ${JSON.stringify(root)}; ${program}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', text], { stdio: ['ignore', 'pipe', 'pipe'] });
  let words = '';
  child.stdout.on('data', (chunk: Buffer) => (words += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (words += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  const said = async (what: string): Promise<void> => {
    let over = false;
    void ended.then(() => (over = true));
    while (!words.includes(what)) {
      if (over) throw new Error(`it ended without saying "${what}": ${words}`);
      await new Promise((done) => setImmediate(done));
    }
  };
  return { child, words: () => words, said, ended };
}

describe('two set-ups at once', () => {
  const hold = `
    const { takeLock } = await import(here + 'lock.mjs');
    const lock = await takeLock(root, (word) => console.log(word));
    console.log('taken');`;

  it('take turns, and the second says what it waits for', async () => {
    const first = run(`${hold} process.on('SIGTERM', () => { lock.release(); process.exit(0); }); setInterval(() => 0, 1000);`);
    await first.said('taken');
    const second = run(`${hold} lock.release();`);
    await second.said(`process ${first.child.pid}`);
    expect(second.words()).not.toContain('taken');
    first.child.kill('SIGTERM');
    await second.said('taken');
    expect(await second.ended).toBe(0);
  });

  it('one that was killed is succeeded, and the installer that it left behind is ended first', async () => {
    const first = run(`${hold}
      const { spawn } = await import('node:child_process');
      const installer = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
      lock.note_child(installer.pid);
      console.log('installer ' + installer.pid + '.');
      setInterval(() => 0, 1000);`);
    await first.said('.');
    const installer = identify(Number(/installer (\d+)\./.exec(first.words())?.[1]));
    expect(lives(installer)).toBe(true);
    first.child.kill('SIGKILL');
    await first.ended;
    const next = run(`${hold} lock.release();`);
    await next.said('taken');
    expect(lives(installer)).toBe(false);
    expect(await next.ended).toBe(0);
    expect(existsSync(join(root, '.setup/lock'))).toBe(false);
  });
});

describe('the command after set-up', () => {
  const handOver = (command: string) => `
    const { handOver } = await import(here + 'hand-over.mjs');
    process.exitCode = await handOver(root, process.execPath, ['-e', ${JSON.stringify(command)}], { EXTRA: 'given' });`;

  it('gets its variables, and its exit code is passed on', async () => {
    const command = run(
      handOver(`console.log(process.env.EXTRA, process.env.PATH.split(':')[0].endsWith('node_modules/.bin')); process.exit(7)`),
    );
    expect(await command.ended).toBe(7);
    expect(command.words()).toContain('given true');
  });

  it('gets a Ctrl-C once and is waited for while it tidies up', async () => {
    const command = run(
      handOver(`let n = 0; process.on('SIGINT', () => { if (++n === 1) setTimeout(() => { console.log('signals: ' + n); process.exit(3); }, 300); });
        setInterval(() => 0, 1000); console.log('ready');`),
    );
    await command.said('ready');
    // As from a terminal with npm in between: twice at nearly the same moment.
    command.child.kill('SIGINT');
    command.child.kill('SIGINT');
    expect(await command.ended).toBe(3);
    expect(command.words()).toContain('signals: 1');
  });
});

describe("the trainer's environment, with a small stand-in for torch", () => {
  const ensure = `
    const { takeLock } = await import(here + 'lock.mjs');
    const { reportChildrenTo } = await import(here + 'run-program.mjs');
    const { ensureTrainer } = await import(here + 'trainer.mjs');
    const lock = await takeLock(root, (word) => console.log(word));
    reportChildrenTo(lock.note_child);
    await ensureTrainer(root, { dev: false }).finally(lock.release);
    console.log('ensured');`;

  beforeAll(async () => {
    mkdirSync(join(root, 'trainer/wheels'), { recursive: true });
    mkdirSync(join(root, '.setup'), { recursive: true });
    const make_wheel = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as wheel:
    wheel.writestr('torch/__init__.py', '')
    wheel.writestr('torch-2.13.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: torch\\nVersion: 2.13.0\\n')
    wheel.writestr('torch-2.13.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr('torch-2.13.0.dist-info/RECORD', '')
`;
    await once(
      spawn('python3', ['-c', make_wheel, join(root, 'trainer/wheels/torch-2.13.0-py3-none-any.whl')], { stdio: 'inherit' }),
      'exit',
    );
    writeFileSync(
      join(root, 'trainer/requirements.txt'),
      `--no-index\n--find-links ${join(root, 'trainer/wheels')}\ntorch==2.13.0\n`,
    );
    writeFileSync(join(root, 'trainer/constraints.txt'), 'torch==2.13.0\n');
  });

  it('left half-way by kill -9 is made anew; made once, it is left alone', { timeout: 180_000 }, async () => {
    const first = run(ensure);
    await first.said("Making the trainer's virtual environment");
    while (!existsSync(join(root, 'trainer/.venv/pyvenv.cfg'))) await new Promise((done) => setImmediate(done));
    first.child.kill('SIGKILL');
    await first.ended;
    expect(existsSync(join(root, 'trainer/.venv/unfinished'))).toBe(true);

    const second = run(ensure);
    expect(await second.ended).toBe(0);
    expect(second.words()).toContain("Making the trainer's virtual environment");
    expect(existsSync(join(root, 'trainer/.venv/unfinished'))).toBe(false);

    const third = run(ensure);
    expect(await third.ended).toBe(0);
    expect(third.words().trim()).toBe('ensured');

    // Requirements that bring no torch stop the set-up, and say so.
    const requirements = readFileSync(join(root, 'trainer/requirements.txt'), 'utf8');
    writeFileSync(join(root, 'trainer/requirements.txt'), requirements.replace('torch==2.13.0\n', ''));
    const packages = join(root, 'trainer/.venv/lib', readdirSync(join(root, 'trainer/.venv/lib'))[0]!, 'site-packages');
    rmSync(join(packages, 'torch-2.13.0.dist-info'), { recursive: true });
    const fourth = run(ensure);
    expect(await fourth.ended).toBe(1);
    expect(fourth.words()).toContain('pip would take no torch at all');
  });
});
