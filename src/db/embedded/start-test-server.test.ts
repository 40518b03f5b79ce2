import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { expect, it } from 'vitest';
import { isAlive } from './postmaster.ts';
import { startTestServer } from './start-test-server.ts';

it('a test server ends with its starter, even by kill -9, and the next one removes what it left', {
  timeout: 120_000,
}, async () => {
  const module = new URL('./start-test-server.ts', import.meta.url).href;
  const program = `
    const { startTestServer } = await import(${JSON.stringify(module)});
    const { pid, home } = await startTestServer();
    console.log(JSON.stringify({ pid, home }));
    setInterval(() => undefined, 1000);`;
  const starter = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(starter.stdout, 'data')) as [Buffer];
  const { pid, home } = JSON.parse(line.toString()) as { pid: number; home: string };
  expect(await isAlive(pid)).toBe(true);
  starter.kill('SIGKILL');
  await expect.poll(() => isAlive(pid), { timeout: 60_000 }).toBe(false);

  const next = await startTestServer();
  await expect(stat(dirname(home))).rejects.toThrow('ENOENT');
  await next.remove();
  await expect(stat(dirname(next.home))).rejects.toThrow('ENOENT');
  expect(await isAlive(next.pid)).toBe(false);
});
