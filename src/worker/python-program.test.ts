import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runPythonProgram } from './python-program.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lowrank-program-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const python = (code: string, more: Partial<Parameters<typeof runPythonProgram>[0]> = {}) =>
  runPythonProgram({ args: ['-c', code], timeout_ms: 20_000, ...more });

/** True while the process runs; a zombie does not. */
function alive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

describe('a bounded Python program', () => {
  test('its lines arrive in order and its exit code is told', async () => {
    const lines: string[] = [];
    const end = await python('import sys\nfor i in range(3): print(i)\nsys.exit(7)', { onLine: (line) => lines.push(line) });
    expect(lines).toEqual(['0', '1', '2']);
    expect(end).toMatchObject({ code: 7, signal: null, ended_by: null });
  });

  test('its stdout goes to a file and the end of its stderr is kept', async () => {
    const stdout_path = join(folder, 'out');
    const end = await python('import sys\nprint("x" * 100000)\nprint("a" * 50000 + "end", file=sys.stderr)', { stdout_path });
    expect((await readFile(stdout_path)).length).toBe(100_001);
    expect(end.stderr.length).toBeLessThanOrEqual(16 * 1024);
    expect(end.stderr.trimEnd().endsWith('end')).toBe(true);
  });

  test('past its time it is ended with all that it started', async () => {
    const pids: number[] = [];
    const end = await python('import subprocess, time\np = subprocess.Popen(["sleep", "600"])\nprint(p.pid)\ntime.sleep(600)', {
      timeout_ms: 4_000,
      onLine: (line) => pids.push(Number(line)),
    });
    expect(end).toMatchObject({ signal: 'SIGTERM', ended_by: 'timeout' });
    expect(pids).toHaveLength(1);
    // The kernel takes a killed process away in its own time.
    await expect.poll(() => pids.filter(alive), { timeout: 20_000 }).toEqual([]);
  });

  test('more memory than it may have is refused to it, and less is not', async () => {
    const data_bytes_max = 512 * 1024 * 1024;
    expect((await python('"a" * 1_000_000_000', { data_bytes_max })).stderr).toContain('MemoryError');
    expect((await python('"a" * 100_000_000', { data_bytes_max })).code).toBe(0);
  });

  test('past its computing time the kernel ends it, and time that it waits is none', async () => {
    expect(await python('while True: pass', { cpu_s_max: 1 })).toMatchObject({ signal: 'SIGXCPU', ended_by: 'cpu' });
    expect(await python('import time; time.sleep(1.5)', { cpu_s_max: 1 })).toMatchObject({ code: 0, ended_by: null });
  });

  test('a flood of output ends it', async () => {
    const end = await python('while True: print("y" * 1000)', { output_bytes_max: 1_000_000 });
    expect(end.ended_by).toBe('output');
  });

  test('it sees none of our environment but what it is given', async () => {
    const lines: string[] = [];
    process.env.LOWRANK_CANARY = 'secret';
    await python('import os\nprint(sorted(os.environ))\nprint(os.environ["GIVEN"])', {
      variables: { GIVEN: 'yes' },
      onLine: (line) => lines.push(line),
    });
    delete process.env.LOWRANK_CANARY;
    expect(lines[0]).not.toContain('LOWRANK_CANARY');
    expect(lines[1]).toBe('yes');
  });

  test('a program that is not there is told as an exit, not thrown', async () => {
    const end = await runPythonProgram({ args: ['-m', 'no_such_module_of_ours'], timeout_ms: 20_000 });
    expect(end.code).toBe(1);
    expect(end.stderr).toContain('no_such_module_of_ours');
  });
});
