import { mkdtemp, rm, writeFile } from 'node:fs/promises';
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
    const contact_path = join(folder, 'contact.json');
    await writeFile(contact_path, 'the worker of the tests');
    const options = {
      image: STAND_IN_IMAGE,
      worker_id: folder,
      installation: 'test',
      private_folder: folder,
      model_folders: [],
      has_gpus: false,
      facts_ms: 0,
      contact_path,
      self_fence_ms: 600_000,
      ...GUARANTEED,
    };
    const executor = (more: Partial<typeof options> = {}) =>
      dockerExecutor({ ...options, ...more, folderOf, engine: dockerEngine(address) });
    const module = (name: string) => JSON.stringify(join(import.meta.dirname, name));
    return {
      name: 'docker',
      executor: () => executor(),
      folderOf: (job_id) => folderOf(job_id, 1),
      source: `import { dockerExecutor } from ${module('docker-executor.ts')};
        import { dockerEngine } from ${module('engine.ts')};
        const executor = dockerExecutor({ ...${JSON.stringify(options)}, engine: dockerEngine(${JSON.stringify(address)}),
          folderOf: (job: string, attempt: number) => ${JSON.stringify(folder)} + '/' + job + '/' + attempt });`,
      withoutProgram: () => executor({ image: EMPTY_IMAGE }),
      unfit: () => ({
        executor: executor({ image: 'lowrank-test/nowhere:1' }),
        says: /no image lowrank-test\/nowhere:1: build it/,
      }),
      loseOwner: async ({ job_id, attempt }) => {
        await dockerEngine(address).ask('DELETE', `/containers/${containerName(job_id, attempt)}`, { query: { force: '1' } });
      },
      fencing: (contact_path, self_fence_ms) => executor({ contact_path, self_fence_ms }),
      owner: daemon,
      end: () => rm(folder, { recursive: true, force: true }),
    };
  };

  executorGuarantees('the Docker executor', makeScene, { runs: 19, senseless: {} });
});
