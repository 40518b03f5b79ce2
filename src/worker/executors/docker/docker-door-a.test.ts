// Door A over containers: the stand-in trainer is the train_lora.py of their image.
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject } from 'vitest';
import { env } from '#/env.ts';
import { dockerDaemonAt, importImage } from '../../../../test/docker-daemon.ts';
import { type DoorAExecutor, doorAWalks, setDoorA } from '../../../../test/door-a-scene.ts';
import { dockerEngine } from './engine.ts';

const IMAGE = 'lowrank-test/fake:1';
const docker_folder = inject('docker_folder');

describe.runIf(docker_folder !== null)('with an engine', () => {
  const daemon = dockerDaemonAt(docker_folder ?? '');
  const engine = dockerEngine({ kind: 'socket', path: join(daemon.folder, 'docker.sock') });
  const listed = async (all: '0' | '1') =>
    (await engine.ask('GET', '/containers/json', { query: { all } })) as { Names: string[]; Labels: Record<string, string> }[];

  const containers: DoorAExecutor = {
    variables: { LOWRANK_EXECUTOR: 'docker', TRAINING_IMAGE: IMAGE, DOCKER_HOST: daemon.host },
    alive: async () => (await listed('1')).map(({ Names: [name = ''] }) => name.replace('/training-', '')),
    inspect: async (job_id, house) => {
      const of_it = (await engine.ask('GET', `/containers/training-${job_id}/json`)) as {
        Config: { Cmd: string[]; Labels: Record<string, string>; Image: string };
        HostConfig: { NetworkMode: string; ReadonlyRootfs: boolean };
        Mounts: { Source: string; Destination: string; RW: boolean }[];
        State: { Running: boolean };
      };
      const [worker] = await house.db.asOwner<{ id: string }>('SELECT id FROM lowrank.workers');
      expect(of_it).toMatchObject({
        State: { Running: true },
        HostConfig: { NetworkMode: 'none', ReadonlyRootfs: true },
        Config: {
          Cmd: ['python', 'train_lora.py', '--config', '/workspace/config.json'],
          Labels: { 'dev.lowrank.job': job_id, 'dev.lowrank.attempt': '1', 'dev.lowrank.worker': worker?.id },
        },
      });
      const attempt = join(house.host.data_dir, 'runs', job_id, '1');
      const inside = await house.configOf(job_id);
      expect(inside).toMatchObject({ job_folder: '/workspace', output_path: '/workspace/outputs' });
      const mounts = Object.fromEntries(of_it.Mounts.map(({ Source, Destination, RW }) => [Destination, [Source, RW]]));
      expect(mounts).toEqual({
        '/run/lowrank/fence.py': [join(attempt, 'fence.py'), false],
        '/run/lowrank/contact.json': [join(house.host.data_dir, 'runs/contact.json'), false],
        '/workspace/config.json': [join(attempt, 'config.json'), false],
        '/workspace/outputs': [join(attempt, 'outputs'), true],
        '/workspace/cache': [join(attempt, '../cache'), true],
        [String(inside.dataset_path)]: [expect.stringContaining(house.dataset_id), false],
        [(inside.base_model as { path: string }).path]: [expect.stringContaining(house.host.data_dir), false],
      });
      for (const [path] of Object.entries(mounts))
        expect(path).toMatch(/^\/(run\/lowrank\/|workspace\/(config\.json$|outputs$|cache$|datasets\/|models\/))/);
    },
  };

  beforeAll(async () => {
    const root = join(daemon.folder, 'stand-in');
    await copyFile(join(env.repo, 'trainer/fake_trainer.py'), join(root, 'workspace/train_lora.py'));
    await importImage(daemon, root, IMAGE);
  });
  const house = setDoorA(containers);

  doorAWalks(house, containers);
});
