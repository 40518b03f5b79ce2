import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { dockerDaemonAt, STAND_IN_IMAGE } from '../../../../test/docker-daemon.ts';
import { runSpec } from '../../../../test/run-spec.ts';
import type { Readiness } from '../executor.ts';
import { dockerExecutor } from './docker-executor.ts';
import { dockerEngine, type Engine } from './engine.ts';
import { EngineWatch, type EngineWatchOptions } from './engine-watch.ts';

const docker_folder = inject('docker_folder');

describe.runIf(docker_folder !== null)('before anything is claimed', () => {
  const { folder } = dockerDaemonAt(docker_folder ?? '');
  const engine = dockerEngine({ kind: 'socket', path: join(folder, 'docker.sock') });
  const watch = (more: Partial<EngineWatchOptions> = {}) =>
    new EngineWatch({ engine, image: STAND_IN_IMAGE, worker_id: randomUUID(), has_gpus: false, facts_ms: 0, ...more });
  const unfit = (reason: RegExp): Readiness => ({ state: 'unfit', reason: expect.stringMatching(reason) as unknown as string });
  const names = async () =>
    ((await engine.ask('GET', '/containers/json', { query: { all: '1' } })) as { Names: string[] }[]).flatMap(
      ({ Names }) => Names,
    );

  test('it is known that runs on the CPU can be started, by an engine that has their image', async () => {
    expect(await watch().ready()).toEqual({ state: 'ready' });
    const nowhere = 'lowrank-test/nowhere:1';
    expect(await watch({ image: nowhere }).ready()).toEqual(
      unfit(/has no image lowrank-test\/nowhere:1: build it with npm run image/),
    );
    expect(await watch({ engine: { refused: 'DOCKER_HOST is wrong' } }).ready()).toEqual(unfit(/^DOCKER_HOST is wrong$/));
    const away = dockerEngine({ kind: 'socket', path: join(folder, 'nowhere.sock') });
    expect(await watch({ engine: away }).ready()).toEqual({
      state: 'away',
      reason: expect.stringMatching(/does not answer .ENOENT.: start it, or let the account/),
    });
  });

  test('it is known that this engine has no GPUs to give, and nothing of the try is left', async () => {
    const watched = watch({ has_gpus: true });
    expect(await watched.ready()).toEqual(
      unfit(/cannot give GPUs to containers: install the NVIDIA container toolkit.*device driver/),
    );
    // A container a minute, not one at each look.
    expect(await watched.ready()).toEqual(unfit(/cannot give GPUs/));
    expect((await names()).filter((name) => name.includes('gpu-check'))).toEqual([]);
  });

  test('an engine that says that it has them is believed, and Podman is not', async () => {
    const asked: string[] = [];
    const said = (more: object): Engine => ({
      ...engine,
      ask: async (method, path, request) => {
        asked.push(`${method} ${path}`);
        const answer = await engine.ask(method, path, request);
        return path === '/info' ? { ...(answer as object), ...more } : answer;
      },
    });
    for (const more of [{ Runtimes: { nvidia: {} } }, { DiscoveredDevices: [{ ID: 'nvidia.com/gpu=all' }] }])
      expect(await watch({ has_gpus: true, engine: said(more) }).ready()).toEqual({ state: 'ready' });
    expect(asked).not.toContain('POST /containers/create');
    const podman: Engine = { ...engine, about: async () => ({ ...(await engine.about()), is_podman: true }) };
    expect(await watch({ has_gpus: true, engine: podman }).ready()).toEqual(unfit(/leads to Podman.*LOWRANK_EXECUTOR=process/));
    expect(await watch({ engine: podman }).ready()).toEqual({ state: 'ready' });
  });

  test('a run that is refused the GPUs that a try was given says so, leaves no container, and the next look tries for them', async () => {
    const folder_of_run = await mkdtemp(join(tmpdir(), 'lowrank-containers-'));
    const at = (name: string) => join(folder_of_run, name);
    await mkdir(at('model'));
    for (const name of ['contact.json', 'config.json', 'rows.jsonl']) await writeFile(at(name), '{}');
    let believed = true;
    const engine_that_gave: Engine = {
      ...engine,
      ask: async (method, path, request) =>
        believed && /gpu-check.*start$/.test(path) ? null : engine.ask(method, path, request),
    };
    const runs = dockerExecutor({
      ...{ engine: engine_that_gave, image: STAND_IN_IMAGE, worker_id: randomUUID(), has_gpus: true, facts_ms: 0 },
      ...{ installation: 'test', folderOf: () => folder_of_run, private_folder: folder_of_run, model_folders: [] },
      ...{ contact_path: at('contact.json'), self_fence_ms: 60_000, grace_ms: 1_000, log_bytes_max: 1_000, log_tail_bytes: 100 },
    });
    expect(await runs.ready()).toEqual({ state: 'ready' });
    const paths = { dataset_path: at('rows.jsonl'), base_model_path: at('model'), init_adapters: [], resume_from: null };
    const run = runSpec(randomUUID(), {
      devices: ['GPU-1'],
      paths: { ...paths, job_folder: folder_of_run, output_path: at('outputs') },
    });
    await expect(runs.launch(run)).rejects.toMatchObject({
      code: 'launch_failed',
      message: expect.stringMatching(/cannot give GPUs to containers: install the NVIDIA container toolkit.*device driver/),
    });
    expect((await names()).filter((name) => name.includes(run.job_id))).toEqual([]);
    believed = false;
    expect(await runs.ready()).toEqual(unfit(/cannot give GPUs/));
    await rm(folder_of_run, { recursive: true });
  });
});
