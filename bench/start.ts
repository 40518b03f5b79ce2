import { spawn } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '#/db/embedded/free-port.ts';
import { removeStudio } from '../test/remove-studio.ts';
import { median, printFigures } from './figures.ts';

const ROUNDS = 5;
const REPO = join(import.meta.dirname, '..');

/** Seconds from the command to the first page answered 200, then an orderly end. */
async function secondsToFirstPage(data_dir: string): Promise<number> {
  const port = await freePort();
  const began = performance.now();
  const studio = spawn(process.execPath, [join(REPO, 'src/cli.ts'), 'start'], {
    env: { ...process.env, LOWRANK_DATA_DIR: data_dir, PORT: String(port) },
    stdio: 'ignore',
  });
  const gone = new Promise((resolve) => studio.once('exit', resolve));
  try {
    for (;;) {
      if (studio.exitCode !== null) throw new Error(`the studio ended with ${studio.exitCode}`);
      const status = await fetch(`http://127.0.0.1:${port}/sign-in`).then(
        (response) => response.status,
        () => 0,
      );
      if (status === 200) return (performance.now() - began) / 1000;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  } finally {
    studio.kill('SIGINT');
    await gone;
  }
}

/** `npm start` after set-up to the first page: on an empty data directory (the database is made) and on one that is there. */
export async function benchStart(): Promise<void> {
  const first: number[] = [];
  const again: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const data_dir = await mkdtemp(join(tmpdir(), 'lowrank-bench-start-'));
    try {
      first.push(await secondsToFirstPage(data_dir));
      again.push(await secondsToFirstPage(data_dir));
    } finally {
      await removeStudio(data_dir);
    }
  }
  const figure = (values: number[]) =>
    `${median(values).toFixed(2)} s (${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)})`;
  printFigures(`Start to first page, ${ROUNDS} rounds: median (range)`, [
    { what: 'empty data directory', value: figure(first) },
    { what: 'data directory that is there', value: figure(again) },
  ]);
}
