/** If an engine that does not say so can give GPUs to containers: only a start tells. */
import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { describeCheck } from './ask-hello.ts';
import { deviceRequests } from './container.ts';
import { containersOf } from './containers.ts';
import { type Engine, EngineRefusal } from './engine.ts';
import type { EngineFacts } from './engine-facts.ts';

/** Marks such a container with the worker that asks: what an ended worker left is removed by its next check. */
const CHECK_LABEL = 'dev.lowrank.gpu-check';
const NO_HOOK =
  'the container engine cannot give GPUs to containers: install the NVIDIA container toolkit, or describe the GPUs to it by CDI';
const BY_PODMAN =
  'DOCKER_HOST leads to Podman, which would start the training without its GPU: use Docker, or LOWRANK_EXECUTOR=process';

/** In what words engines refuse a GPU; read in Docker 20.10's and 26.1's, and in the toolkit's own. */
export const isWithoutHook = ({ message }: EngineRefusal): boolean =>
  /could not select device driver|CDI device|nvidia-container/i.test(message);
export const withoutHook = ({ message }: EngineRefusal): string => `${NO_HOOK} (${message})`;

/** Why no run with GPUs may be started at all; null where one may. */
export const refusesGpus = ({ is_podman }: EngineFacts): string | null => (is_podman ? BY_PODMAN : null);

const Listed = z.array(z.looseObject({ Id: z.string() }));

/** Starts a container with all GPUs that does nothing. Why the engine has none to give; null where it has. Throws `EngineAway`. */
export async function lacksGpus(
  engine: Engine,
  image_id: string,
  worker_id: string,
  way: 'hook' | 'cdi',
): Promise<string | null> {
  const containers = containersOf(engine);
  const filters = JSON.stringify({ label: [`${CHECK_LABEL}=${worker_id}`] });
  for (const { Id } of Listed.parse(await engine.ask('GET', '/containers/json', { query: { all: '1', filters } })))
    await containers.removeAnyway(Id);
  const { Env: _, HostConfig, ...check } = describeCheck(image_id, worker_id);
  const name = `lowrank-gpu-check-${randomUUID()}`;
  try {
    await containers.create(name, {
      ...check,
      Cmd: ['python', '-c', 'pass'],
      Labels: { [CHECK_LABEL]: worker_id },
      HostConfig: { ...HostConfig, DeviceRequests: deviceRequests({ devices: ['all'], all_devices: true }, way) },
    });
    await containers.start(name);
    return null;
  } catch (error) {
    // Whatever else is wrong with this start is no matter of GPUs.
    if (error instanceof EngineRefusal) return isWithoutHook(error) ? withoutHook(error) : null;
    throw error;
  } finally {
    await containers.removeAnyway(name).catch(() => false);
  }
}
