import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { useDatabase } from '../../test/database.ts';
import { addImage, READY_IMAGE } from '../../test/factories.ts';
import { checkNextImage } from './check-image.ts';
import { dockerEngine, type Engine, EngineRefusal } from './executors/docker/engine.ts';
import { log } from './log.ts';
import { runImage } from './run-image.ts';

const db = useDatabase();
beforeEach(() => db.asOwner('DELETE FROM lowrank.training_images'));

const parts = (engine: Engine | null, launches_by: 'docker' | 'process' = 'docker') => ({
  engine,
  launches_by,
  worker_id: 'w',
  log,
});
const rowOf = async (id: string) =>
  (await db.asOwner('SELECT status, status_reason, attempts, lease_until FROM lowrank.training_images WHERE id = $1', [id]))[0];
const AWAY = dockerEngine({ kind: 'socket', path: '/nonexistent/docker.sock' });

describe('a worker', () => {
  test('without containers leaves images to others', async () => {
    const id = await addImage(db);
    expect([await checkNextImage(parts(AWAY, 'process')), await checkNextImage(parts(null))]).toEqual([false, false]);
    expect(await rowOf(id)).toEqual({ status: 'checking', status_reason: null, attempts: 0, lease_until: null });
  });

  test('whose engine is away says so and tries again later, however often', async () => {
    const id = await addImage(db);
    for (let time = 0; time < 5; time++) {
      expect(await checkNextImage(parts(AWAY))).toBe(true);
      expect(await checkNextImage(parts(AWAY))).toBe(false);
      expect(await rowOf(id)).toMatchObject({
        status: 'checking',
        attempts: 0,
        lease_until: expect.any(Date),
        status_reason: { code: 'engine_away', message: expect.stringContaining('does not answer') },
      });
      await db.asOwner('UPDATE lowrank.training_images SET lease_until = now()');
    }
  });

  test('whose engine has no such image says what is to be done', async () => {
    const id = await addImage(db, { reference: 'team/trainer:3' });
    const ask: Engine['ask'] = async (_method, path) => {
      if (path === '/containers/json') return [];
      throw new EngineRefusal(404, 'No such image');
    };
    expect(await checkNextImage(parts({ ...AWAY, ask }))).toBe(true);
    expect(await rowOf(id)).toMatchObject({
      status: 'error',
      status_reason: { code: 'image_not_found', message: expect.stringContaining('docker pull team/trainer:3') },
    });
  });
});

describe('a run that names an image', () => {
  const asked = { model_kind: 'causal-lm', method: 'lora', strategy: 'none', devices: 1 } as const;
  const docker = { executor: 'docker' } as const;

  test('lives in what was checked, whatever its name means now', async () => {
    const id = await addImage(db, { ...READY_IMAGE, reference: 'team/trainer:3' });
    expect(await runImage(docker, id, asked)).toEqual({ reference: 'team/trainer:3', digest: READY_IMAGE.digest });
    await db.asOwner(`UPDATE lowrank.training_images SET status = 'checking'`);
    expect(await runImage(docker, id, asked)).toEqual({ reference: 'team/trainer:3', digest: READY_IMAGE.digest });
    expect(await runImage(docker, null, asked)).toBeNull();
  });

  test('fails with the reason when it cannot have it', async () => {
    const id = await addImage(db, READY_IMAGE);
    const broken = await addImage(db, { status: 'error' });
    for (const [executor, image, config, message] of [
      ['process', id, asked, /training_image_id.*as processes/],
      ['docker', randomUUID(), asked, /off the list/],
      ['docker', broken, asked, /no good by now/],
      ['docker', id, { ...asked, method: 'dora' }, /cannot do this training. Of causal-lm it trains lora, not dora/],
    ] as const)
      expect(await runImage({ executor }, image, config)).toMatchObject({
        code: 'launch_failed',
        message: expect.stringMatching(message),
      });
  });
});
