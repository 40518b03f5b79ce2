import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { env } from '#/env.ts';

test.each([
  ['PORT', 'abc'],
  ['LOWRANK_USER_QUOTA_GB', '-1'],
  ['PUBLIC_URL', 'foo'],
])('%s=%s ends the start with a sentence that names it, and no stack', (name, value) => {
  const ended = spawnSync(process.execPath, [join(env.repo, 'src/cli.ts'), 'start'], {
    env: { ...process.env, [name]: value },
    encoding: 'utf8',
    timeout: 30_000,
  });
  expect(ended.status).toBe(1);
  expect(ended.stderr).toContain(`  ${name}: `);
  expect(ended.stderr).toContain('docs/operations.md');
  expect(ended.stderr).not.toMatch(/^\s+at |Node\.js v/m);
});
