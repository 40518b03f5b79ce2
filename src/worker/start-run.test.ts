import { expect, test } from 'vitest';
import { LaunchError } from './executors/executor.ts';
import { launchFailure } from './start-run.ts';

test('why a run could not be started names no folder of the machine', () => {
  const missing = new LaunchError('launch_failed', 'spawn /srv/lowrank/data/venv/bin/python ENOENT');
  expect(launchFailure(missing)).toMatchObject({
    code: 'launch_failed',
    message: 'The run could not be started: spawn …/bin/python ENOENT',
  });
  const refused = Object.assign(new Error("EACCES: permission denied, mkdir '/srv/lowrank/data/runs'"), { code: 'EACCES' });
  expect(launchFailure(refused).message).toBe("The run's folder could not be made (EACCES).");
  expect(() => launchFailure(new TypeError('a bug'))).toThrow('a bug');
});
