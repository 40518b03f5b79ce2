import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, inject } from 'vitest';
import { dockerDaemonAt, EMPTY_IMAGE, STAND_IN_IMAGE } from '../../../../test/docker-daemon.ts';
import { type ExecutorScene, executorGuarantees, GUARANTEED } from '../../../../test/executor-guarantees.ts';
import { containerName } from './container.ts';
import { dockerExecutor } from './docker-executor.ts';
import { dockerEngine } from './engine.ts';

const docker_folder = inject('docker_folder');

describe.runIf(docker_folder !== null)('with an engine', () => {
  const daemon = dockerDaemonAt(docker_folder ?? '');
  const address = { kind: 'socket', path: join(daemon.folder, 'docker.sock') } as const;

  const makeScene = async (): Promise<ExecutorScene> => {
    const folder = await mkdtemp(join(tmpdir(), 'lowrank-containers-'));
    const folderOf = (job_id: string, attempt: number) => join(folder, job_id, String(attempt));
    const options = {
      image: STAND_IN_IMAGE,
      worker_id: folder,
      installation: 'test',
      private_folder: folder,
      model_folders: [],
      facts_ms: 0,
      ...GUARANTEED,
    };
    const executor = (image = STAND_IN_IMAGE) => dockerExecutor({ ...options, image, folderOf, engine: dockerEngine(address) });
    const module = (name: string) => JSON.stringify(join(import.meta.dirname, name));
    return {
      name: 'docker',
      executor: () => executor(),
      folderOf: (job_id) => folderOf(job_id, 1),
      source: `import { dockerExecutor } from ${module('docker-executor.ts')};
        import { dockerEngine } from ${module('engine.ts')};
        const executor = dockerExecutor({ ...${JSON.stringify(options)}, engine: dockerEngine(${JSON.stringify(address)}),
          folderOf: (job: string, attempt: number) => ${JSON.stringify(folder)} + '/' + job + '/' + attempt });`,
      withoutProgram: () => executor(EMPTY_IMAGE),
      unfit: () => ({ executor: executor('lowrank-test/nowhere:1'), says: /no image lowrank-test\/nowhere:1: build it/ }),
      loseOwner: async ({ job_id, attempt }) => {
        await dockerEngine(address).ask('DELETE', `/containers/${containerName(job_id, attempt)}`, { query: { force: '1' } });
      },
      owner: daemon,
      end: () => rm(folder, { recursive: true, force: true }),
    };
  };

  executorGuarantees('the Docker executor', makeScene, { runs: 18, senseless: {} });
});
