import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { leave } from '#/services/people/leave.ts';
import { resetPassword } from '#/services/people/reset-password.ts';
import { useDatabase } from '../../test/database.ts';
import { isRunning, LONG, setScene } from '../../test/worker-scene.ts';
import { findMarked } from './process-identity.ts';

const db = useDatabase();
const scene = setScene(db, 'each test');

test('whoever leaves while a training runs is gone when its last process is, with the folder of the run', async () => {
  await scene.host.start();
  const id = await scene.add([LONG]);
  await scene.until(id, isRunning);
  const { user_id } = scene.owner;
  const folder = join(scene.host.data_dir, 'runs', id);
  expect(existsSync(folder)).toBe(true);
  const [person] = await db.asOwner<{ email: string }>('SELECT email FROM identity.users WHERE id = $1', [user_id]);
  await resetPassword(person?.email ?? '', 'correct horse battery');
  await leave({ user_id, role: 'user' }, { password: 'correct horse battery' });
  const people = () => db.asOwner('SELECT FROM identity.users WHERE id = $1', [user_id]);
  await expect.poll(async () => (await people()).length, { timeout: 60_000 }).toBe(0);
  expect([...(await findMarked()).keys()].filter((marker) => marker.startsWith(id))).toEqual([]);
  await expect.poll(() => existsSync(folder), { timeout: 60_000 }).toBe(false);
  expect(await db.asOwner('SELECT FROM lowrank.gpu_leases WHERE released_at IS NULL')).toEqual([]);
});
